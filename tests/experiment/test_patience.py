"""On a long way: who waits for something goes on once it has come, everybody else once all that
was sent has arrived.
"""

from tcplab.experiment.on_testbed import play
from tcplab.scenario.reader import parse
from tcplab.timeline.events import CallEvent, SegmentEvent
from tcplab.timeline.timeline import Timeline
from tests.live import forked

HEAD = """
title = { en = "A test", ko = "시험" }
story = { en = "The client connects.", ko = "클라이언트가 연결합니다." }
notice = { en = "Nothing.", ko = "없음." }
unhurried = true
quickack = true
"""
LONG_WAY = 'on = "wire"\ndo = "delay"\nseconds = 0.05'


def played(*steps: str, top: str = "") -> Timeline:
    """These steps, after the server has begun to listen."""
    body = "".join(f"[[step]]\n{step}\n" for step in ('at = "server"\ndo = "listen"', *steps))
    return play(parse(HEAD + top + body, name="x", source="x.toml"), command=("x",), rootless=True)


def course(timeline: Timeline) -> list[str]:
    """Calls and segments in the order of their effect."""
    return [
        event.segment.flags.letters if isinstance(event, SegmentEvent) else event.name
        for event in timeline.told()
        if isinstance(event, SegmentEvent | CallEvent)
    ]


def test_a_call_that_waits_returns_while_frames_are_still_on_their_way():
    timeline = forked(
        played,
        LONG_WAY,
        'at = "client"\ndo = "connect"\nwithin = 5',
        'at = "client"\ndo = "send"\ndata = "x"',
    )
    assert course(timeline) == [
        "listen", "connect", "S", "SA", "connect", "send", "A", "PA", "A",
    ]  # fmt: skip


def test_a_call_that_does_not_wait_leaves_no_frame_on_its_way():
    timeline = forked(
        played,
        LONG_WAY,
        'at = "client"\ndo = "connect"',
        'at = "client"\ndo = "send"\ndata = "x"',
    )
    assert course(timeline) == ["listen", "connect", "S", "SA", "A", "send", "PA", "A"]


def test_the_run_ends_once_everything_has_arrived():
    timeline = forked(played, LONG_WAY, 'at = "client"\ndo = "connect"')
    assert course(timeline) == ["listen", "connect", "S", "SA", "A"]
    assert all(event.delivered_ns is not None for event in timeline.segments())


def test_a_connection_can_have_the_ports_of_a_later_one():
    timeline = forked(
        played,
        'at = "client"\ndo = "craft"\nconn = "old"\nflags = "S"\nseq = "90"',
        'at = "client"\ndo = "connect"\nconn = "new"',
        top='[conn.old]\nclient_port = "new"\n',
    )
    old, new = (
        next(event.segment for event in timeline.segments() if event.conn == conn)
        for conn in ("old", "new")
    )
    assert (old.src, old.dst) == (new.src, new.dst)
