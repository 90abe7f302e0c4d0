"""Answers as the kernel writes them into shared memory: a TPACKET_V2 ring (packet_mmap.rst).

The socket is a cooked one (SOCK_DGRAM): packets begin with their IP header, whatever the link is.
"""

import contextlib
import ctypes
import mmap
import os
import socket
from ctypes import addressof, create_string_buffer
from struct import pack, unpack, unpack_from
from threading import Thread

from tcplab.wire.aside import close_aside
from tcplab.wire.filters import attach_filter

_SOL_PACKET = 263
_RX_RING, _STATISTICS, _VERSION, _IGNORE_OUTGOING = 5, 6, 10, 23
_TPACKET_V2 = 1
_EVERY_PROTOCOL = 0x0003  # ETH_P_ALL

SLOT = 192
"""Octets of a slot. No power of two: columns would fall into a few lines of the cache."""
PACKET = 80
"""Where the packet begins: behind struct tpacket2_hdr and struct sockaddr_ll (52 octets, aligned to
64), and 16 more (net/packet/af_packet.c, tpacket_rcv). 112 octets of it fit, which is an ICMPv6
error about a whole probe."""
SNAP = SLOT - PACKET

# struct tpacket2_hdr: status, length, captured length, two offsets, seconds, nanoseconds.
STATUS, LENGTH, CAPTURED, SECONDS, NANOSECONDS = 0, 4, 8, 16, 20
PACKET_TYPE = 32 + 10  # sll_pkttype
OUTGOING = 4

# The lowest octet of tp_status.
CHECKSUM_NOT_READY, CHECKSUM_VALID = 1 << 3, 1 << 7

_UNIT = 12288
"""Slots must fill a block without a rest, or they are not equally spaced: 64 make 3 pages."""
_UNITS_IN_BLOCK = 21  # 63 pages: a block is made of physically adjacent ones, as few as this
_AT_ONCE = 1024  # slots that fit the cache

_libc = ctypes.CDLL(None, use_errno=True)


class Run:
    """Neighbouring slots that the kernel has filled."""

    __slots__ = ("_begin", "_end", "_octets", "count")

    def __init__(self, octets: mmap.mmap, first: int, count: int) -> None:
        self._octets = octets
        self._begin = first * SLOT
        self._end = self._begin + count * SLOT
        self.count = count

    def column(self, at: int) -> bytes:
        """One octet of every slot."""
        return self._octets[self._begin + at : self._end : SLOT]

    def word(self, at: int, octets: int) -> bytes:
        """A field of every slot, one behind the other."""
        found = bytearray(self.count * octets)
        for octet in range(octets):
            found[octet::octets] = self._octets[self._begin + at + octet : self._end : SLOT]
        return bytes(found)

    def packet(self, row: int) -> bytes:
        """The packet in one slot, as much of it as there was room for."""
        begin = self._begin + row * SLOT
        (captured,) = unpack_from("=I", self._octets, begin + CAPTURED)
        return self._octets[begin + PACKET : begin + PACKET + min(captured, SNAP)]

    def length(self, row: int) -> int:
        """How long the packet in one slot was."""
        return int(unpack_from("=I", self._octets, self._begin + row * SLOT + LENGTH)[0])

    def at_ns(self, row: int) -> int:
        """When it was received, by the realtime clock."""
        seconds, nanoseconds = unpack_from("=II", self._octets, self._begin + row * SLOT + SECONDS)
        return int(seconds) * 10**9 + int(nanoseconds)

    def give_back(self) -> None:
        """The slots are the kernel's again.

        The lowest octet of the status is never 0 while a slot is full, so it goes last; the second
        and the highest have bits on some kernels (GSO; a time stamp from elsewhere).
        """
        empty = bytes(self.count)
        for octet in (3, 1, 0):
            self._octets[self._begin + STATUS + octet : self._end : SLOT] = empty


class Ring:
    """Room for `slots` packets (rounded up) that pass the filter `program`.

    With `outgoing` what this host itself sends is heard, too. Made in the network namespace in
    which it hears. Making it takes the kernel an RCU grace period (8-30 ms): that happens in a
    thread, until `open` is called. Raises PermissionError without CAP_NET_RAW, and the kernel's
    OSError.
    """

    def __init__(self, *, slots: int, program: bytes, outgoing: bool) -> None:
        units = -(-slots * SLOT // _UNIT)
        in_block = min(units, _UNITS_IN_BLOCK)
        self._block = in_block * _UNIT
        self._blocks = -(-units // in_block)
        self.slots = self._block * self._blocks // SLOT
        self._next = 0
        self._lost = 0
        self._octets: mmap.mmap | None = None
        self._failure: OSError | None = None
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
        try:
            attach_filter(self._socket, program)
            self._socket.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V2)
            self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, int(not outgoing))
        except BaseException:
            self._socket.close()
            raise
        self._making: Thread | None = Thread(target=self._make)
        try:
            self._making.start()
        except RuntimeError:  # no more threads are to be had
            self._making = None
            self._make()

    def _make(self) -> None:
        """PACKET_RX_RING, by ctypes: socket.setsockopt keeps the interpreter's lock meanwhile."""
        request = create_string_buffer(pack("=4I", self._block, self._blocks, SLOT, self.slots), 16)
        done = _libc.setsockopt(
            self._socket.fileno(), _SOL_PACKET, _RX_RING, ctypes.c_void_p(addressof(request)), 16
        )
        if done < 0:
            number = ctypes.get_errno()
            self._failure = OSError(number, os.strerror(number))

    def open(self, interface: str) -> None:
        """From now on packets of that interface are heard."""
        if self._making is not None:
            self._making.join()
            self._making = None
        if self._failure is not None:
            raise self._failure
        self._octets = mmap.mmap(self._socket.fileno(), self.slots * SLOT)
        self._socket.bind((interface, _EVERY_PROTOCOL))

    def fileno(self) -> int:
        """The descriptor, for poll: readable while a slot is full."""
        return self._socket.fileno()

    def take(self) -> Run | None:
        """The next full slots, or None. They are the reader's until it gives them back."""
        if self._octets is None:
            raise RuntimeError("the ring is not open")
        first = self._next
        last = min(first + _AT_ONCE, self.slots)
        statuses = self._octets[first * SLOT : last * SLOT : SLOT]
        count = statuses.find(0)
        if count < 0:
            count = len(statuses)
        if not count:
            return None
        self._next = (first + count) % self.slots
        return Run(self._octets, first, count)

    def drops(self) -> int:
        """How many packets there was no room for, since the ring was made."""
        statistics = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)
        self._lost += int(unpack("=II", statistics)[1])  # reading resets the kernel's count
        return self._lost

    def error(self) -> int:
        """The errno that waits on the socket (ENETDOWN: the interface went down), or 0."""
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def close(self) -> None:
        """Give everything back, without waiting for the kernel's grace periods."""
        close_aside(self._close)

    def _close(self) -> None:
        if self._making is not None:
            self._making.join()
        self._socket.close()
        if self._octets is not None:
            with contextlib.suppress(BufferError):
                self._octets.close()
