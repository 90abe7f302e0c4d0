"""The same ports asked in both ways, and what each way did to the server.

Everything here is read off the timelines. What the scenario was meant to show plays no part in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, unique

from tcplab.analysis.scanning.census import PortState, Proof, Rejection
from tcplab.analysis.scanning.report import Method
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.timeline.events import CallEvent, CounterEvent, IcmpEvent, SegmentEvent
from tcplab.timeline.timeline import Timeline, lane


@unique
class Resetter(Enum):
    """Who at the client ended what had begun."""

    KERNEL = "kernel"
    """It has no socket for what the server answered."""
    APPLICATION = "application"
    """It aborted its connection (SO_LINGER 0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One port asked in one way, and what is known of it.

    `to_server` and `to_client` count the segments that either end put on the wire, `reports` the
    ICMP errors; `reached` says that a segment of the client arrived. `server_states` and
    `client_states` are what an end went through, in order (empty: nobody knows), and `observed`
    that the server's were read from its kernel. `syn_received_peak` is how many connections were in
    SYN-RECEIVED there at once. `log` is what the server's application can write into its log: where
    the connections come from that accept() gave it. `counters` are the deltas of its kernel's.
    """

    port: int
    method: Method
    timeline: Timeline
    state: PortState
    proof: Proof
    rejection: Rejection | None
    to_server: int
    to_client: int
    reports: int
    reached: bool
    server_states: tuple[State, ...]
    client_states: tuple[State, ...]
    observed: bool
    syn_received_peak: int
    log: tuple[Address, ...]
    counters: Mapping[str, int]
    reset_by: Resetter | None

    @property
    def segments(self) -> int:
        """On the wire, both ways."""
        return self.to_server + self.to_client


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One port, asked in both ways."""

    port: int
    syn: Exchange
    connect: Exchange

    def __iter__(self) -> Iterator[Exchange]:
        return iter((self.syn, self.connect))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both scans of a few ports. `partial` says that it was ended before its end; then the last
    port may be missing.
    """

    pairs: tuple[Pair, ...]
    partial: bool = False

    @property
    def drops(self) -> int:
        """Frames that captures lost; above 0 nothing is proved."""
        return sum(each.timeline.drops for pair in self.pairs for each in pair)

    def of(self, method: Method) -> tuple[Exchange, ...]:
        """All exchanges of that scan."""
        return tuple(each for pair in self.pairs for each in pair if each.method is method)


def exchange(timeline: Timeline, port: int, method: Method) -> Exchange:
    """What the timeline of one port tells."""
    segments = [each for each in timeline.segments() if _is_about(each, port)]
    state, proof, rejection = _found(timeline, segments, method)
    server, observed = _states(timeline, "server")
    client, _ = _states(timeline, "client")
    return Exchange(
        port=port,
        method=method,
        timeline=timeline,
        state=state,
        proof=proof,
        rejection=rejection,
        to_server=sum(each.sender == "client" for each in segments),
        to_client=sum(each.sender == "server" for each in segments),
        reports=sum(isinstance(event, IcmpEvent) for event in timeline.events),
        reached=any(e.sender == "client" and e.delivered_ns is not None for e in segments),
        server_states=server,
        client_states=client,
        observed=observed,
        syn_received_peak=_peak(timeline),
        log=tuple(_accepted(timeline, segments)),
        counters={
            event.name: event.delta
            for event in timeline.events
            if isinstance(event, CounterEvent) and event.host == "server"
        },
        reset_by=_resetter(timeline, segments),
    )


def _is_about(event: SegmentEvent, port: int) -> bool:
    return port in (event.segment.src.port, event.segment.dst.port)


# --- what the scanner learns --------------------------------------------------------------------


def _found(
    timeline: Timeline, segments: list[SegmentEvent], method: Method
) -> tuple[PortState, Proof, Rejection | None]:
    """The port's state, as the scanner can tell it from what came back to it."""
    answer = _by_call(timeline) if method is Method.CONNECT else None
    answer = answer or _by_segment(segments, method)
    report = next((each for each in timeline.events if isinstance(each, IcmpEvent)), None)
    if answer is not None and (report is None or answer[0] is PortState.OPEN):
        return *answer, None
    if report is None:
        return PortState.FILTERED, Proof.NOTHING, None
    rejection = Rejection(
        version=report.version, type=report.type, code=report.code, reporter=report.reporter
    )
    return PortState.REJECTED, Proof.ICMP, rejection


_Answer = tuple[PortState, Proof]
_OUTCOMES: dict[str, _Answer] = {
    "0": (PortState.OPEN, Proof.CONNECTED),
    "ECONNREFUSED": (PortState.CLOSED, Proof.REFUSED),
}


def _by_call(timeline: Timeline) -> _Answer | None:
    """What connect() said; None if nothing, or nothing that tells the port's state."""
    for event in timeline.events:
        if isinstance(event, CallEvent) and event.name == "connect" and event.result in _OUTCOMES:
            return _OUTCOMES[event.result]
    return None


def _by_segment(segments: list[SegmentEvent], method: Method) -> _Answer | None:
    """What the first segment that came back says; of a connect scan it is all there is where the
    calls were not seen.
    """
    connects = method is Method.CONNECT
    for event in segments:
        if event.sender == "client" or event.delivered_ns is None:
            continue
        if event.segment.has(Flags.RST):
            return PortState.CLOSED, Proof.REFUSED if connects else Proof.RST
        if event.segment.has(Flags.SYN | Flags.ACK):
            return PortState.OPEN, Proof.CONNECTED if connects else Proof.SYN_ACK
    return None


# --- what the server goes through ---------------------------------------------------------------


def _states(timeline: Timeline, host: str) -> tuple[tuple[State, ...], bool]:
    """The states of that end, one after the other from the first segment on; and whether a kernel
    told them. Of several connections the one that went through most counts.
    """
    courses: dict[str, list[State]] = {}
    observed = True
    for event in timeline.told():
        looked = lane(event, host)
        if looked is None or (isinstance(event, CallEvent) and event.name == "listen"):
            continue
        observed = observed and looked.source.observed
        course = courses.setdefault(event.conn, [looked.before])
        for state in (looked.before, looked.after):
            if state is not course[-1]:
                course.append(state)
    longest = max(courses.values(), key=len, default=[])
    return tuple(longest), observed and bool(courses)


def _peak(timeline: Timeline) -> int:
    """The most connections in SYN-RECEIVED at the server at once, as it was looked at."""
    now: dict[str, State] = {}
    peak = 0
    for event in timeline.told():
        looked = lane(event, "server")
        if looked is not None:
            for state in (looked.before, looked.after):
                now[event.conn] = state
                peak = max(peak, sum(each is State.SYN_RECEIVED for each in now.values()))
    return peak


def _accepted(timeline: Timeline, segments: list[SegmentEvent]) -> Iterator[Address]:
    """From where the connections are that accept() returned."""
    accepts = (
        event
        for event in timeline.events
        if isinstance(event, CallEvent) and (event.host, event.name) == ("server", "accept")
    )
    for accept in accepts:
        if accept.result == "0":
            yield next(
                each.segment.src
                for each in segments
                if each.conn == accept.conn and each.sender == "client"
            )


def _resetter(timeline: Timeline, segments: list[SegmentEvent]) -> Resetter | None:
    """Who at the client sent the RST: its cause is a segment that came, or a call."""
    for event in segments:
        if event.sender == "client" and event.segment.has(Flags.RST) and event.cause is not None:
            cause = timeline.events[event.cause]
            return Resetter.APPLICATION if isinstance(cause, CallEvent) else Resetter.KERNEL
    return None
