"""A host whose TCP is tcplab's own: its segments are crafted with Scapy, a shield keeps the kernel
out.
"""

import errno
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import assert_never

from tcplab.errors import TcplabError, UnavailableError
from tcplab.scenario.steps import (
    Abort,
    Accept,
    Call,
    Close,
    Connect,
    Listen,
    Read,
    Send,
    Shutdown,
)
from tcplab.tcp.endpoint import Endpoint
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.testbed.host import Flow, Look, Outcome
from tcplab.text import Text
from tcplab.timeline.events import Source
from tcplab.timeline.timeline import Stack
from tcplab.wire import codec
from tcplab.wire.frame import Frame, IcmpError
from tcplab.wire.permit import Permit
from tcplab.wire.raw_socket import RawSocket
from tcplab.wire.shield import Shield

_ETHERNET_MTU = 1500
_HELD_OPEN = frozenset(
    {State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT, State.CLOSING}
)


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
    ) -> None:
        self.name = name
        self.ip = ip
        self._inside = inside
        self._interface = interface
        self._permit = permit
        self._mss_octets = mtu_octets - (60 if ":" in ip else 40)
        self._shields: dict[int, Shield] = {}
        self._endpoints: dict[Flow, Endpoint] = {}
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
        """A call to tcplab's own TCP (RFC 9293 §3.9.1), as if it were a socket's."""
        if isinstance(call, Connect | Listen):
            self._endpoints[flow] = self._make(flow)
        try:
            outcome = _perform(self._endpoints[flow], call, time.monotonic_ns())
        except OSError as refusal:
            return Outcome(result=errno.errorcode.get(refusal.errno or 0, str(refusal.errno)))
        self._transmit(flow)
        return outcome

    def _make(self, flow: Flow) -> Endpoint:
        local, remote = flow.seen_from(self.name)
        if local.port not in self._shields:
            self.reserve(local.port)
        return Endpoint(
            local=local,
            remote=remote,
            isn=Seq(int.from_bytes(os.urandom(4))),
            mss_octets=self._mss_octets,
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
            return UnavailableError(
                Text("This machine's own firewall does not let the packets out."),
                remedy=Text("See its rules: sudo nft list ruleset"),
            )
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

    def is_under_way(self, flow: Flow, seq: Seq) -> bool:
        """Has `seq` been sent, and not been acknowledged yet?"""
        endpoint = self._endpoints.get(flow)
        return endpoint is not None and endpoint.snd_una <= seq < endpoint.snd_nxt

    def abort_all(self) -> None:
        """Reset every connection that the peer may still hold open."""
        for flow, endpoint in self._endpoints.items():
            if endpoint.state in _HELD_OPEN:
                endpoint.abort(time.monotonic_ns())
                with suppress(TcplabError):  # this is the end: who may not send any more does not
                    self._transmit(flow)

    def acknowledged(self, flow: Flow) -> bool:
        """Has the peer acknowledged all that was sent? A connection that is gone waits for
        nothing.
        """
        endpoint = self._endpoints[flow]
        return endpoint.state is State.CLOSED or endpoint.snd_una == endpoint.snd_nxt

    def counters(self) -> Mapping[str, int]:
        """None: this TCP is not the kernel's."""
        return {}

    def close(self) -> None:
        """Give every socket back; the kernel then knows nothing of the connections."""
        self._open.close()


def _perform(endpoint: Endpoint, call: Call, now_ns: int) -> Outcome:
    match call:
        case Listen():
            endpoint.listen()
        case Connect():
            endpoint.open(now_ns)
        case Accept():
            if not endpoint.state.synchronized:
                return Outcome(result=errno.errorcode[errno.EAGAIN])
        case Send(data):
            endpoint.send(data, now_ns)
            return Outcome(result=str(len(data)))
        case Read(octets):
            return _read(endpoint, octets)
        case Shutdown():
            endpoint.shutdown(now_ns)
        case Close():
            endpoint.close(now_ns)
        case Abort():
            endpoint.abort(now_ns)
        case _:
            assert_never(call)
    return Outcome(result="0")


def _read(endpoint: Endpoint, octets: int) -> Outcome:
    data = endpoint.read(octets)
    if data or endpoint.eof:
        return Outcome(result=str(len(data)), data=data)
    return Outcome(result=endpoint.error or errno.errorcode[errno.EAGAIN])
