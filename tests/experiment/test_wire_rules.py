"""What the wire's rules do to real kernels: frames lost, held, late, doubled, swapped, spoiled."""

import pytest

from tcplab.experiment.on_testbed import play
from tcplab.scenario.calls import Accept, Connect, Listen, Read, Send
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.predicate import parse
from tcplab.scenario.steps import At, Delivered, On, Scenario, Until
from tcplab.scenario.wire import Harm, Impair
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import verbatim
from tcplab.timeline.events import CallEvent, CounterEvent, Fate, SegmentEvent, WireEvent
from tcplab.timeline.timeline import Timeline, lane
from tests.experiment.pauses import undisturbed
from tests.live import forked

PATIENCE_S = 20.0
LATE_NS = 50_000_000
SHORT_NS = 100_000_000
"""Less than the least RTO of Linux, 200 ms."""

crafted_or_kernel = pytest.mark.parametrize("crafted", [False, True], ids=["kernel", "crafted"])


def at(host: str, *calls) -> tuple[At, ...]:
    return tuple(At(host=host, call=call) for call in calls)


OPEN = (
    *at("server", Listen()),
    *at("client", Connect()),
    Until(host="client", states=frozenset({State.ESTABLISHED}), within_s=PATIENCE_S),
    Until(host="server", states=frozenset({State.ESTABLISHED}), within_s=PATIENCE_S),
    *at("server", Accept()),
)
SAY = (*at("client", Send(b"one\n"), Send(b"two\n")), Delivered(host="client", within_s=PATIENCE_S))


SYN = 'seg.from == client and seg.flags == "S"'
SYN_ACK = 'seg.from == server and seg.flags == "SA"'
ONE, TWO = "seg.seq == 1 and seg.len == 4", "seg.seq == 5 and seg.len == 4"


def lay_for_long(timeline: Timeline) -> bool:
    """Did a segment on which no rule acted lie on the wire until it may have been sent again?"""
    harmed = {event.i for event in acted_on(timeline)}
    return any(
        event.delivered_ns - event.at_ns > SHORT_NS
        for event in timeline.segments()
        if event.delivered_ns is not None and event.i not in harmed
    )


def conducted(steps, harm: Harm, when: str, crafted=False, **how) -> Timeline:
    """The steps, with one rule on the wire that acts once; again if the machine stood still."""
    predicate = parse(when, hosts=("client", "server"), conns=("a",), segment=True)
    rule = On(Impair(name="rule", harm=harm, when=predicate, times=1, **how))
    scenario = Scenario(
        name="test", title=verbatim(""), story=verbatim(""), notice=verbatim(""),
        steps=(rule, *steps),
        hosts=(
            HostSettings(name="client", crafted=crafted, quickack=True),
            HostSettings(name="server", quickack=True),
        ),
    )  # fmt: skip
    return undisturbed(
        lambda rootless: play(scenario, command=(), rootless=rootless), lay_for_long, rootless=True
    )


def told(timeline: Timeline) -> list[tuple[str, str]]:
    """(flags, fate) of every segment in the order of their effect."""
    return [
        (event.segment.flags.letters, event.fate.value)
        for event in timeline.told()
        if isinstance(event, SegmentEvent)
    ]


def grown(timeline: Timeline, host: str, name: str) -> int:
    return sum(
        event.delta
        for event in timeline.events
        if isinstance(event, CounterEvent) and (event.host, event.name) == (host, name)
    )


def results(timeline: Timeline) -> dict[str, str]:
    return {event.name: event.result for event in timeline.events if isinstance(event, CallEvent)}


def acted_on(timeline: Timeline) -> list[SegmentEvent]:
    """The segments on which the rule acted."""
    return [
        timeline.events[event.segment]
        for event in timeline.events
        if isinstance(event, WireEvent) and event.rule == "rule"
    ]


# --- drop ---------------------------------------------------------------------------------------


@crafted_or_kernel
def test_a_dropped_syn_is_sent_again_and_connects(crafted):
    timeline = forked(conducted, OPEN, Harm.DROP, SYN, crafted)

    assert told(timeline) == [
        ("S", "dropped"), ("S", "delivered"), ("SA", "delivered"), ("A", "delivered"),
    ]  # fmt: skip
    first, second, *_ = timeline.segments()
    assert first.segment.seq == second.segment.seq
    assert first.delivered_ns is None
    assert second.cause is None  # a timer's doing
    assert lane(first, "server").after is State.LISTEN


def test_the_kernel_counts_the_dropped_syn_as_retransmitted():
    timeline = forked(conducted, OPEN, Harm.DROP, SYN)

    assert grown(timeline, "client", "TcpRetransSegs") == 1


def test_a_rule_that_acted_is_told_with_its_segment():
    timeline = forked(conducted, OPEN, Harm.DROP, SYN)

    (segment,) = acted_on(timeline)
    assert (segment.segment.flags, segment.fate) == (Flags.SYN, Fate.DROPPED)


# --- hold ---------------------------------------------------------------------------------------


@crafted_or_kernel
def test_a_held_syn_never_arrives_but_the_next_one_does(crafted):
    timeline = forked(conducted, OPEN, Harm.HOLD, SYN, crafted)

    assert told(timeline)[:2] == [("S", "held"), ("S", "delivered")]


# --- duplicate ----------------------------------------------------------------------------------


@crafted_or_kernel
def test_a_duplicated_syn_ack_is_acknowledged_again_and_changes_nothing(crafted):
    timeline = forked(conducted, OPEN, Harm.DUPLICATE, SYN_ACK, crafted)

    assert told(timeline) == [
        ("S", "delivered"), ("SA", "delivered"), ("SA", "duplicated"),
        ("A", "delivered"), ("A", "delivered"),
    ]  # fmt: skip
    copy = next(event for event in timeline.segments() if event.fate is Fate.DUPLICATED)
    both = lane(copy, "client")
    assert (both.before, both.after) == (State.ESTABLISHED, State.ESTABLISHED)
    answers = [event.cause for event in timeline.segments() if event.segment.flags == Flags.ACK]
    assert copy.i in answers


# --- delay --------------------------------------------------------------------------------------


@crafted_or_kernel
def test_a_delayed_syn_ack_arrives_not_before_its_time(crafted):
    timeline = forked(conducted, OPEN, Harm.DELAY, SYN_ACK, crafted, delay_s=LATE_NS / 1e9)

    assert told(timeline) == [("S", "delivered"), ("SA", "delayed"), ("A", "delivered")]
    late = next(event for event in timeline.segments() if event.fate is Fate.DELAYED)
    assert late.delivered_ns - late.at_ns >= LATE_NS


# --- reorder ------------------------------------------------------------------------------------


@crafted_or_kernel
def test_reordered_data_is_put_in_order_by_the_receiver(crafted):
    steps = (*OPEN, *SAY, *at("server", Read()))
    timeline = forked(conducted, steps, Harm.REORDER, ONE, crafted)

    arrived = [
        event.segment.payload
        for event in timeline.told()
        if isinstance(event, SegmentEvent) and event.segment.payload
    ]
    assert arrived[:2] == [b"two\n", b"one\n"]  # a kernel may send the first again by then
    assert results(timeline)["read"] == "8"
    assert grown(timeline, "server", "TcpExtTCPOFOQueue") == 1


# --- corrupt ------------------------------------------------------------------------------------


@crafted_or_kernel
def test_a_corrupted_segment_is_counted_dropped_and_sent_again(crafted):
    steps = (*OPEN, *SAY, *at("server", Read()))
    timeline = forked(conducted, steps, Harm.CORRUPT, TWO, crafted)

    assert grown(timeline, "server", "TcpInCsumErrors") == 1
    assert results(timeline)["read"] == "8"
    fates = [
        event.fate.value for event in timeline.segments() if event.segment.payload[-4:] == b"two\n"
    ]
    assert fates == ["corrupted", "delivered"]


def test_a_corrupted_syn_ack_is_ignored_by_tcplab_s_own_tcp():
    timeline = forked(conducted, OPEN, Harm.CORRUPT, SYN_ACK, True)

    spoiled = next(event for event in timeline.segments() if event.fate is Fate.CORRUPTED)
    assert lane(spoiled, "client").after is State.SYN_SENT
    assert told(timeline)[-2:] == [("SA", "delivered"), ("A", "delivered")]
