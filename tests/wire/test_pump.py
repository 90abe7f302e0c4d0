"""The wire's mind: what each action does to frames, and in which order they go on."""

from dataclasses import replace

import pytest

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import Fate
from tcplab.wire.codec import craft
from tcplab.wire.frame import Frame, Link, decode
from tcplab.wire.judgement import Judgement
from tcplab.wire.passage import Arrival, Passage
from tcplab.wire.pump import Pump
from tcplab.wire.rule import Action, Rule, corrupted

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


def receiver_of(arrival: Arrival) -> str | None:
    """The host of that address."""
    return {CLIENT.ip: "client", SERVER.ip: "server"}.get(arrival.frame.dst_ip)


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

    assert told(wire) == [(2, "dropped", "rule"), (1, "delivered", None), (3, "delivered", None)]


def test_what_is_lost_is_told_before_anything_else_arrives():
    """Else the states beside it would be those after another frame, not those it was sent in."""
    wire = pump(Action.DROP, numbered(2))
    wire.take(arrival(1, "server"), 0)
    wire.take(arrival(2), 0)

    assert told(wire) == [(2, "dropped", "rule"), (1, "delivered", None)]


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

    assert [fate for _number, fate, _rule in told(wire)] == ["dropped", "delivered", "delivered"]


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


def test_a_share_lets_chance_decide_and_the_seed_decide_chance():
    def acted(seed: int) -> list[int]:
        wire = pump(Action.DROP, share=0.5, seed=seed)
        for number in range(64):
            wire.take(arrival(number), 0)
        return [number for number, fate, _rule in told(wire) if fate == "dropped"]

    assert acted(1) == acted(1)
    assert acted(1) != acted(2)
    assert 10 < len(acted(1)) < 54


def test_a_frame_that_chance_spares_is_left_to_the_next_rule():
    wire = Pump()
    wire.rule(Rule(name="never", action=Action.DROP, when=anything, share=0.0))
    wire.rule(Rule(name="next", action=Action.DUPLICATE, when=anything))
    wire.take(arrival(1), 0)

    assert [rule for _number, _fate, rule in told(wire)] == ["next", "next"]


# --- lifting ------------------------------------------------------------------------------------


def test_a_lifted_rule_acts_no_more():
    wire = pump(Action.DROP)
    wire.lift("rule")
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "delivered", None)]


def test_a_lifted_name_can_be_given_again():
    wire = pump(Action.DROP)
    wire.lift("rule")
    wire.rule(Rule(name="rule", action=Action.DUPLICATE, when=anything))
    wire.take(arrival(1), 0)

    assert [fate for _number, fate, _rule in told(wire)] == ["delivered", "duplicated"]


def test_only_what_there_is_can_be_lifted():
    with pytest.raises(KeyError, match="rule"):
        Pump().lift("rule")


def test_what_a_lifted_rule_held_goes_on_and_nothing_else_does():
    wire = Pump()
    wire.rule(Rule(name="one", action=Action.HOLD, when=numbered(1)))
    wire.rule(Rule(name="two", action=Action.HOLD, when=numbered(2)))
    for number in (1, 2):
        wire.take(arrival(number), 0)
    wire.lift("one")

    assert told(wire) == [(1, "delivered", "one")]
    assert wire.holds == 1


def test_what_a_lifted_rule_held_stays_while_everything_is_held():
    wire = pump(Action.HOLD)
    wire.take(arrival(1), 0)
    wire.hold()
    wire.lift("rule")

    assert told(wire) == []
    wire.release()
    assert told(wire) == [(1, "delivered", "rule")]


def test_a_frame_that_waits_to_be_overtaken_goes_on_when_its_rule_is_lifted():
    wire = pump(Action.REORDER)
    wire.take(arrival(1), 0)
    wire.lift("rule")

    assert told(wire) == [(1, "delivered", "rule")]


def test_a_delayed_frame_comes_in_its_time_though_its_rule_is_lifted():
    wire = pump(Action.DELAY, delay_ns=LATE_NS)
    wire.take(arrival(1), 0)
    wire.lift("rule")

    assert told(wire, LATE_NS - 1) == []
    assert told(wire, LATE_NS) == [(1, "delayed", "rule")]


def test_a_rule_that_held_holds_on_after_release():
    wire = pump(Action.HOLD)
    wire.take(arrival(1), 0)
    wire.release()
    wire.take(arrival(2), 0)

    assert told(wire) == [(1, "delivered", "rule")]
    assert wire.holds == 1


# --- silence and cut cables ---------------------------------------------------------------------


@pytest.mark.parametrize("how", ["silence", "cut"])
@pytest.mark.parametrize("host", ["client", "server"])
def test_nothing_passes_from_or_to_a_host_that_is_silent_or_cut_off(how, host):
    wire = Pump(receiver_of)
    getattr(wire, how)(host)
    wire.take(arrival(1), 0)
    wire.take(arrival(2, "server"), 0)

    assert told(wire) == [(1, "dropped", f"{how} {host}"), (2, "dropped", f"{how} {host}")]


def test_other_hosts_hear_each_other_while_one_is_silent():
    wire = Pump(receiver_of)
    wire.silence("attacker")
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "delivered", None)]


def test_without_receivers_only_what_a_silent_host_sends_is_dropped():
    wire = Pump()
    wire.silence("server")
    wire.take(arrival(1), 0)
    wire.take(arrival(2, "server"), 0)

    assert told(wire) == [(2, "dropped", "silence server"), (1, "delivered", None)]


@pytest.mark.parametrize("how", ["silence", "cut"])
def test_a_restored_host_is_heard_again(how):
    wire = Pump(receiver_of)
    getattr(wire, how)("server")
    wire.restore("server")
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "delivered", None)]


def test_restore_of_a_host_that_speaks_changes_nothing():
    wire = Pump(receiver_of)
    wire.restore("server")
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "delivered", None)]


def test_a_frame_that_waits_for_its_turn_is_dropped_when_its_receiver_falls_silent():
    wire = Pump(receiver_of)
    wire.take(arrival(1), 0)
    wire.silence("server")

    assert told(wire) == [(1, "dropped", "silence server")]


def test_a_held_frame_is_dropped_when_it_comes_due_for_a_host_that_is_cut_off():
    wire = Pump(receiver_of)
    wire.hold()
    wire.take(arrival(1), 0)
    wire.cut("server")

    assert told(wire) == []
    wire.release()
    assert told(wire) == [(1, "dropped", "cut server")]


def test_a_delayed_frame_is_dropped_when_it_comes_due_for_a_host_that_is_cut_off():
    wire = Pump(receiver_of)
    wire.rule(Rule(name="rule", action=Action.DELAY, when=anything, delay_ns=LATE_NS))
    wire.take(arrival(1), 0)
    wire.cut("server")

    assert told(wire, LATE_NS) == [(1, "dropped", "cut server")]


def test_a_held_frame_arrives_if_its_receiver_is_back_by_then():
    wire = Pump(receiver_of)
    wire.hold()
    wire.take(arrival(1), 0)
    wire.cut("server")
    wire.restore("server")
    wire.release()

    assert told(wire) == [(1, "delivered", None)]


def test_what_a_host_sent_before_it_fell_silent_arrives():
    wire = Pump(receiver_of)
    wire.hold()
    wire.take(arrival(1), 0)
    wire.silence("client")
    wire.release()

    assert told(wire) == [(1, "delivered", None)]


def test_a_spoiled_frame_that_is_dropped_is_spoiled_no_more():
    wire = Pump(receiver_of)
    wire.rule(Rule(name="rule", action=Action.CORRUPT, when=anything))
    wire.take(arrival(1), 0)
    wire.cut("server")

    (passage,) = everything_due(wire)
    assert (passage.fate, passage.rule, passage.spoiled) == (Fate.DROPPED, "cut server", None)


def test_what_a_rule_has_dropped_stays_that_rule_s():
    wire = Pump(receiver_of)
    wire.rule(Rule(name="rule", action=Action.DROP, when=anything))
    wire.take(arrival(1), 0)
    wire.cut("server")

    assert told(wire) == [(1, "dropped", "rule")]


def test_rules_are_not_asked_about_frames_for_a_silent_host():
    wire = Pump(receiver_of)
    wire.rule(Rule(name="rule", action=Action.DUPLICATE, when=anything, times=1))
    wire.silence("server")
    wire.take(arrival(1), 0)
    wire.restore("server")
    wire.take(arrival(2), 0)

    assert told(wire) == [
        (1, "dropped", "silence server"),
        (2, "delivered", "rule"),
        (2, "duplicated", "rule"),
    ]


# --- segments made by hand ----------------------------------------------------------------------


def by_hand(number: int) -> Arrival:
    return replace(arrival(number), injected=True)


def test_a_segment_made_by_hand_is_injected():
    wire = Pump()
    wire.take(by_hand(1), 0)

    assert told(wire) == [(1, "injected", None)]


@pytest.mark.parametrize(
    ("action", "fates"),
    [
        (Action.DROP, ["dropped"]),
        (Action.DELAY, ["delayed"]),
        (Action.DUPLICATE, ["injected", "duplicated"]),
        (Action.CORRUPT, ["corrupted"]),
    ],
)
def test_rules_act_on_a_segment_made_by_hand(action, fates):
    wire = pump(action)
    wire.take(by_hand(1), 0)

    assert [fate for _number, fate, _rule in told(wire)] == fates


def test_a_segment_made_by_hand_that_was_held_is_injected():
    wire = Pump()
    wire.hold()
    wire.take(by_hand(1), 0)
    wire.release()

    assert told(wire) == [(1, "injected", None)]


# --- middleboxes --------------------------------------------------------------------------------

REPLY = arrival(99, "server").frame


class Box:
    """Refuses, with a reply, what `refuses` is true for; notes what it is shown, and when."""

    def __init__(self, name: str, refuses, *replies: Frame) -> None:
        self.name = name
        self._refuses = refuses
        self._replies = replies
        self.shown: list[tuple[int, int]] = []

    def judge(self, arrival: Arrival, now_ns: int) -> Judgement:
        self.shown.append((int(arrival.frame.segment.seq), now_ns))
        if self._refuses(arrival):
            return Judgement(passes=False, replies=self._replies)
        return Judgement(passes=True)


def test_a_frame_that_a_middlebox_refuses_is_dropped_and_its_replies_follow():
    wire = Pump(receiver_of)
    wire.middlebox(Box("box", numbered(1), REPLY))
    sent = arrival(1)
    wire.take(sent, 7)
    wire.take(arrival(2), 8)

    assert everything_due(wire) == [
        Passage(arrival=sent, fate=Fate.DROPPED, rule="box"),
        Passage(
            arrival=Arrival(sender="box", at_ns=7, frame=REPLY, injected=True),
            fate=Fate.INJECTED,
            rule="box",
        ),
        Passage(arrival=arrival(2), fate=Fate.DELIVERED),
    ]


def test_middleboxes_are_asked_in_order_and_before_rules():
    wire = pump(Action.DROP, times=1)
    one, two = Box("one", numbered(1)), Box("two", numbered(2))
    wire.middlebox(one)
    wire.middlebox(two)
    for number in (1, 2, 3, 4):
        wire.take(arrival(number), number)

    assert told(wire) == [
        (3, "dropped", "rule"),
        (1, "dropped", "one"),
        (2, "dropped", "two"),
        (4, "delivered", None),
    ]
    assert one.shown == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert two.shown == [(2, 2), (3, 3), (4, 4)]


def test_no_rule_acts_on_a_middlebox_s_reply():
    wire = pump(Action.DUPLICATE)
    wire.middlebox(Box("box", anything, REPLY))
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "dropped", "box"), (99, "injected", "box")]


def test_a_middlebox_sees_what_is_sent_to_a_silent_host_and_nothing_from_one():
    wire = Pump(receiver_of)
    box = Box("box", numbered(0))
    wire.middlebox(box)
    wire.silence("server")
    wire.take(arrival(1), 0)
    wire.take(arrival(2, "server"), 0)

    assert box.shown == [(1, 0)]


def test_a_reply_to_a_host_that_has_been_cut_off_is_dropped():
    wire = Pump(receiver_of)
    wire.middlebox(Box("box", anything, REPLY))
    wire.take(arrival(1), 0)
    wire.cut("client")

    assert told(wire) == [(1, "dropped", "box"), (99, "dropped", "cut client")]


def test_replies_are_held_while_everything_is():
    wire = Pump()
    wire.middlebox(Box("box", anything, REPLY))
    wire.hold()
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "dropped", "box")]
    wire.release()
    assert told(wire) == [(99, "injected", "box")]


def test_a_lifted_middlebox_lets_everything_pass():
    wire = Pump()
    wire.middlebox(Box("box", anything))
    wire.lift("box")
    wire.take(arrival(1), 0)

    assert told(wire) == [(1, "delivered", None)]


def test_rules_and_middleboxes_share_their_names():
    wire = pump(Action.DROP)

    with pytest.raises(ValueError, match="rule"):
        wire.middlebox(Box("rule", anything))


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
