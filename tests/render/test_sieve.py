"""Rows that a display filter leaves."""

from tcplab.render.picture import arranged
from tcplab.render.rows import ConnectionRow, SegmentRow, StateRow
from tests.render import plays, samples


def test_only_shown_segments_and_the_first_states_are_left():
    whole = arranged(samples.four_way())
    second = list(whole.segments())[1]

    start, *rows = arranged(samples.four_way(), shown={second.event.i}).rows

    assert isinstance(start, StateRow)
    assert start.initial
    assert rows == [second]


def test_a_connection_without_shown_segments_has_no_head():
    whole = arranged(plays.ten_connections(), verbose=True)
    third = next(row for row in whole.segments() if row.event.conn == "c3")

    rows = arranged(plays.ten_connections(), shown={third.event.i}).rows

    assert [row.conn for row in rows if isinstance(row, ConnectionRow)] == ["c3"]
    assert [row.event.i for row in rows if isinstance(row, SegmentRow)] == [third.event.i]
