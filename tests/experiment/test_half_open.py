"""The half-open connection and the SYN cookie, on the real kernel: their course, 20 of 20 times."""

from itertools import pairwise

import pytest

from tcplab.analysis.explain import explain
from tcplab.analysis.finding import Finding, Verdict
from tcplab.experiment.on_testbed import play
from tcplab.scenario.half_open import (
    BARE,
    FILLERS,
    FULL,
    PROBE,
    Cookies,
    cookie,
    lasts_s,
    no_ack,
)
from tcplab.scenario.tier import Tier, tier
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize, SackPermitted, Timestamps, WindowScale
from tcplab.tcp.states import State
from tcplab.testbed.plan import Family
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    ExpectEvent,
    SegmentEvent,
    Source,
    StateEvent,
)
from tcplab.timeline.timeline import Timeline, lane
from tests.experiment.pauses import lasted_as_long_as_a_syn, undisturbed
from tests.live import forked

RUNS = 20
MINUTES = 5
SECOND_NS = 10**9
LATE_NS = SECOND_NS * 45 // 100
"""A kernel's timer of 4 s may be a quarter of a second late by itself (kernel/time/timer.c)."""
every_family = pytest.mark.parametrize("family", [*Family], ids=lambda family: family.name)
rootless_or_not = pytest.mark.parametrize("rootless", [True, None], ids=["rootless", "as-it-is"])
when_cookies = pytest.mark.parametrize("cookies", [*Cookies], ids=lambda cookies: cookies.name)


def course(timeline: Timeline, host: str = "server") -> list[tuple[str, str, State, State]]:
    """What passed, and that host's states before and after it."""
    told = []
    for event in timeline.told():
        found = lane(event, host)
        assert found is not None
        assert found.source is Source.SOCK_DIAG
        if isinstance(event, CallEvent):
            what = f"{event.host} {event.name}() {event.result}"
        else:
            what = f"{event.sender} {event.segment.flags.written}"
        told.append((event.conn, what, found.before, found.after))
    return told


def counted(timeline: Timeline, host: str = "server") -> dict[str, int]:
    return {
        event.name.removeprefix("TcpExt"): event.delta
        for event in timeline.events
        if isinstance(event, CounterEvent) and event.host == host
    }


def not_met(timeline: Timeline) -> list[tuple[str, tuple]]:
    return [
        (event.predicate, event.found)
        for event in timeline.events
        if isinstance(event, ExpectEvent) and not event.met
    ]


def found(timeline: Timeline, ident: str) -> list[Finding]:
    return [each for each in explain(timeline) if each.id == ident]


def verdicts(timeline: Timeline, prefix: str) -> dict[str, Verdict]:
    return {each.id: each.verdict for each in explain(timeline) if each.id.startswith(prefix)}


# --- a SYN that is never acknowledged -----------------------------------------------------------


def unanswered(family: Family, rootless: bool | None, retries: int, times: int) -> list[Timeline]:
    scenario = no_ack(retries, version=family.value)
    return [
        play(scenario, command=(), family=family, rootless=rootless if n == 0 else None)
        for n in range(times)
    ]


@every_family
@rootless_or_not
def test_the_server_waits_repeats_and_gives_up(family, rootless):
    (timeline,) = forked(unanswered, family, rootless, 1, 1)
    assert not_met(timeline) == []
    assert course(timeline) == [
        ("a", "server listen() 0", State.CLOSED, State.LISTEN),
        ("a", "client [SYN]", State.LISTEN, State.SYN_RECEIVED),
        ("a", "server [SYN, ACK]", State.SYN_RECEIVED, State.SYN_RECEIVED),
        ("a", "server [SYN, ACK]", State.SYN_RECEIVED, State.SYN_RECEIVED),
    ]
    changes = [
        (event.old, event.new, event.cause)
        for event in timeline.events
        if isinstance(event, StateEvent) and event.host == "server"
    ]
    assert changes[-1] == (State.SYN_RECEIVED, State.CLOSED, None)
    # The client's kernel was silent all the time, and had no socket.
    assert {(before, after) for *_, before, after in course(timeline, "client")} == {
        (State.CLOSED, State.CLOSED)
    }
    assert "TcpOutRsts" not in counted(timeline, "client")
    assert "TcpAttemptFails" not in counted(timeline)
    assert verdicts(timeline, "open.given-up") == {"open.given-up": Verdict.YES}
    (told,) = found(timeline, "open.given-up")
    assert "tcp_synack_retries is 1 here, and 5 by default." in str(told.sentence)
    assert "TCPTimeouts counted 2." in str(told.sentence)


def waits_ns(timeline: Timeline) -> list[int]:
    """From each SYN, ACK to the next, and from the last to the end."""
    sent = [event.at_ns for event in timeline.segments() if event.sender == "server"]
    (end,) = [
        event.at_ns
        for event in timeline.events
        if isinstance(event, StateEvent) and event.new is State.CLOSED and event.cause is None
    ]
    return [after - before for before, after in pairwise([*sent, end])]


def patient() -> Timeline:
    """A run in which no wait was lengthened: no timer is early, but a machine may be late."""

    def late(timeline: Timeline) -> bool:
        nominal_ns = (SECOND_NS, 2 * SECOND_NS, 4 * SECOND_NS)
        pairs = zip(waits_ns(timeline), nominal_ns, strict=False)
        return any(wait_ns > at_least_ns + LATE_NS for wait_ns, at_least_ns in pairs)

    scenario = no_ack(2)
    return undisturbed(
        lambda rootless: play(scenario, command=(), rootless=rootless), late, rootless=True
    )


def test_it_waits_twice_as_long_each_time():
    waits = waits_ns(forked(patient))
    assert [round(wait_ns / SECOND_NS) for wait_ns in waits] == [1, 2, 4]
    assert lasts_s(2) == 1 + 2 + 4


@every_family
@pytest.mark.repeats
@pytest.mark.slow
def test_the_course_of_giving_up_is_the_same_each_time(family):
    timelines = forked(unanswered, family, True, 0, RUNS)
    assert [not_met(each) for each in timelines] == [[]] * RUNS
    assert len({tuple(course(each)) for each in timelines}) == 1


# --- the cookie ---------------------------------------------------------------------------------


def asked(family: Family, cookies: Cookies, rootless: bool | None, times: int) -> list[Timeline]:
    """Runs in which no SYN, ACK of those that fill the queue fell due again."""
    scenario = cookie(cookies, version=family.value)
    return [
        undisturbed(
            lambda rootless: play(scenario, command=(), family=family, rootless=rootless),
            lasted_as_long_as_a_syn,
            rootless=rootless if n == 0 else None,
        )
        for n in range(times)
    ]


def within_a_minute(family: Family, cookies: Cookies) -> Timeline:
    """One run; again if the kernel's minute changed in it, since cookies then differ by that."""
    for n in range(MINUTES):
        (timeline,) = asked(family, cookies, True if n == 0 else None, 1)
        if Verdict.INCONCLUSIVE not in verdicts(timeline, "cookie.").values():
            return timeline
    raise AssertionError(f"the minute changed in {MINUTES} runs of {MINUTES}")


LISTENING = (State.LISTEN, State.LISTEN)
OUT_OF_NOTHING = (State.LISTEN, State.ESTABLISHED)


@every_family
@when_cookies
@rootless_or_not
def test_the_trace_of_cookies_is_the_same_each_time(family, cookies, rootless):
    timelines = forked(asked, family, cookies, rootless, RUNS)
    assert [not_met(each) for each in timelines] == [[]] * RUNS
    traces = {tuple(course(each)) for each in timelines}
    assert len(traces) == 1
    (trace,) = traces
    of_cookies = [(what, states) for conn, what, *states in trace if conn not in FILLERS]
    assert [tuple(states) for what, states in of_cookies if what.startswith("client [ACK]")] == [
        LISTENING,
        OUT_OF_NOTHING,
        OUT_OF_NOTHING,
    ]
    assert {tuple(states) for what, states in of_cookies if "[SYN]" in what} == {LISTENING}
    assert {tuple(states) for what, states in of_cookies if "[SYN, ACK" in what} == {LISTENING}
    assert [tuple(states) for what, states in of_cookies if "[RST" in what] == [LISTENING]


@every_family
@when_cookies
def test_the_kernel_counts_cookies(family, cookies):
    (timeline,) = forked(asked, family, cookies, True, 1)
    counters = counted(timeline)
    assert counters["SyncookiesSent"] == 6
    assert counters["SyncookiesRecv"] == 2
    assert counters["SyncookiesFailed"] == 1
    assert counters["TcpOutRsts"] == 1
    assert "TcpOutRsts" not in counted(timeline, "client")


@every_family
def test_two_cookies_tell_what_was_added(family):
    timeline = forked(within_a_minute, family, Cookies.ALWAYS)
    same, isn, size = (
        found(timeline, name)[0] for name in ("cookie.same", "cookie.isn", "cookie.mss")
    )
    numbers = [
        event.segment.seq
        for event in timeline.segments(PROBE)
        if event.segment.flags == Flags.SYN | Flags.ACK
    ]
    assert len(numbers) == 4
    assert {same.verdict, isn.verdict, size.verdict} == {Verdict.YES}
    first, *others = numbers
    index = 3 if family is Family.IPV4 else 2
    assert [number - first for number in others][:2] == [0, 1000]
    # The hash has 24 bits, and may wrap in them.
    assert (others[2] - first) % 2**24 == -index % 2**24


@every_family
def test_what_the_cookie_keeps(family):
    timeline = forked(within_a_minute, family, Cookies.ON)
    kinds = {conn: _answer_options(timeline, conn) for conn in (BARE, FULL)}
    assert kinds[BARE] == {MaximumSegmentSize}
    assert kinds[FULL] == {MaximumSegmentSize, SackPermitted, Timestamps, WindowScale}
    assert verdicts(timeline, "cookie.") | {"cookie.mss": Verdict.YES} == dict.fromkeys(
        (
            *("cookie.no-socket", "cookie.same", "cookie.isn", "cookie.mss", "cookie.forged"),
            *("cookie.established", "cookie.bare", "cookie.timestamps"),
        ),
        Verdict.YES,
    )
    (bits,) = found(timeline, "cookie.timestamps")
    (client,) = [
        option.shift
        for event in timeline.segments(FULL)
        if event.segment.flags & Flags.SYN and event.sender == "client"
        for option in event.segment.options
        if isinstance(option, WindowScale)
    ]
    assert f"which is window scale {client}, SACK, ECN." in str(bits.sentence)
    kept = "1300" if family is Family.IPV4 else "1420"
    assert f"the cookie kept {kept} (observed)" in str(found(timeline, "cookie.bare")[0].sentence)


def _answer_options(timeline: Timeline, conn: str) -> set[type]:
    """The kinds of option that the server's SYN, ACK has, but for padding."""
    (answer,) = [
        event
        for event in timeline.segments(conn)
        if isinstance(event, SegmentEvent) and event.segment.flags & Flags.SYN
        if event.sender == "server"
    ]
    known = (MaximumSegmentSize, SackPermitted, Timestamps, WindowScale)
    return {type(option) for option in answer.segment.options if isinstance(option, known)}


@when_cookies
def test_what_holds_a_place_in_the_queue_waits_for_its_ack(cookies):
    (timeline,) = forked(asked, Family.IPV4, cookies, True, 1)
    waiting = {conn: lane(event, "server").after for event in timeline.segments()
               if (conn := event.conn) in FILLERS}  # fmt: skip
    full = cookies is Cookies.ON
    assert waiting == (dict.fromkeys(FILLERS, State.SYN_RECEIVED) if full else {})


def test_findings_of_a_probe_claim_no_connection():
    (timeline,) = forked(asked, Family.IPV4, Cookies.ALWAYS, True, 1)
    first = min(event.i for event in timeline.segments(BARE))
    about_probe = {each.id for each in explain(timeline) if each.events and each.events[-1] < first}
    assert not about_probe & {"open.three-way", "open.states", "open.options", "close.abort"}
    assert "cookie.same" in about_probe


@pytest.mark.parametrize("scenario", [no_ack(), cookie()], ids=lambda scenario: scenario.name)
def test_it_is_for_the_testbed_alone(scenario):
    assert tier(scenario) is Tier.DISRUPT
