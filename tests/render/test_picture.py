"""From a timeline to rows."""

from dataclasses import replace

from tcplab.render.picture import arranged
from tcplab.render.rows import (
    AsideRow,
    CallRow,
    ConnectionRow,
    GapRow,
    IcmpRow,
    Known,
    SegmentRow,
    Side,
    Standing,
    StateRow,
)
from tcplab.tcp.options import Sack
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.timeline.events import CounterEvent, Fate, SegmentEvent, Source, StateEvent, WireEvent
from tcplab.timeline.timeline import HostInfo, Stack, numbers

from . import samples


def kinds(timeline) -> list[str]:
    return [type(row).__name__.removesuffix("Row") for row in arranged(timeline).rows]


def segments(timeline) -> list[SegmentRow]:
    return list(arranged(timeline).segments())


def test_rows_begin_with_the_states_before_anything_happened():
    first = arranged(samples.four_way()).rows[0]
    assert first == StateRow(
        ends=(
            Standing(State.CLOSED, State.CLOSED, Known.CRAFTED),
            Standing(State.LISTEN, State.LISTEN, Known.OBSERVED),
        ),
        initial=True,
    )


def test_numbers_follow_delivery_not_departure():
    story = samples.Story()
    story.segment(0, "client", "A", 1, 1, to=100)
    story.segment(10, "server", "A", 1, 1, to=50)
    assert numbers(story.timeline()) == {0: 2, 1: 1}


def test_fins_in_flight_towards_each_other_cross():
    rows = segments(samples.simultaneous_close())
    assert [row.crosses for row in rows] == [(), (), (), (5,), (4,), (), ()]


def test_reply_caused_by_delivery_does_not_cross():
    story = samples.Story()
    story.segment(0, "client", "S", 0, to=20)
    story.segment(15, "server", "SA", 0, 1)  # its clock was read a little early
    story.events[1] = replace(story.events[1], cause=0)
    assert [row.crosses for row in segments(story.timeline())] == [(), ()]


def test_bare_acknowledgments_never_cross():
    story = samples.Story()
    story.segment(0, "client", "PA", 1, 1, payload=b"x", to=100)
    story.segment(10, "server", "A", 1, 1, to=120)
    assert [row.crosses for row in segments(story.timeline())] == [(), ()]


def test_dropped_segment_is_lost_and_the_next_repeats_it():
    rows = segments(samples.retransmission())[3:5]
    assert [(row.lost, row.repeats) for row in rows] == [(True, None), (False, 4)]


def test_captured_segment_without_delivery_time_is_not_lost():
    assert [row.lost for row in segments(samples.reset())] == [False, False]


def test_pure_acks_with_equal_numbers_are_no_retransmissions():
    story = samples.Story()
    story.segment(0, "client", "A", 1, 1)
    story.segment(50, "client", "A", 1, 1)
    assert [row.repeats for row in segments(story.timeline())] == [None, None]


def test_silence_of_half_a_second_is_a_gap():
    assert kinds(samples.retransmission())[-6:] == [
        "Segment",
        "Gap",
        "Segment",
        "Aside",
        "Aside",
        "Segment",
    ]
    assert arranged(samples.retransmission()).rows[-5] == GapRow(1_040_020_000)


def test_timer_changes_a_state_in_a_row_of_its_own():
    last = arranged(samples.simultaneous_close()).rows[-1]
    assert last == StateRow(
        ends=(
            Standing(State.TIME_WAIT, State.CLOSED, Known.OBSERVED),
            Standing(State.TIME_WAIT, State.TIME_WAIT, Known.OBSERVED),
        )
    )


def test_state_change_caused_by_a_segment_gets_no_second_row():
    story = samples.Story()
    story.open()
    before = kinds(story.timeline())
    story.note(
        StateEvent(
            i=0,
            at_ns=251_000,
            cause=2,
            host="client",
            conn="a",
            old=State.SYN_SENT,
            new=State.ESTABLISHED,
            source=Source.CRAFTED,
        )
    )
    assert kinds(story.timeline()) == before


def test_change_nobody_noted_is_shown_before_the_segment_that_reveals_it():
    story = samples.Story()
    story.segment(0, "client", "A", 1, 1)
    story.states["server"] = State.CLOSED
    story.segment(50, "client", "A", 1, 1)
    rows = arranged(story.timeline()).rows
    assert [type(row) for row in rows] == [StateRow, SegmentRow, StateRow, SegmentRow]
    assert rows[2].ends[1] == Standing(State.LISTEN, State.CLOSED, Known.OBSERVED)


def test_state_that_the_sender_took_to_send_stands_beside_its_segment():
    story = samples.Story()
    story.segment(0, "server", "A", 1, 1)
    story.states["client"] = State.SYN_SENT
    story.segment(50, "client", "S", 0)
    rows = arranged(story.timeline()).rows
    assert [type(row) for row in rows] == [StateRow, SegmentRow, SegmentRow]
    assert rows[2].ends[0] == Standing(State.CLOSED, State.SYN_SENT, Known.CRAFTED)


def test_states_without_lanes_come_from_the_changes_noted():
    story = samples.Story()
    story.segment(0, "client", "S", 0)
    story.events[0] = replace(story.events[0], lanes=())
    story.note(
        StateEvent(
            i=0,
            at_ns=20_000,
            cause=0,
            host="server",
            conn="a",
            old=State.LISTEN,
            new=State.SYN_RECEIVED,
            source=Source.INFERRED,
        )
    )
    (row,) = segments(story.timeline())
    assert row.ends == (
        Standing(None, None, None),
        Standing(State.LISTEN, State.SYN_RECEIVED, Known.INFERRED),
    )


def test_icmp_goes_to_the_host_whose_segment_it_quotes():
    rows = [row for row in arranged(samples.prohibited()).rows if isinstance(row, IcmpRow)]
    assert [row.toward for row in rows] == [Side.LEFT]


def test_counters_of_every_run_are_left_out_and_telling_ones_share_a_row():
    story = samples.Story()
    story.open()
    for name in ("TcpInSegs", "TcpOutRsts", "TcpEstabResets"):
        story.note(CounterEvent(i=0, at_ns=900_000, host="server", name=name, delta=1))
    (row,) = (row for row in arranged(story.timeline()).rows if isinstance(row, AsideRow))
    assert (row.side, [event.name for event in row.events]) == (
        Side.RIGHT,
        ["TcpOutRsts", "TcpEstabResets"],
    )


def test_wire_rules_are_told_with_their_segment():
    story = samples.Story()
    story.segment(0, "client", "PA", 1, 1, payload=b"x", fate=Fate.DROPPED)
    story.note(WireEvent(i=0, at_ns=1, cause=0, rule="drop data", segment=0))
    assert [row.rules for row in segments(story.timeline())] == [("drop data",)]


def test_window_is_scaled_after_both_syns_offered_it():
    story = samples.Story()
    story.open()
    assert [row.wnd_octets for row in segments(story.timeline())] == [64240, 65160, 502 << 10]


def test_sack_blocks_are_relative_to_the_numbers_of_the_peer():
    story = samples.Story()
    story.open()
    isn = Seq(samples.ISN["client"])
    story.segment(500, "server", "A", 1, 1, options=(Sack(((isn + 100, isn + 200),)),))
    assert segments(story.timeline())[-1].sack == ((100, 200),)


def test_call_of_a_host_without_lifeline_and_its_segment_say_whose_they_are():
    story = samples.Story()
    story.segment(0, "client", "RA", 1, 1)
    story.call(10, "client", "connect")
    story.events = [
        replace(story.events[0], sender="attacker"),
        replace(story.events[1], host="attacker"),
    ]
    timeline = story.timeline()
    attacker = HostInfo(name="attacker", ip="192.0.2.66", port=0, stack=Stack.CRAFTED)
    rows = arranged(replace(timeline, hosts=(attacker, *timeline.hosts))).rows
    segment = next(row for row in rows if isinstance(row, SegmentRow))
    call = next(row for row in rows if isinstance(row, CallRow))
    assert (segment.origin, segment.toward, call.side) == ("attacker", Side.RIGHT, None)


def test_several_connections_get_headings():
    story = samples.Story()
    story.open()
    again = [replace(event, conn="b") for event in story.events if isinstance(event, SegmentEvent)]
    for event in again:
        story.note(replace(event, at_ns=event.at_ns + 10**6, delivered_ns=event.at_ns + 10**6))
    rows = arranged(story.timeline()).rows
    headings = [row for row in rows if isinstance(row, ConnectionRow)]
    assert [row.conn for row in headings] == ["a", "b"]
    assert [row.ends[1].after for row in headings] == [State.LISTEN, State.LISTEN]
    assert not any(isinstance(row, StateRow) and row.initial for row in rows)
