"""Plays one run and shows what became of it, whole or as far as it came."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tcplab.cli import result
from tcplab.cli.options import Presentation
from tcplab.cli.progress import Waiting
from tcplab.experiment.conductor import CutShortError

if TYPE_CHECKING:
    from tcplab.cli.progress import Progress
    from tcplab.scenario.steps import Scenario
    from tcplab.timeline.events import Event
    from tcplab.timeline.timeline import Timeline

Heed = Callable[["Event"], None]


def play_and_present(
    play: Callable[[Heed], "Timeline"],
    shown: Presentation,
    scenario: "Scenario | None" = None,
    progress: "Progress | None" = None,
) -> int:
    """Let `play` run, with a word on standard error while it lasts, and present what it returns;
    returns the exit status.

    `play` is given what is to hear of every event. A run that an error cuts short is shown and kept
    as far as it came, and the error raised again.
    """
    word = progress or Waiting(shown.say)
    try:
        timeline = play(word.heed)
    except CutShortError as cut:
        word.clear()
        result.present(cut.timeline, shown, scenario)
        raise
    finally:
        word.clear()
    return result.present(timeline, shown, scenario)


def play_in_testbed(
    scenario: "Scenario",
    shown: Presentation,
    *,
    ipv6: bool,
    trace: bool,
    client: str | None = None,
    port: int | None = None,
) -> int:
    """Play it in a testbed of its own and present it; returns the exit status.

    `client` is "crafted" or "kernel", `port` the server's; None leaves it to the scenario.
    """
    from tcplab.experiment.on_testbed import play
    from tcplab.testbed.plan import Family
    from tcplab.timeline.timeline import Stack

    return play_and_present(
        lambda heed: play(
            scenario,
            command=result.command_line(),
            client=None if client is None else Stack(client),
            family=Family.IPV6 if ipv6 else Family.IPV4,
            port=port,
            trace=trace,
            heed=heed,
        ),
        shown,
        scenario,
    )
