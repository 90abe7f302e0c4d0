"""An AF_PACKET socket: sees and sends whole frames on one interface (man 7 packet)."""

import errno
import socket
import time
from dataclasses import dataclass, replace
from struct import pack, unpack, unpack_from

from tcplab.wire.aside import close_aside
from tcplab.wire.burst.path import BatchPermit
from tcplab.wire.filters import attach_filter
from tcplab.wire.frame import Frame, FrameError, Link, contradictory, decode

_SOL_PACKET = 263
_ADD_MEMBERSHIP, _STATISTICS, _AUXDATA, _QDISC_BYPASS, _IGNORE_OUTGOING = 1, 6, 8, 20, 23
_PROMISCUOUS = 1  # PACKET_MR_PROMISC
_SO_TIMESTAMPNS = 35
_OUTGOING = 4  # PACKET_OUTGOING
_CHECKSUM_NOT_READY = 1 << 3  # TP_STATUS_CSUMNOTREADY
_EVERY_PROTOCOL = 0x0003  # ETH_P_ALL
_RECEIVE_BUFFER = 4 << 20
_LONGEST = 65536 + 64
_CLOCK_READINGS = 4
_AT_ONCE = 512  # frames: somebody may send faster than they are decoded
_LINKS = {1: Link.ETHERNET, 772: Link.ETHERNET}  # ARPHRD_ETHER, ARPHRD_LOOPBACK
_BARE = frozenset({65534, 512, 768, 769, 776, 778, 823})
"""Links that carry bare IP: ARPHRD_NONE (tun, WireGuard), PPP, TUNNEL, TUNNEL6, SIT, IPGRE,
IP6GRE.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A frame that passed `interface` at `at_ns` (monotonic). `outgoing`: this host sent it."""

    interface: str
    at_ns: int
    frame: Frame
    outgoing: bool


def link_of(hardware_type: int) -> Link | None:
    """What precedes the IP header on interfaces of this ARPHRD type; None if tcplab cannot tell."""
    if hardware_type in _BARE:
        return Link.NONE
    return _LINKS.get(hardware_type)


class PacketSocket:
    """Frames in and out of `interface`, in the network namespace in which this is made.

    Without an `interface`, in and out of all that there are in that namespace. One such socket is
    better than one an interface: its frames come in the order in which they were sent, and to close
    a packet socket takes the kernel an RCU grace period, 10 ms or more.

    `filter_` is a classic BPF program, attached before the socket is bound so that nothing else
    ever gets in. With `ignore_outgoing` frames that this host itself sends are not seen. With
    `promiscuous` the interface also takes frames for other MAC addresses, for this socket alone.
    """

    def __init__(
        self,
        interface: str | None,
        permit: BatchPermit,
        *,
        link: Link = Link.ETHERNET,
        ignore_outgoing: bool = True,
        filter_: bytes | None = None,
        promiscuous: bool = False,
    ) -> None:
        self._link = link
        self._permit = permit
        self._lost = 0
        self._ways_out: dict[str, socket.socket] = {}
        self._socket = socket.socket(
            socket.AF_PACKET,
            socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
            socket.htons(_EVERY_PROTOCOL) if interface is None else 0,
        )
        try:
            permit.check_socket(self._socket)
            self._prepare(ignore_outgoing)
            if filter_ is not None:
                attach_filter(self._socket, filter_)
            if interface is not None:
                self._socket.bind((interface, _EVERY_PROTOCOL))
                self._ways_out[interface] = self._socket
                if promiscuous:
                    member = pack("=iHH8x", socket.if_nametoindex(interface), _PROMISCUOUS, 0)
                    self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, member)
        except BaseException:
            self._socket.close()
            raise

    def _prepare(self, ignore_outgoing: bool) -> None:
        packet = self._socket
        packet.setsockopt(_SOL_PACKET, _AUXDATA, 1)
        packet.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, int(ignore_outgoing))
        # Without the bypass the first frames may die in noop_qdisc: a veth's queue is activated by
        # the kernel's link watch some milliseconds after the link came up.
        packet.setsockopt(_SOL_PACKET, _QDISC_BYPASS, 1)
        packet.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        packet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)

    def fileno(self) -> int:
        """The descriptor, for select."""
        return self._socket.fileno()

    def leave_by(self, interface: str) -> None:
        """Open a way out by that interface of the namespace that this thread is in.

        It is tied to the device that has this name now, whatever becomes of name and index: when
        that is moved or removed, nothing passes any more (net/packet/af_packet.c,
        packet_notifier). The permit has the last word, at each send.
        """
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            self._permit.check_socket(made)
            made.setsockopt(_SOL_PACKET, _QDISC_BYPASS, 1)
            made.bind((interface, 0))  # protocol 0: it hears nothing
        except BaseException:
            made.close()
            raise
        former = self._ways_out.pop(interface, None)
        self._ways_out[interface] = made
        if former is not None:
            close_aside(former.close)

    def send(self, frame: Frame, interface: str) -> None:
        """Put a frame on a link: that which this is bound to, or one that it may `leave_by`. On a
        veth the receiver has processed it when this returns.
        """
        way_out = self._ways_out[interface]
        self._permit.check(frame.dst_ip)
        way_out.send(frame.octets)

    def take(self) -> list[Seen]:
        """The frames that have come since the last call, without waiting; a part if they are many.

        A frame that contradicts itself is seen without a segment. Link-down is reported by the
        kernel once, as ENETDOWN; the socket lives on and works again when the link does.
        """
        seen: list[Seen] = []
        realtime_ahead_ns: int | None = None
        while len(seen) < _AT_ONCE:
            try:
                octets, ancillary, _flags, origin = self._socket.recvmsg(_LONGEST, 128)
            except BlockingIOError:
                return _in_order(seen)
            except OSError as failure:
                if failure.errno == errno.ENETDOWN:
                    return _in_order(seen)
                raise
            if realtime_ahead_ns is None:
                realtime_ahead_ns = _realtime_ahead_ns()
            at_ns, summed = _stamp(ancillary)
            try:
                frame = decode(octets, link=self._link, summed=summed)
            except FrameError:
                frame = contradictory(octets, link=self._link)
            seen.append(
                Seen(
                    interface=origin[0],
                    at_ns=at_ns - realtime_ahead_ns,
                    frame=frame,
                    outgoing=origin[2] == _OUTGOING,
                )
            )
        return _in_order(seen)

    def lost(self) -> int:
        """How many frames the kernel had no room for, since the socket was made."""
        statistics = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)
        self._lost += int(unpack("=II", statistics)[1])  # reading resets the kernel's count
        return self._lost

    def close(self) -> None:
        """Give the socket back, without waiting for the kernel's grace period."""
        for each in {self._socket, *self._ways_out.values()}:
            close_aside(each.close)


def _realtime_ahead_ns() -> int:
    """How far CLOCK_REALTIME, in which SO_TIMESTAMPNS counts, is ahead of the monotonic clock now.

    Measured anew for each batch, since the realtime clock may step. This process may be put aside
    between two readings, so the closest pair of a few counts.
    """
    closest_ns = ahead_ns = 0
    for attempt in range(_CLOCK_READINGS):
        before_ns = time.monotonic_ns()
        realtime_ns = time.time_ns()
        apart_ns = time.monotonic_ns() - before_ns
        if attempt == 0 or apart_ns < closest_ns:
            closest_ns, ahead_ns = apart_ns, realtime_ns - before_ns - apart_ns // 2
    return ahead_ns


def _in_order(seen: list[Seen]) -> list[Seen]:
    """The frames, none stamped later than the one behind it in the queue.

    The kernel turns timestamps on in a work queue (net/core/dev.c, netstamp_wq): the first frames
    after a socket asked for them have none yet and get the time at which they are read.
    """
    for at in range(len(seen) - 2, -1, -1):
        if seen[at].at_ns > seen[at + 1].at_ns:
            seen[at] = replace(seen[at], at_ns=seen[at + 1].at_ns)
    return seen


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, bool]:
    """(kernel's realtime ns, are the checksums filled in?)."""
    at_ns, summed = 0, True
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = unpack_from("@ll", data)
            at_ns = seconds * 10**9 + nanoseconds
        elif level == _SOL_PACKET and kind == _AUXDATA:
            summed = not unpack_from("=I", data)[0] & _CHECKSUM_NOT_READY
    return at_ns, summed
