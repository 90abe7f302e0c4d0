"""An attacker that hears everything and speaks in another host's name, against real kernels."""

from collections.abc import Iterable

import pytest

from tcplab.analysis.trace import joint_trace
from tcplab.experiment.on_testbed import play
from tcplab.scenario.calls import Accept, Call, Connect, Listen, Read, Send
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.predicate import parse, parse_sum
from tcplab.scenario.steps import At, On, Scenario, Step
from tcplab.scenario.wire import Craft, Cut, Harm, Impair, Lift, Readdress, Silence, Steal
from tcplab.tcp.flags import Flags, from_letters
from tcplab.tcp.options import NoOperation, Timestamps
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.testbed.plan import Family
from tcplab.text import verbatim
from tcplab.timeline.events import CallEvent, CounterEvent, Fate, SegmentEvent
from tcplab.timeline.timeline import Timeline, lane
from tests.experiment.pauses import lasted_as_long_as_a_syn, undisturbed
from tests.live import forked

RUNS = 20
ISN, GUESS = 4096, 1000
# So that a machine that pauses changes nothing: half a second in which repeated challenges are
# not answered, and timers.
SLOW = Sysctl(name="net.ipv4.tcp_invalid_ratelimit", value="60000")

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


def number(text: str | int):
    return parse_sum(str(text), hosts=("client", "server"), conns=("a",))


def craft(
    letters: str, seq: str | int, ack: str | int | None = None, data: bytes = b"", **how
) -> On:
    """What the attacker sends in the client's name."""
    fields = {"host": "attacker", "as_host": "client", "conn": "a"} | how
    return On(
        Craft(
            flags=from_letters(letters),
            seq=number(seq),
            ack=None if ack is None else number(ack),
            data=data,
            **fields,
        )
    )


def at(host: str, *calls: Call) -> tuple[At, ...]:
    return tuple(At(host=host, call=call) for call in calls)


LISTENING = at("server", Listen())
LOGIN = (
    *LISTENING,
    *at("client", Connect()),
    *at("server", Accept()),
    *at("client", Send(b"USER alice\r\n")),
    *at("server", Read(100)),
    *at("client", Send(b"PASS s3cret\r\n")),
    *at("server", Read(100)),
)


def conducted(steps: Iterable[Step], family: Family, *, eavesdrops: bool = True) -> Timeline:
    """A run in which no kernel sent a SYN, or a SYN, ACK, a second time."""
    ends = tuple(
        HostSettings(name=name, quickack=True, rto_min_ms=10_000, sysctls=(SLOW,))
        for name in ("client", "server")
    )
    scenario = Scenario(
        name="test",
        title=verbatim(""),
        story=verbatim(""),
        notice=verbatim(""),
        steps=tuple(steps),
        hosts=(*ends, HostSettings(name="attacker", eavesdrops=eavesdrops)),
    )
    return undisturbed(
        lambda rootless: play(scenario, command=(), rootless=rootless, family=family),
        lasted_as_long_as_a_syn,
        rootless=True,
    )


def forged(timeline: Timeline) -> list[SegmentEvent]:
    return [event for event in timeline.segments() if event.fate is Fate.INJECTED]


def sent(timeline: Timeline, host: str) -> list[SegmentEvent]:
    return [event for event in timeline.segments() if event.sender == host]


def results(timeline: Timeline, host: str, call: str) -> list[str]:
    return [
        event.result
        for event in timeline.events
        if isinstance(event, CallEvent) and (event.host, event.name) == (host, call)
    ]


def grown(timeline: Timeline, host: str, name: str) -> int:
    return sum(
        event.delta
        for event in timeline.events
        if isinstance(event, CounterEvent) and (event.host, event.name) == (host, name)
    )


def final(timeline: Timeline, host: str) -> State:
    """The state in which the last act left it."""
    return [lane(event, host) for event in timeline.told()][-1].after


# --- a forged segment ---------------------------------------------------------------------------


@every_family
def test_a_forged_segment_is_told_as_the_attackers(family):
    timeline = forked(conducted, (*LOGIN, craft("R", "server.rcv_nxt")), family)

    (event,) = forged(timeline)
    assert (event.sender, event.receiver, event.conn) == ("attacker", "server", "a")
    assert (event.step, event.cause, event.ttl) == ("injected", None, 64)
    assert event.segment.src == sent(timeline, "client")[0].segment.src
    assert event.segment.checksum_ok
    assert event.frame[6:12].hex(":") == "02:00:00:00:00:66"  # it left by the attacker's own NIC


@every_family
def test_an_rst_with_the_number_that_was_heard_is_believed(family):
    steps = (*LOGIN, craft("R", "server.rcv_nxt"), *at("server", Read(100)))
    timeline = forked(conducted, steps, family)

    assert results(timeline, "server", "read")[-1] == "ECONNRESET"
    assert final(timeline, "server") is State.CLOSED
    assert final(timeline, "client") is State.ESTABLISHED  # half-open
    assert forged(timeline)[0].segment.options == ()


@every_family
def test_forged_data_is_read_and_goes_on_from_what_the_attacker_said_itself(family):
    more = "client.snd_nxt", "client.rcv_nxt"
    steps = (*LOGIN, craft("PA", *more, b"evil "), craft("PA", *more, b"bytes"))
    timeline = forked(conducted, (*steps, *at("server", Read(100))), family)

    assert results(timeline, "server", "read")[-1] == "10"
    first, second = forged(timeline)
    assert second.segment.seq == first.segment.seq + 5


@every_family
def test_forged_data_carries_the_timestamps_that_were_heard(family):
    timeline = forked(
        conducted, (*LOGIN, craft("PA", "client.snd_nxt", "client.rcv_nxt", b"x")), family
    )

    *_before, mine = [each for each in sent(timeline, "client") if each.i < forged(timeline)[0].i]
    *_before, theirs = [each for each in sent(timeline, "server") if each.i < forged(timeline)[0].i]
    values = [_stamp(each).value for each in (mine, theirs)]
    assert forged(timeline)[0].segment.options == (
        NoOperation(), NoOperation(), Timestamps(values[0], values[1]),
    )  # fmt: skip


def _stamp(event: SegmentEvent) -> Timestamps:
    return next(each for each in event.segment.options if isinstance(each, Timestamps))


@every_family
def test_timestamps_are_left_out_on_demand(family):
    numbers = "client.snd_nxt", "client.rcv_nxt"
    steps = (*LOGIN, craft("PA", *numbers, b"evil", timestamps=False), *at("server", Read(100)))
    timeline = forked(conducted, steps, family)

    assert forged(timeline)[0].segment.options == ()
    assert results(timeline, "server", "read")[-1] == "4"  # RFC 7323 §3.2 would have it dropped


@every_family
def test_a_timestamp_that_does_not_fit_is_thrown_away(family):
    """Of any two values half a circle apart one is older than the last that was heard."""
    one, other = (
        craft(
            "PA",
            "client.snd_nxt",
            "client.rcv_nxt",
            b"evil",
            options=(NoOperation(), NoOperation(), Timestamps(value, 0)),
        )
        for value in (1, (1 << 31) + 6)
    )
    timeline = forked(conducted, (*LOGIN, one, other), family)

    assert grown(timeline, "server", "TcpExtPAWSEstab") == 1


@every_family
def test_what_was_not_heard_is_0(family):
    steps = (*LISTENING, craft("RA", "client.snd_nxt + 7", "server.snd_nxt"))
    timeline = forked(conducted, steps, family)

    segment = forged(timeline)[0].segment
    assert (segment.seq, segment.ack) == (Seq(0), Seq(0))


@every_family
def test_a_rule_of_the_wire_acts_on_forged_segments_too(family):
    when = parse("seg.rst", hosts=("client", "server"), conns=("a",), segment=True)
    rule = On(Impair(name="no resets", harm=Harm.DROP, when=when))
    timeline = forked(conducted, (*LOGIN, rule, craft("R", "server.rcv_nxt")), family)

    *_others, last = timeline.segments()
    assert (last.sender, last.fate) == ("attacker", Fate.DROPPED)
    assert final(timeline, "server") is State.ESTABLISHED


@every_family
def test_an_attacker_that_hears_nothing_is_injected_as_ever(family):
    steps = (*LOGIN, craft("R", "server.rcv_nxt"), *at("server", Read(100)))
    timeline = forked(conducted, steps, family, eavesdrops=False)

    (event,) = forged(timeline)
    assert (event.sender, event.receiver) == ("attacker", "server")
    assert results(timeline, "server", "read")[-1] == "ECONNRESET"


# --- stealing -----------------------------------------------------------------------------------


@every_family
def test_the_attacker_counts_the_logins_that_it_heard(family):
    early = (*LOGIN[:4], On(Steal(host="attacker")))
    timeline = forked(conducted, (*early, *LOGIN[4:], On(Steal(host="attacker"))), family)

    assert results(timeline, "attacker", "steal") == ["0", "1"]


# --- a whole connection in another host's name ---------------------------------------------------

SYN = craft("S", ISN)
ACK = craft("A", "client.snd_nxt", "server.snd_nxt")
DATA = craft("PA", "client.snd_nxt", "server.snd_nxt", b"evil")
TAKEN = (*at("server", Accept()), *at("server", Read(100)))
LATE = Impair(
    name="late",
    harm=Harm.HOLD,
    when=parse(
        "seg.from == client and seg.rst", hosts=("client", "server"), conns=("a",), segment=True
    ),
)


def states(timeline: Timeline, host: str) -> list[State]:
    """Those through which the acts led it."""
    path: list[State] = []
    for event in timeline.told():
        each = lane(event, host)
        for state in (each.before, each.after) if each else ():
            if path[-1:] != [state]:
                path.append(state)
    return path


@every_family
def test_a_living_owner_ends_what_is_opened_in_its_name(family):
    """However well the attacker hears: the owner's RST is faster."""
    timeline = forked(conducted, (*LISTENING, SYN, ACK, *TAKEN), family)

    assert states(timeline, "server") == [
        State.CLOSED, State.LISTEN, State.SYN_RECEIVED, State.CLOSED,
    ]  # fmt: skip
    (reset, *_more) = sent(timeline, "client")
    assert (reset.segment.flags, reset.segment.seq) == (Flags.RST, Seq(ISN + 1))
    assert grown(timeline, "server", "TcpExtEmbryonicRsts") == 1
    assert results(timeline, "server", "accept") == ["EAGAIN"]


@every_family
def test_who_cannot_see_the_answer_cannot_acknowledge_it(family):
    """The owner is down, and still nothing comes of it: the server's ISN has to be guessed."""
    steps = (*LISTENING, On(Cut("client")), SYN, craft("A", ISN + 1, GUESS), *TAKEN)
    timeline = forked(conducted, steps, family, eavesdrops=False)

    assert final(timeline, "server") is State.SYN_RECEIVED
    answer, refusal = sent(timeline, "server")
    assert (answer.segment.flags, answer.fate) == (Flags.SYN | Flags.ACK, Fate.DROPPED)
    assert (refusal.segment.flags, refusal.segment.seq) == (Flags.RST, Seq(GUESS))
    assert results(timeline, "server", "accept") == ["EAGAIN"]


@every_family
@pytest.mark.parametrize(
    "gone",
    [Cut("client"), Silence("client"), Readdress(host="client", number=9)],
    ids=lambda act: type(act).__name__.lower(),
)
def test_in_the_name_of_an_owner_who_is_gone_a_whole_connection_opens(family, gone):
    end = craft("FA", "client.snd_nxt", "server.snd_nxt")
    steps = (*LISTENING, On(gone), SYN, ACK, DATA, *TAKEN, *at("server", Send(b"secret")), end)
    timeline = forked(conducted, (*steps, *at("server", Read(100))), family)

    assert states(timeline, "server") == [
        State.CLOSED, State.LISTEN, State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT,
    ]  # fmt: skip
    assert results(timeline, "server", "accept") == ["0"]
    assert results(timeline, "server", "read") == ["4", "0"]
    *_others, fin = forged(timeline)
    assert fin.segment.ack == sent(timeline, "server")[0].segment.seq + 1 + len(b"secret")


@every_family
def test_data_that_comes_before_a_late_rst_is_read(family):
    race = (*LISTENING, On(LATE), SYN, DATA, *TAKEN)
    timeline = forked(conducted, (*race, On(Lift("late")), *at("server", Read(100))), family)

    assert results(timeline, "server", "read") == ["4", "ECONNRESET"]
    first, second = sent(timeline, "client")
    # The RST against the SYN, ACK is behind the data now; that against the server's ACK is exact.
    assert (first.segment.seq, lane(first, "server").after) == (Seq(ISN + 1), State.ESTABLISHED)
    assert (second.segment.seq, lane(second, "server").after) == (Seq(ISN + 5), State.CLOSED)


@every_family
def test_a_late_rst_ends_what_no_data_has_moved_on(family):
    race = (*LISTENING, On(LATE), SYN, ACK, *at("server", Accept()), On(Lift("late")))
    timeline = forked(conducted, (*race, *at("server", Read(100))), family)

    assert results(timeline, "server", "read") == ["ECONNRESET"]
    assert grown(timeline, "server", "TcpEstabResets") == 1


# --- the same each time -------------------------------------------------------------------------

STORIES = {
    "reset": (*LOGIN, craft("R", "server.rcv_nxt"), *at("client", Send(b"x"), Read(9))),
    "in window": (*LOGIN, *(craft("R", "server.rcv_nxt + 1000"),) * 5, *at("client", Send(b"x"))),
    "data": (
        *LOGIN,
        craft("PA", "client.snd_nxt", "client.rcv_nxt", b"evil"),
        *at("server", Read(100)),
        *at("client", Send(b"mine!")),
        *at("server", Read(100)),
    ),
    "race": (*LISTENING, On(LATE), SYN, DATA, *TAKEN, On(Lift("late")), *at("server", Read(9))),
    "gone": (*LISTENING, On(Cut("client")), SYN, ACK, DATA, *TAKEN),
}


def traces(steps, family) -> set[str]:
    return {forked(_trace, steps, family) for _ in range(RUNS)}


def _trace(steps, family) -> str:
    timeline = conducted(steps, family)
    assert timeline.drops == 0
    return joint_trace(timeline)


@every_family
@pytest.mark.parametrize("story", STORIES)
def test_every_run_has_the_same_trace(family, story):
    found = traces(STORIES[story], family)

    assert len(found) == 1, "\n".join(found)
    assert "attacker > server" in found.pop()


def test_numbers_of_a_spoofed_opening_count_from_its_own_syn():
    trace = forked(_trace, STORIES["gone"], Family.IPV4)

    assert "attacker > server [SYN] seq 0 injected" in trace
    assert "server > client [SYN, ACK] seq 0 ack 1 dropped" in trace
    assert "attacker > server [PSH, ACK] seq 1 ack 1 len 4 injected" in trace
