"""Delays that are told once, and data that is shown once."""

from dataclasses import replace

import pytest

from tcplab.render.picture import arranged
from tcplab.render.rows import AsideRow, FoldRow
from tcplab.render.wording import SeqForm, Wording
from tcplab.timeline.events import Fate
from tcplab.timeline.timeline import Timeline

from . import plays

WORDING = Wording(str, seq=SeqForm.RELATIVE, ascii_only=False)


def header(timeline: Timeline, *, verbose: bool = False) -> tuple[str, ...]:
    return WORDING.settings(arranged(timeline, verbose=verbose))


def notes(timeline: Timeline, *, verbose: bool = False) -> list[tuple[str, ...]]:
    rows = arranged(timeline, verbose=verbose).segments()
    return [said for row in rows if (said := WORDING.notes(row))]


def delayed(*rules: str) -> Timeline:
    """A segment for each rule, delayed by it; none for "-"."""
    play = plays.Play()
    for n, rule in enumerate(rules):
        at = 30_000 * n
        if rule == "-":
            play.segment(at, "client", "PA", 1 + n, 1, payload=b"x")
            continue
        play.segment(at, "client", "PA", 1 + n, 1, payload=b"x", fate=Fate.DELAYED)
        play.delay(rule, 20_000)
    return play.timeline()


def test_delay_of_every_segment_is_told_once_and_exceptions_at_their_place():
    timeline = plays.far_away()
    assert header(timeline) == ("the wire delays every segment from 5 on: 20 ms (a long way)",)
    assert notes(timeline) == [
        ("dropped: lose the rest",),
        ("not delayed",),
        ("retransmission of 4",),
    ]


def test_delayed_segments_fold():
    rows = arranged(plays.far_away()).rows
    assert [row.segments for row in rows if isinstance(row, FoldRow)] == [6]


def test_verbose_tells_every_delay_at_its_segment():
    timeline = plays.far_away()
    assert header(timeline, verbose=True) == ()
    assert ("delayed 20 ms: a long way",) in notes(timeline, verbose=True)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (("20 ms",) * 4, "the wire delays every segment: 20 ms"),
        (("-", *("20 ms",) * 4), "the wire delays every segment from 2 on: 20 ms"),
        (("0.1 s each way",) * 5, "the wire delays every segment: 0.1 s each way"),
        (("delay 1",) * 4, "the wire delays every segment: 20 ms (delay 1)"),
    ],
)
def test_header_says_how_long(rules, told):
    assert header(delayed(*rules)) == (told,)


@pytest.mark.parametrize("rules", [("20 ms",) * 3, ("20 ms", "-") * 4])
def test_delay_of_few_segments_is_told_with_each(rules):
    assert header(delayed(*rules)) == ()
    assert set(notes(delayed(*rules))) == {("delayed 20 ms: 20 ms",)}


def test_delay_of_one_connection_names_it():
    timeline = delayed(*("20 ms",) * 4, "-")
    events = [replace(event, conn="b") if event.i == 8 else event for event in timeline.events]
    assert header(replace(timeline, events=tuple(events))) == (
        "connection a: the wire delays every segment: 20 ms",
    )


def test_long_wait_of_a_delivered_segment_is_told():
    play = plays.Play()
    play.segment(0, "client", "PA", 1, 1, payload=b"x", to=216_000)
    play.drop("stray")
    assert notes(play.timeline()) == [("held 216 ms: stray",)]


def test_data_is_shown_where_it_is_new_and_no_stream():
    play = plays.Play()
    for n, payload in enumerate((b"a", b"a", b"b", b"a", b"x" * 512)):
        play.segment(100 * n, "client", "PA", 10 * n, 1, payload=payload)
    play.segment(600, "client", "PA", 40 + 512, 1, payload=b"xx")
    play.segment(700, "server", "PA", 1, 1, payload=b"xx")
    rows = arranged(play.timeline()).segments()
    assert [row.telling for row in rows] == [True, False, True, True, False, False, True]
    assert all(row.telling for row in arranged(play.timeline(), verbose=True).segments())


def test_timers_that_say_the_same_share_a_row():
    (row,) = (r for r in arranged(plays.ten_connections()).rows if isinstance(r, AsideRow))
    assert WORDING.aside(row) == ("connections", "c1,", "c3:", "timewait timer: 60.0 s left")
