"""Which runs of segments are folded, and which never are."""

from dataclasses import replace

import pytest

from tcplab.render.picture import arranged
from tcplab.render.rows import FoldRow, SegmentRow
from tcplab.tcp.options import Sack
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.timeline import Timeline

from . import plays, samples


def folds(timeline: Timeline, *, verbose: bool = False) -> list[FoldRow]:
    rows = arranged(timeline, verbose=verbose).rows
    return [row for row in rows if isinstance(row, FoldRow)]


def data(play: plays.Play, n: int, **how) -> None:
    at = 500 + 20 * n
    play.segment(at, "server", "A", 1 + 10 * n, 1, payload=b"0123456789", to=at + 2, **how)


def test_download_keeps_the_two_segments_at_either_end():
    rows = arranged(plays.download()).rows
    at = next(n for n, row in enumerate(rows) if isinstance(row, FoldRow))
    assert rows[at] == FoldRow(segments=92, octets=61_000)
    kept = [row.number for row in rows if isinstance(row, SegmentRow)]
    assert kept == [1, 2, 3, 4, 5, 98, 99]


def test_verbose_folds_nothing():
    assert folds(plays.download(), verbose=True) == []
    assert len(list(arranged(plays.download(), verbose=True).segments())) == 99


@pytest.mark.parametrize(("segments", "hidden"), [(7, []), (8, [4]), (9, [5])])
def test_eight_segments_are_a_run(segments, hidden):
    play = plays.Play()
    for n in range(segments):
        data(play, n)
    assert [row.segments for row in folds(play.timeline())] == hidden


def test_a_call_ends_the_run():
    play = plays.Play()
    for n in range(14):
        if n == 7:
            play.call(500 + 20 * n - 5, "client", "read", result="10")
        data(play, n)
    assert folds(play.timeline()) == []


def test_a_change_of_state_ends_the_run():
    play = plays.Play()
    for n in range(14):
        data(play, n, **({"client": "CLOSE-WAIT"} if n == 7 else {}))
    assert folds(play.timeline()) == []


def test_another_connection_ends_the_run():
    play = plays.Play()
    for n in range(14):
        data(play, n)
    events = [replace(event, conn="b" if event.i >= 7 else "a") for event in play.events]
    assert folds(replace(play.timeline(), events=tuple(events))) == []


def test_a_lost_segment_is_never_folded():
    play = plays.Play()
    for n in range(14):
        data(play, n, fate=Fate.DROPPED if n == 7 else Fate.DELIVERED)
    assert folds(play.timeline()) == []


def test_retransmissions_are_never_folded():
    play = plays.Play()
    for n in range(12):
        play.segment(500 + 20 * n, "server", "A", 1, 1, payload=b"x", to=502 + 20 * n)
    assert folds(play.timeline()) == []


def test_duplicate_acknowledgments_are_never_folded():
    play = plays.Play()
    for n in range(12):
        play.segment(500 + 20 * n, "client", "A", 1, 1, to=502 + 20 * n)
    assert folds(play.timeline()) == []


def test_probes_below_the_next_number_are_never_folded():
    play = plays.Play()
    for n in range(12):
        play.segment(500 + 20 * n, "client", "A", 0 if n % 2 else 1, 1, to=502 + 20 * n)
    assert folds(play.timeline()) == []


@pytest.mark.parametrize("flags", ["PA", "FA", "RA", "UA"])
def test_only_push_is_common_enough(flags):
    play = plays.Play()
    for n in range(14):
        play.segment(500 + 20 * n, "server", "A", 1 + n, 1, payload=b"x", to=502 + 20 * n)
    middle = play.events[7]
    assert isinstance(middle, SegmentEvent)
    told = samples.from_letters(flags)
    play.events[7] = replace(middle, segment=replace(middle.segment, flags=told))
    assert bool(folds(play.timeline())) is (flags == "PA")


def test_acknowledgments_with_sack_blocks_and_closed_windows_are_never_folded():
    sack = (Sack(((Seq(5), Seq(9)),)),)
    for how in ({"options": sack}, {"wnd_octets": 0}):
        play = plays.Play()
        for n in range(12):
            play.segment(500 + 20 * n, "client", "A", 1, 1 + n, to=502 + 20 * n, **how)
        assert folds(play.timeline()) == []
