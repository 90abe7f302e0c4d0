"""`tcplab run --all` and `--repeat`: many runs, and how each scenario stands after them."""

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tcplab.cli.catalogue import Named, shelved
from tcplab.cli.ended import Ended
from tcplab.cli.options import Presentation
from tcplab.errors import Exit, UsageError
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.analysis.standing import Standing
    from tcplab.scenario.steps import Scenario
    from tcplab.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the user chose for all runs."""

    client: str | None
    ipv6: bool
    trace: bool

    def player(self, scenarios: Sequence["Scenario"]) -> Callable[..., "Timeline"]:
        """What plays one of the scenarios so. Raises UsageError if one cannot be played so.

        All that a run needs is imported then, once for all of them.
        """
        from tcplab.cli.result import command_line
        from tcplab.experiment.on_testbed import play
        from tcplab.testbed.plan import Family
        from tcplab.timeline.timeline import Stack

        for scenario in scenarios:
            self._check_client(scenario)
        return partial(
            play,
            command=command_line(),
            client=None if self.client is None else Stack(self.client),
            family=Family.IPV6 if self.ipv6 else Family.IPV4,
            trace=self.trace,
        )

    def _check_client(self, scenario: "Scenario") -> None:
        if self.client != "crafted":
            return
        from tcplab.scenario.crafting import why_kernel

        if why := why_kernel(scenario, "client"):
            raise UsageError(
                Text("{name} needs a kernel at the client: {why}.", name=scenario.name, why=why),
                remedy=Text("Omit --client crafted."),
            )


def play_them(chosen: Sequence[Named], choice: Choice, times: int, shown: Presentation) -> int:
    """Play each of the scenarios so often, show how they stand, and return the exit status.

    Ctrl-C ends what is under way, and what was finished is shown. Raises TcplabError if nothing
    could be played at all, each time for the same reason.
    """
    from tcplab.cli.ending import finish, interrupted, is_interrupted

    scenarios = [scenario for scenario, _again in chosen]
    play = choice.player(scenarios)
    if choice.client == "crafted" or any(map(_crafts, scenarios)):
        from tcplab.wire.codec import prepare

        # Scapy is imported once, here, and not in each process. The address only says which family.
        prepare("::" if choice.ipv6 else "0.0.0.0")  # noqa: S104 - binds no socket
    ended = Ended()
    with suppress(KeyboardInterrupt):
        _play(scenarios * times, play, ended, shown)
    finish()
    ended.raise_if_all_failed_alike()
    standings = [ended.standing(*each, ipv6=choice.ipv6) for each in chosen]
    if is_interrupted():
        standings = [each for each in standings if each.verdict is not None]
    _show(standings, shown)
    if is_interrupted():
        return interrupted()
    if ended.crashes:
        return ended.report(shown)
    return _status(standings)


def _crafts(scenario: "Scenario") -> bool:
    """Does it send a segment that Scapy builds?"""
    from tcplab.experiment.on_testbed import wire_crafts

    return any(host.crafted for host in scenario.hosts) or wire_crafts(scenario)


def _play(
    scenarios: Sequence["Scenario"],
    play: Callable[["Scenario"], "Timeline"],
    ended: Ended,
    shown: Presentation,
) -> None:
    from tcplab.cli.progress import Bar
    from tcplab.experiment.many import play_many

    with (
        Bar(len(scenarios), no_color=shown.no_color, ascii_only=shown.ascii) as bar,
        closing(play_many(scenarios, play)) as outcomes,
    ):
        for scenario, outcome in outcomes:
            ended.note(scenario, outcome)
            bar.step(scenario.name)


def _show(standings: Sequence["Standing"], shown: Presentation) -> None:
    from tcplab.cli.terminal import console, plain, print_json
    from tcplab.render.catalogue import Catalogue, document

    shelves = shelved(standings)
    if shown.json:
        print_json(document(shelves, shown.say))
        return
    page = Catalogue(shelves, verdicts=True, say=shown.say, ascii_only=shown.ascii or plain())
    console(no_color=shown.no_color).print(page, crop=False)


def _status(standings: Sequence["Standing"]) -> Exit:
    from tcplab.analysis.finding import Verdict

    verdicts = {standing.verdict for standing in standings}
    if Verdict.NO in verdicts:
        return Exit.NO
    return Exit.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Exit.DONE
