"""What nobody knows makes no comparison true; what a kernel does not have is told as a mistake."""

from tcplab.errors import Exit
from tcplab.experiment.conductor import CutShortError
from tcplab.experiment.on_testbed import play
from tcplab.scenario.reader import parse
from tcplab.timeline.events import ExpectEvent
from tests.live import forked

_FILE = """
title = { en = "t", ko = "t" }
story = { en = "s", ko = "s" }
notice = { en = "n", ko = "n" }
[[step]]
at = "server"
do = "listen"
[[step]]
expect = "PREDICATE"
"""


def played(predicate: str):
    text = _FILE.replace("PREDICATE", predicate)
    return play(parse(text, name="unknown", source="unknown.toml"), command=(), rootless=True)


def cut_short(predicate: str) -> tuple[str, str, Exit]:
    try:
        played(predicate)
    except CutShortError as cut:
        return str(cut.what), str(cut.remedy), cut.status
    raise AssertionError("it went through")


def test_an_expectation_of_a_call_that_nobody_made_fails_and_says_unknown():
    timeline = forked(played, "client.call.read == 0")

    (expected,) = (event for event in timeline.events if isinstance(event, ExpectEvent))
    assert not expected.met
    assert expected.found == (("client.call.read", ""),)


def test_a_counter_that_this_kernel_does_not_have_ends_the_run_with_the_nearest_one():
    assert forked(cut_short, "server.counter.TCPTimeout == 0") == (
        "This kernel has no counter TCPTimeout.",
        "Did you mean TCPTimeouts?",
        Exit.UNAVAILABLE,
    )
