"""How a scenario stands: not yet played, or how often it held, and in how many different ways."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from tcplab.analysis.expectations import is_expectation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.text import Text

_NO_LINE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a scenario. `why` says what speaks against it; `trace` is its joint trace, None
    where it has none worth comparing.
    """

    verdict: Verdict
    why: tuple[Text, ...] = ()
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A scenario, and what came of its runs; `verdict` None if there were none.

    `held` of `runs` were as expected. `traces` counts the different joint traces, of which a
    scenario that no timer drives has one; None for the others. `why` says what speaks against it,
    and `again` is the command that shows it.
    """

    name: str
    group: str | None
    title: Text
    again: str
    verdict: Verdict | None = None
    runs: int = 0
    held: int = 0
    traces: int | None = None
    why: tuple[Text, ...] = ()


def judged(findings: Sequence[Finding], *, trace: str | None) -> Run:
    """The run that these findings are about.

    What a scenario expected decides, if it expected anything: that a port is closed is then no
    failure. Else every finding counts, and always what limits them all.
    """
    expected = [finding for finding in findings if is_expectation(finding)]
    weighed = expected or findings
    why = tuple(each.sentence for each in weighed if each.verdict is not Verdict.YES)
    return Run(verdict=_worst([each.verdict for each in weighed]), why=why, trace=trace)


def stand(
    *, name: str, group: str | None, title: Text, again: str, timed: bool, runs: Sequence[Run]
) -> Standing:
    """The scenario after these runs, in whatever order they ended."""
    if not runs:
        return Standing(name=name, group=group, title=title, again=again)
    verdict = _worst([run.verdict for run in runs])
    why = dict.fromkeys(sentence for run in runs for sentence in run.why)
    traces = Counter(run.trace for run in runs if run.trace is not None)
    if not timed and len(traces) > 1:
        verdict = Verdict.NO
        why[_difference(traces)] = None
    return Standing(
        name=name,
        group=group,
        title=title,
        again=again,
        verdict=verdict,
        runs=len(runs),
        held=sum(run.verdict is Verdict.YES for run in runs),
        traces=None if timed else len(traces),
        why=tuple(why),
    )


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return next(
        (each for each in (Verdict.NO, Verdict.INCONCLUSIVE) if each in verdicts), Verdict.YES
    )


def _difference(traces: Counter[str]) -> Text:
    """Where the two commonest traces part."""
    (often, _), (seldom, _) = traces.most_common(2)
    lines = zip_longest(often.splitlines(), seldom.splitlines(), fillvalue=_NO_LINE)
    number, (one, other) = next(
        (number, pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1]
    )
    return Text(
        "{traces} different joint traces. The two commonest part in line {line}: {one} | {other}",
        traces=len(traces),
        line=number,
        one=" ".join(one.split()),
        other=" ".join(other.split()),
    )
