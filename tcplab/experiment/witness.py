"""The kernel's tracepoints as a second witness of a run: their events join its timeline (root
only).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import assert_never

from tcplab.kernel.tracefs import Tracing
from tcplab.kernel.tracepoints import Drop, Reset, Retransmission, Traced, Transition
from tcplab.tcp.segment import Address
from tcplab.testbed.flows import UNCHOSEN
from tcplab.testbed.host import Flow
from tcplab.timeline.events import (
    CallEvent,
    Event,
    ReasonEvent,
    SegmentEvent,
    Source,
    StateEvent,
)
from tcplab.timeline.timeline import effect_ns

_PASSER_BY = "OTHERHOST"  # the wire's own stack, which sees every frame and takes none
_ROUNDING_NS = 500  # the kernel prints microseconds


class TracefsWitness:
    """Watches the tracepoints of a run's connections, and testifies when asked.

    The kernel traces every network namespace, and filters by port alone: a scan that another run
    makes meanwhile passes every port. So what is not between the very ends of one of the `flows` is
    none of this run's. Ends of which a kernel chose the port are known by their segments;
    before that, in connect() itself, they have port 0 and are the caller's.
    """

    def __init__(self, tracing: Tracing, flows: Mapping[str, Flow]) -> None:
        self._tracing = tracing
        self._unchosen = {conn for conn, flow in flows.items() if flow.client.port == UNCHOSEN}
        self._owners: dict[tuple[Address, Address], tuple[str, str]] = {}
        for conn, flow in flows.items():
            if conn not in self._unchosen:
                self._own(conn, flow.client, flow.server)
        self._portless = {(flows[conn].client, flows[conn].server) for conn in self._unchosen}

    def _own(self, conn: str, client: Address, server: Address) -> None:
        self._owners[client, server] = conn, "client"
        self._owners[server, client] = conn, "server"

    def testimony(self, events: Sequence[Event], began_ns: int) -> list[Event]:
        """What was traced, as events whose causes are those of `events` that were under way then.

        `began_ns` is the monotonic time at which the timeline's clock stood at 0.
        """
        acts = sorted(
            (effect_ns(event), event.i)
            for event in events
            if isinstance(event, CallEvent | SegmentEvent)
        )
        actors = {
            event.i: event.receiver if isinstance(event, SegmentEvent) else event.host
            for event in events
            if isinstance(event, CallEvent | SegmentEvent)
        }
        for event in events:
            if (
                isinstance(event, SegmentEvent)
                and event.sender == "client"
                and event.conn in self._unchosen
            ):
                self._own(event.conn, event.segment.src, event.segment.dst)
        callers = {event.i: event for event in events if isinstance(event, CallEvent)}
        testified: list[Event] = []
        for traced in self._tracing.read():
            if not self._is_ours(traced):
                continue
            at_ns = traced.at_ns - began_ns
            earlier = [i for act_ns, i in acts if act_ns <= at_ns + _ROUNDING_NS]
            cause = earlier[-1] if earlier else None
            actor = "server" if cause is None else actors[cause]
            if not isinstance(traced, Drop) and (traced.local, traced.remote) in self._portless:
                caller = None if cause is None else callers.get(cause)
                if caller is None or caller.name != "connect":
                    continue  # another run's: the addresses of all testbeds are the same
                self._own(caller.conn, traced.local, traced.remote)
            testified.append(self._event(traced, at_ns, cause, actor))
        return testified

    @property
    def lost(self) -> int:
        """How many traced events the kernel had no room for."""
        return self._tracing.lost

    def _event(self, traced: Traced, at_ns: int, cause: int | None, actor: str) -> Event:
        match traced:
            case Transition(old=old, new=new):
                conn, host = self._owner(traced)
                return StateEvent(
                    i=0,
                    at_ns=at_ns,
                    cause=cause,
                    host=host,
                    conn=conn,
                    old=old,
                    new=new,
                    source=Source.TRACEPOINT,
                )
            case Reset(sent=sent, reason=reason):
                kind, host = "reset", self._owner(traced)[1]
                word = reason or ("sent" if sent else "received")
            case Retransmission(state=state):
                kind, host, word = "retransmit", self._owner(traced)[1], state.value
            case Drop(reason=word):
                kind, host = "drop", actor  # it has no address: whoever was at work then
            case _:
                assert_never(traced)
        return ReasonEvent(i=0, at_ns=at_ns, cause=cause, host=host, kind=kind, word=word)

    def _is_ours(self, traced: Traced) -> bool:
        if isinstance(traced, Drop):
            return traced.reason != _PASSER_BY
        ends = traced.local, traced.remote
        return ends in self._owners or ends in self._portless

    def _owner(self, traced: Transition | Reset | Retransmission) -> tuple[str, str]:
        """(the connection, the host whose end it is)."""
        return self._owners[traced.local, traced.remote]


@contextmanager
def watching(flows: Mapping[str, Flow]) -> Iterator[TracefsWitness]:
    """Trace these connections while inside. Raises PrivilegeError without root, UnavailableError
    without tracefs.
    """
    ports = {flow.client.port or flow.server.port for flow in flows.values()}
    with Tracing.open(frozenset(ports)) as tracing:
        yield TracefsWitness(tracing, flows)
