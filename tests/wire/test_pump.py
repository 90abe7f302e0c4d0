"""The wire's mind: what each action does to frames, and in which order they go on."""

from dataclasses import replace

import pytest

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import Fate
from tcplab.wire.codec import craft
from tcplab.wire.frame import Link, decode
from tcplab.wire.pump import Action, Arrival, Passage, Pump, Rule, corrupted

CLIENT, SERVER = Address("192.0.2.1", 40000), Address("192.0.2.2", 80)
LATE_NS = 1_000_000


def arrival(number: int, sender: str = "client", payload: bytes = b"data") -> Arrival:
    """The sender's segment of that sequence number."""
    src, dst = (CLIENT, SERVER) if sender == "client" else (SERVER, CLIENT)
    segment = Segment(src=src, dst=dst, seq=Seq(number), flags=Flags.ACK, payload=payload)
    frame = decode(craft(segment), link=Link.NONE)
    return Arrival(sender=sender, at_ns=number, frame=frame)


def numbered(number: int):
    """True for the segment of that sequence number."""
    return lambda arrival: int(arrival.frame.segment.seq) == number


def anything(arrival: Arrival) -> bool:
    return True


def pump(action: Action, when=anything, **how) -> Pump:
    made = Pump()
    made.rule(Rule(name="rule", action=action, when=when, **how))
    return made


def everything_due(pump: Pump, now_ns: int = 0) -> list[Passage]:
    due = []
    while (passage := pump.due(now_ns)) is not None:
        due.append(passage)
    return due


def told(pump: Pump, now_ns: int = 0) -> list[tuple[int, str, str | None]]:
    """(sequence number, fate, rule) of all that goes on by then."""
    return [
        (int(each.arrival.frame.segment.seq), each.fate.value, each.rule)
        for each in everything_due(pump, now_ns)
    ]


# --- without rules ------------------------------------------------------------------------------


def test_without_rules_frames_go_on_at_once_and_in_order():
    pump = Pump()
    for number in (3, 1, 2):
        pump.take(arrival(number), 0)

    assert told(pump) == [(3, "delivered", None), (1, "delivered", None), (2, "delivered", None)]


def test_nothing_is_due_when_nothing_came():
    assert Pump().due(0) is None


# --- the actions --------------------------------------------------------------------------------


def test_drop_lets_the_frame_go_nowhere_but_tells_of_it():
    wire = pump(Action.DROP, numbered(2))
    for number in (1, 2, 3):
        wire.take(arrival(number), 0)

    assert told(wire) == [(1, "delivered", None), (2, "dropped", "rule"), (3, "delivered", None)]


def test_hold_keeps_the_frame_until_release():
    wire = pump(Action.HOLD, numbered(1))
    for number in (1, 2):
        wire.take(arrival(number), 0)

    assert told(wire) == [(2, "delivered", None)]
    assert wire.holds == 1
    wire.release()
    assert told(wire) == [(1, "delivered", "rule")]
    assert wire.holds == 0


def test_delay_lets_the_frame_go_on_when_its_time_has_come():
    wire = pump(Action.DELAY, numbered(1), delay_ns=LATE_NS)
    for number in (1, 2):
        wire.take(arrival(number), 0)

    assert told(wire, LATE_NS - 1) == [(2, "delivered", None)]
    assert wire.next_ns == LATE_NS
    assert told(wire, LATE_NS) == [(1, "delayed", "rule")]
    assert wire.next_ns is None


def test_frames_delayed_alike_keep_their_order():
    wire = pump(Action.DELAY, delay_ns=LATE_NS)
    for number in (3, 1, 2):
        wire.take(arrival(number), 0)

    assert told(wire, LATE_NS) == [(n, "delayed", "rule") for n in (3, 1, 2)]


def test_delay_counts_from_when_the_frame_was_taken():
    wire = pump(Action.DELAY, delay_ns=LATE_NS)
    wire.take(arrival(1), 50)

    assert wire.next_ns == 50 + LATE_NS


def test_duplicate_lets_it_go_on_twice():
    wire = pump(Action.DUPLICATE, numbered(1))
    for number in (1, 2):
        wire.take(arrival(number), 0)

    assert told(wire) == [
        (1, "delivered", "rule"),
        (1, "duplicated", "rule"),
        (2, "delivered", None),
    ]


def test_reorder_lets_the_sender_s_next_frame_overtake():
    wire = pump(Action.REORDER, numbered(1))
    for number in (1, 2, 3):
        wire.take(arrival(number), 0)

    assert told(wire) == [(2, "delivered", None), (1, "delivered", "rule"), (3, "delivered", None)]


def test_reorder_waits_for_a_frame_of_the_same_sender():
    wire = pump(Action.REORDER, numbered(1))
    wire.take(arrival(1), 0)
    wire.take(arrival(2, "server"), 0)

    assert told(wire) == [(2, "delivered", None)]


def test_reorder_of_every_frame_swaps_pairs():
    wire = pump(Action.REORDER)
    for number in (1, 2, 3, 4):
        wire.take(arrival(number), 0)

    assert [number for number, _fate, _rule in told(wire)] == [2, 1, 4, 3]


def test_corrupt_lets_a_spoiled_frame_go_on():
    wire = pump(Action.CORRUPT)
    sent = arrival(1)
    wire.take(sent, 0)

    (passage,) = everything_due(wire)
    assert (passage.fate, passage.rule) == (Fate.CORRUPTED, "rule")
    assert passage.arrival is sent
    assert passage.carried == replace(sent, frame=corrupted(sent.frame))
    assert passage.carried != sent


def test_what_is_not_corrupted_is_carried_as_it_was_sent():
    wire = Pump()
    sent = arrival(1)
    wire.take(sent, 0)

    (passage,) = everything_due(wire)
    assert passage.carried is sent


@pytest.mark.parametrize("payload", [b"", b"x", b"data"])
def test_a_corrupted_frame_has_a_wrong_checksum_and_says_so(payload):
    spoiled = corrupted(arrival(1, payload=payload).frame)

    assert decode(spoiled.octets, link=Link.NONE).segment.checksum_ok is False
    assert spoiled.segment.checksum_ok is False
    assert spoiled.segment.payload == decode(spoiled.octets, link=Link.NONE).segment.payload


def test_inject_passes_by_every_rule():
    wire = pump(Action.DROP)
    wire.inject(arrival(9))

    (passage,) = everything_due(wire)
    assert (passage.fate, passage.rule, passage.arrival.injected) == (Fate.INJECTED, None, True)


# --- rules --------------------------------------------------------------------------------------


def test_times_limits_how_often_a_rule_acts():
    wire = pump(Action.DROP, times=2)
    for number in (1, 2, 3):
        wire.take(arrival(number), 0)

    assert [fate for _number, fate, _rule in told(wire)] == ["dropped", "dropped", "delivered"]


def test_times_counts_only_frames_that_match():
    wire = pump(Action.DROP, numbered(2), times=1)
    for number in (1, 2, 2):
        wire.take(arrival(number), 0)

    assert [fate for _number, fate, _rule in told(wire)] == ["delivered", "dropped", "delivered"]


def test_the_first_rule_that_matches_decides():
    wire = Pump()
    wire.rule(Rule(name="one", action=Action.DROP, when=numbered(1)))
    wire.rule(Rule(name="two", action=Action.DUPLICATE, when=anything))
    for number in (1, 2):
        wire.take(arrival(number), 0)

    assert told(wire) == [
        (1, "dropped", "one"),
        (2, "delivered", "two"),
        (2, "duplicated", "two"),
    ]


def test_a_rule_that_is_used_up_leaves_the_frame_to_the_next():
    wire = Pump()
    wire.rule(Rule(name="one", action=Action.DROP, when=anything, times=1))
    wire.rule(Rule(name="two", action=Action.DUPLICATE, when=anything, times=1))
    for number in (1, 2, 3):
        wire.take(arrival(number), 0)

    assert [rule for _number, _fate, rule in told(wire)] == ["one", "two", "two", None]


def test_a_name_is_given_once():
    wire = pump(Action.DROP)

    with pytest.raises(ValueError, match="rule"):
        wire.rule(Rule(name="rule", action=Action.HOLD, when=anything))


# --- holding everything -------------------------------------------------------------------------


def test_hold_all_keeps_what_rules_would_let_go_on():
    wire = pump(Action.DUPLICATE)
    wire.hold()
    for number in (1, 2):
        wire.take(arrival(number), 0)

    assert told(wire) == []
    wire.release()
    assert told(wire) == [(1, "delivered", None), (2, "delivered", None)]


def test_after_release_nothing_is_held():
    wire = Pump()
    wire.hold()
    wire.release()
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "delivered", None)]


def test_what_was_due_before_hold_still_goes_on():
    wire = Pump()
    wire.take(arrival(1), 0)
    wire.hold()
    wire.take(arrival(2), 0)

    assert told(wire) == [(1, "delivered", None)]
