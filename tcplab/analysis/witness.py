"""Two witnesses of one run: do the kernel's tracepoints tell the same as sock_diag?

How the transitions of sock:inet_sock_set_state relate to the states that sock_diag shows (measured
on Linux 6.18, IPv4 and IPv6):

- They come in the same order and, but for the four cases below, at the same moments.
- SYN-RECEIVED of a passive open is a request socket, which has no transitions. When the handshake's
  ACK makes the connection's own socket, LISTEN → SYN-RECEIVED and SYN-RECEIVED → ESTABLISHED are
  traced at once. A request that is reset or times out is never traced. (In a simultaneous open
  SYN-RECEIVED belongs to a full socket and is traced on time.)
- There is no TIME-WAIT: a socket that enters it is traced as going to CLOSE, for the kernel
  replaces it by a small timewait socket, and the end of those 60 s is not traced.
- FIN-WAIT-2 → CLOSE is traced as soon as FIN-WAIT-2 is reached if the application has closed the
  socket: the timewait socket then waits for the FIN as well, and sock_diag goes on to show
  FIN-WAIT-2. After shutdown() it is traced when the peer's FIN arrives, or at the later close().
- One segment can cause two transitions between two looks: FIN, ACK in FIN-WAIT-1 passes through
  FIN-WAIT-2, and FIN, ACK in SYN-RECEIVED through ESTABLISHED.
- A connect() that finds no port free enters SYN-SENT and leaves it again before it returns
  (net/ipv4/tcp_ipv4.c, tcp_v4_connect), so that no look ever shows it.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.wording import end, walked
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, Source, StateEvent
from tcplab.timeline.timeline import Stack


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding for each end that is a kernel's, if the run was traced.

    Nothing where several connections had the same addresses: tracepoints tell no more than those.
    """
    traced = [
        event
        for event in conversation.timeline.events
        if isinstance(event, StateEvent) and event.source is Source.TRACEPOINT
    ]
    if not traced or _shares_addresses(conversation):
        return
    failed = {
        event.i
        for event in conversation.timeline.events
        if isinstance(event, CallEvent)
        and event.name == "connect"
        and event.result not in ("0", "EINPROGRESS")
    }
    own = [
        event
        for event in traced
        if event.conn == conversation.conn and event.cause not in failed and not _listens(event)
    ]
    for host in ("client", "server"):
        if conversation.stack(host) is Stack.KERNEL:
            yield _compared(conversation, host, [each for each in own if each.host == host])


def _shares_addresses(conversation: Conversation) -> bool:
    """Did another connection of the run have the same two addresses and ports?"""
    conns = {
        event.conn
        for event in conversation.timeline.segments()
        if any(
            {event.segment.src, event.segment.dst} == {each.segment.src, each.segment.dst}
            for each in conversation.segments[:1]
        )
    }
    return len(conns) > 1


def _listens(event: StateEvent) -> bool:
    """Is that a listener of its own, such as a shield, and no end of a connection?"""
    return {event.old, event.new} == _LISTENER


def _compared(conversation: Conversation, host: str, traced: Sequence[StateEvent]) -> Finding:
    path = conversation.path(host)
    closed = any(
        isinstance(event, CallEvent) and event.host == host and event.name in ("close", "abort")
        for event in conversation.timeline.events
    )
    expected = expected_transitions(path, closed=closed)
    found = [(event.old, event.new) for event in traced]
    if found == expected:
        verdict = Verdict.YES
        sentence = Text(
            "The {host}'s kernel says the same through its tracepoints: {count} transitions, none "
            "missing, none extra.",
            host=end(host),
            count=len(found),
        )
    else:
        verdict = Verdict.NO
        sentence = Text(
            "The {host}'s tracepoints and its sockets disagree: traced were {traced}, but {path} "
            "was observed.",
            host=end(host),
            traced=", ".join(f"{old} → {new}" for old, new in found) or "-",
            path=walked(path),
        )
    return Finding(
        id=f"trace.{host}",
        verdict=verdict,
        sentence=sentence,
        events=tuple(event.i for event in traced),
    )


def expected_transitions(
    states: Sequence[State], *, closed: bool = False
) -> list[tuple[State, State]]:
    """The transitions that must be traced for an end that went through these observed states.

    `states` are what sock_diag showed, one after another; repeated ones are fine. `closed` says
    that the application has closed the socket by the end of them; it matters only if they end in
    FIN-WAIT-2. One case cannot be told from the states: an ACK of the FIN that also carries data
    for a socket already closed passes through FIN-WAIT-2 to CLOSE, while a reset in FIN-WAIT-1
    goes there directly; the reset is assumed.
    """
    expected: list[tuple[State, State]] = []
    requested = False  # is SYN-RECEIVED that of a request socket?
    for old, new in pairwise(states):
        if new is State.SYN_RECEIVED and old is not new:
            requested = old is not State.SYN_SENT
        if old is State.SYN_RECEIVED and requested:
            if new in _CONNECTED:
                expected += pairwise((State.LISTEN, *_passing(old, new)))
        elif not (new is State.SYN_RECEIVED and requested) and {old, new} != _LISTENER:
            expected += pairwise(_passing(old, new))
    if closed and states and states[-1] is State.FIN_WAIT_2:
        expected.append((State.FIN_WAIT_2, State.CLOSED))
    return expected


_LISTENER = {State.CLOSED, State.LISTEN}
_CONNECTED = {State.ESTABLISHED, State.CLOSE_WAIT}
_BETWEEN = {
    (State.LISTEN, State.ESTABLISHED): State.SYN_RECEIVED,  # a SYN cookie: no request socket at all
    (State.SYN_RECEIVED, State.CLOSE_WAIT): State.ESTABLISHED,
    (State.FIN_WAIT_1, State.TIME_WAIT): State.FIN_WAIT_2,
}


def _passing(old: State, new: State) -> list[State]:
    """The states that a full socket is traced in on its way from `old` to `new`."""
    between = _BETWEEN.get((old, new))
    way = (old, new) if between is None else (old, between, new)
    traced: list[State] = []
    for state in way:
        shown = State.CLOSED if state is State.TIME_WAIT else state
        if shown not in traced:
            traced.append(shown)
    return traced
