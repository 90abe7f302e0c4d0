"""What came of many runs: the standing of each scenario, and what failed in tcplab itself."""

import sys
from typing import TYPE_CHECKING, assert_never

from tcplab.cli.options import Presentation
from tcplab.errors import Exit, TcplabError
from tcplab.text import Text, verbatim

if TYPE_CHECKING:
    from tcplab.analysis.standing import Run, Standing
    from tcplab.experiment.outcome import Outcome
    from tcplab.scenario.steps import Scenario
    from tcplab.timeline.timeline import Timeline


class Ended:
    """What came of the runs so far, by the name of their scenario."""

    def __init__(self) -> None:
        self._runs: dict[str, list[Run]] = {}
        self._errors: list[TcplabError] = []
        self._count = 0
        self.crashes: dict[str, None] = {}

    def note(self, scenario: "Scenario", outcome: "Outcome") -> "Run":
        """Keep what the outcome comes to; the timeline itself is not kept."""
        from tcplab.analysis.finding import Verdict
        from tcplab.analysis.standing import Run
        from tcplab.experiment.outcome import Crashed, Died, Failed, Played

        match outcome:
            case Played(timeline):
                run = _judged(scenario, timeline)
            case Failed(what=what, remedy=remedy):
                run = Run(verdict=Verdict.INCONCLUSIVE, why=(what, remedy))
                self._errors.append(outcome.error())
            case Died(why):
                run = Run(verdict=Verdict.INCONCLUSIVE, why=(why,))
            case Crashed(traceback):
                bug = Text("This is a bug in tcplab, not a mistake of yours.")
                last = verbatim(traceback.strip().rpartition("\n")[2])
                run = Run(verdict=Verdict.INCONCLUSIVE, why=(bug, last))
                self.crashes[traceback] = None
            case _:
                assert_never(outcome)
        self._runs.setdefault(scenario.name, []).append(run)
        self._count += 1
        return run

    def raise_if_all_failed_alike(self) -> None:
        """Nothing can run here: that is one error, not one for each scenario."""
        kinds = {(error.status, error.what) for error in self._errors}
        if len(kinds) == 1 and self._count == len(self._errors):
            raise self._errors[0]

    def standing(self, scenario: "Scenario", again: str, *, ipv6: bool) -> "Standing":
        """How the scenario stands after its runs."""
        from tcplab.analysis.standing import stand

        return stand(
            name=scenario.name,
            group=scenario.group,
            title=scenario.title,
            again=f"{again} -6" if ipv6 else again,
            timed=scenario.timed,
            runs=self._runs.get(scenario.name, ()),
        )

    def report(self, shown: Presentation) -> int:
        """Say what failed in tcplab itself, each once; returns the exit status."""
        from tcplab.cli.ending import tell

        for traceback in self.crashes:
            print(traceback, file=sys.stderr)
        tell(
            TcplabError(
                Text("This is a bug in tcplab, not a mistake of yours."),
                remedy=Text("Please report it with the lines above."),
            ),
            shown.say,
        )
        return Exit.BUG


def _judged(scenario: "Scenario", timeline: "Timeline") -> "Run":
    from tcplab.analysis.explain import explain
    from tcplab.analysis.standing import judged
    from tcplab.analysis.trace import joint_trace

    trace = None if scenario.timed else joint_trace(timeline)
    return judged(explain(timeline), trace=trace)
