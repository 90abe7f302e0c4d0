"""A host whose TCP is tcplab's own: its segments are crafted with Scapy, a shield keeps the kernel
out.
"""

import errno
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress

from tcplab.errors import TcplabError, UnavailableError
from tcplab.scenario.calls import (
    Abort,
    Call,
    Close,
    Connect,
    Listen,
    Send,
)
from tcplab.tcp.endpoint import Endpoint
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.testbed.crafted_calls import offered, perform
from tcplab.testbed.host import Flow, Look, Outcome
from tcplab.testbed.player import Player
from tcplab.text import Text
from tcplab.timeline.events import Source
from tcplab.timeline.timeline import Stack
from tcplab.wire import codec
from tcplab.wire.frame import Frame, IcmpError
from tcplab.wire.permit import Permit
from tcplab.wire.raw_socket import RawSocket
from tcplab.wire.shield import Shield

_ETHERNET_MTU = 1500


class CraftedHost:
    """One end that crafts every segment it sends. `inside` enters the namespace of its sockets.

    It hears its peer through whoever carries or captures the frames: `settle`, `receive`.
    `interface` is where its packets leave; None if the peer is this machine itself.
    """

    stack = Stack.CRAFTED

    def __init__(
        self,
        name: str,
        ip: str,
        *,
        inside: Callable[[], AbstractContextManager[None]],
        permit: Permit,
        interface: str | None,
        mtu_octets: int = _ETHERNET_MTU,
        rto_min_ms: int = 0,
    ) -> None:
        """`rto_min_ms` above 0 is the least RTO once a round trip is known, as a route's is for a
        kernel.
        """
        self.name = name
        self.ip = ip
        self._inside = inside
        self._interface = interface
        self._permit = permit
        self._mss_octets = mtu_octets - (60 if ":" in ip else 40)
        self._rto_min_ns = rto_min_ms * 1_000_000 or None
        self._shields: dict[int, Shield] = {}
        self._endpoints: dict[Flow, Endpoint] = {}
        self._flows: dict[str, Flow] = {}
        self._read: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._open = ExitStack()
        codec.prepare(ip)
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        with inside():
            self._raw = RawSocket(family, permit, interface=interface)
        self._open.callback(self._raw.close)

    def reserve(self, port: int = 0, *, link: int = 0) -> int:
        """Shield a port (0: one that the kernel chooses) and return it. `link` is the index of the
        interface on which a link-local address means this host.
        """
        with self._inside():
            shield = Shield(self.ip, port, link=link)
        self._open.callback(shield.close)
        self._shields[shield.port] = shield
        return shield.port

    def call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        """A call to tcplab's own TCP (RFC 9293 §3.9.1), as if it were a socket's; ENOTSUP for those
        that it does not offer.
        """
        if not offered(call):
            return Outcome(result=errno.errorcode[errno.ENOTSUP])
        try:
            if isinstance(call, Connect | Listen):
                isn = call.isn if isinstance(call, Connect) else None
                self._endpoints[flow] = self._make(flow, isn)
            if flow not in self._endpoints:
                return Outcome(result=errno.errorcode[errno.EBADF])
            outcome = perform(self._endpoints[flow], call, time.monotonic_ns())
        except OSError as refusal:
            return Outcome(result=errno.errorcode.get(refusal.errno or 0, str(refusal.errno)))
        self._flows[conn] = flow
        if isinstance(call, Close | Abort):
            del self._flows[conn]
        elif isinstance(call, Send):
            self._written[conn] += int(outcome.result)
        self._read[conn] += len(outcome.data)
        self._transmit(flow)
        return outcome

    def pending(self, conn: str) -> str | None:
        """How the connection's OPEN ended; None while it is under way."""
        if conn not in self._flows:
            return errno.errorcode[errno.EBADF]
        endpoint = self._endpoints[self._flows[conn]]
        if endpoint.state in (State.SYN_SENT, State.SYN_RECEIVED):
            return None
        return endpoint.error or "0"

    def progress(self) -> list[tuple[str, str, Outcome]]:
        """Nothing: this TCP has no activities in the background."""
        return []

    @property
    def busy(self) -> bool:
        """Never."""
        return False

    def next_ns(self) -> int | None:
        """Never: see `tick` for the timers."""
        return None

    def watched(self) -> Iterator[tuple[int, int]]:
        """None of its sockets is of interest to whoever waits."""
        return iter(())

    def stop_waiting(self, descriptors: set[int]) -> None:
        """Nobody waits."""

    def octets(self, conn: str) -> tuple[int, int]:
        """(read, written) on that connection."""
        return self._read[conn], self._written[conn]

    def descriptors(self) -> int:
        """How many connections have been begun and not been closed."""
        return len(self._flows)

    def player(self, conn: str) -> Player | None:
        """None: see `progress`."""
        return None

    def keep_out(self, flow: Flow) -> None:
        """A shield, which every connection of this host's own has as well."""
        local, _remote = flow.seen_from(self.name)
        if local.port not in self._shields:
            self.reserve(local.port)

    def _make(self, flow: Flow, isn: int | None) -> Endpoint:
        local, remote = flow.seen_from(self.name)
        self.keep_out(flow)
        return Endpoint(
            local=local,
            remote=remote,
            isn=Seq(int.from_bytes(os.urandom(4)) if isn is None else isn),
            mss_octets=self._mss_octets,
            rto_min_ns=self._rto_min_ns,
        )

    def receive(self, segment: Segment) -> None:
        """A segment has come for this host; its replies leave before this returns."""
        for flow, endpoint in self._endpoints.items():
            if (segment.dst, segment.src) == flow.seen_from(self.name):
                endpoint.receive(segment, time.monotonic_ns())
                self._transmit(flow)

    def refuse(self, flow: Flow, reason: str) -> None:
        """An ICMP error ended the attempt to open; `reason` is the name of the errno."""
        if flow in self._endpoints:
            self._endpoints[flow].hard_error(reason)

    def own_errors(self) -> list[IcmpError]:
        """What this machine's own kernel could not send on."""
        return self._raw.own_errors(self.ip)

    def settle(self, frame: Frame) -> None:
        """Deal with a frame that the wire has put into this host's NIC.

        The kernel saw it too, and its shield discarded it. A segment with a wrong checksum is not
        for anybody (RFC 9293 §3.1).
        """
        if frame.segment is not None and frame.segment.checksum_ok is not False:
            self.receive(frame.segment)

    def tick(self) -> int | None:
        """Do what timers are due; return when the next one is (monotonic ns), or None."""
        now_ns = time.monotonic_ns()
        for flow, endpoint in self._endpoints.items():
            endpoint.tick(now_ns)
            self._transmit(flow)
        timers = [each.next_timer_ns for each in self._endpoints.values()]
        return min((at_ns for at_ns in timers if at_ns is not None), default=None)

    def _transmit(self, flow: Flow) -> None:
        endpoint = self._endpoints[flow]
        for segment in endpoint.take():
            if self._permit.last and endpoint.state.synchronized:
                endpoint.abort(time.monotonic_ns())
                for reset in endpoint.take():
                    self._send(reset)
            self._send(segment)

    def _send(self, segment: Segment) -> None:
        try:
            self._raw.send(codec.craft(segment), segment.dst.ip)
        except OSError as refusal:
            raise self._not_sent(refusal) from refusal

    def _not_sent(self, refusal: OSError) -> UnavailableError:
        if refusal.errno == errno.EPERM:
            from tcplab.testbed.reach import kept_in

            return kept_in()
        interface = self._interface or "lo"
        return UnavailableError(
            Text(
                "{interface} does not send: {why}.",
                interface=interface,
                why=os.strerror(refusal.errno or 0),
            ),
            remedy=Text("See the link: ip link show {interface}", interface=interface),
        )

    def look(self, flow: Flow) -> Look:
        """The state of tcplab's own automaton."""
        endpoint = self._endpoints.get(flow)
        state = endpoint.state if endpoint is not None else State.CLOSED
        return Look(state=state, source=Source.CRAFTED)

    def detail(self, flow: Flow) -> Look:
        """As `look`, with the variables of RFC 9293 §3.3.1 that a reader may want to compare."""
        endpoint = self._endpoints.get(flow)
        if endpoint is None or endpoint.state is State.CLOSED:
            return self.look(flow)
        fields = (("snd_nxt", int(endpoint.snd_nxt)), ("rcv_nxt", int(endpoint.rcv_nxt)))
        return Look(state=endpoint.state, source=Source.CRAFTED, fields=fields)

    def info(self, flow: Flow) -> Mapping[str, int | str]:
        """The variables of `detail`; there is no tcp_info."""
        return dict(self.detail(flow).fields)

    def is_under_way(self, flow: Flow, seq: Seq) -> bool:
        """Has `seq` been sent, and not been acknowledged yet?"""
        endpoint = self._endpoints.get(flow)
        return endpoint is not None and endpoint.snd_una <= seq < endpoint.snd_nxt

    def abort_all(self) -> None:
        """Reset every connection that the peer may still hold open."""
        for flow, endpoint in self._endpoints.items():
            if endpoint.state.reset_by_abort:
                endpoint.abort(time.monotonic_ns())
                with suppress(TcplabError):  # this is the end: who may not send any more does not
                    self._transmit(flow)

    def acknowledged(self, flow: Flow) -> bool:
        """Has the peer acknowledged all that was sent? A connection that is gone waits for
        nothing.
        """
        endpoint = self._endpoints.get(flow)
        return (
            endpoint is None
            or endpoint.state is State.CLOSED
            or endpoint.snd_una == endpoint.snd_nxt
        )

    def counters(self) -> Mapping[str, int]:
        """None: this TCP is not the kernel's."""
        return {}

    def close(self) -> None:
        """Give every socket back; the kernel then knows nothing of the connections."""
        self._open.close()
