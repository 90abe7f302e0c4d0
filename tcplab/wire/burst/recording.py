"""Everything that passes during a scan, both ways, as pcapng (draft-ietf-opsawg-pcapng).

Written while the scan runs, a run of the ring at a time: 131,070 packets are more than are to be
kept. Almost all of them are segments of two lengths, so their blocks are columns, too.
"""

import sys
from struct import pack
from typing import Protocol

from tcplab import __version__
from tcplab.wire.burst.columns import Columns
from tcplab.wire.burst.layout import LAYOUTS, TCP_OCTETS, marking
from tcplab.wire.burst.ring import (
    CHECKSUM_NOT_READY,
    NANOSECONDS,
    PACKET,
    SECONDS,
    STATUS,
    Run,
)
from tcplab.wire.checksum import ones_complement, pseudo_header

_LINKTYPE_RAW = 101
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_END, _NAME, _APPLICATION, _TIME_RESOLUTION = 0, 2, 4, 9
_NANOSECOND = b"\x09"  # 10^-9 s
_HEAD, _TAIL = 28, 4  # what is around a packet in its block
_HIGH, _LOW, _CAPTURED, _LENGTH = 12, 16, 20, 24
_MSS_OCTETS = 4
_ROWS = 1024
_TCP, _CHECKSUM = 6, 16
_LITTLE = range(4) if sys.byteorder == "little" else range(3, -1, -1)
"""The octets of a native 32-bit number, lowest first."""
_UNFILLED = marking([octet for octet in range(256) if octet & CHECKSUM_NOT_READY])


class Sink(Protocol):
    """A file, as far as a recording needs one."""

    def write(self, octets: bytes | bytearray, /) -> object:
        """Write them behind what there is."""

    def flush(self) -> None:
        """All is in the file."""


class Recording:
    """Writes the packets of IP `version` that are on `interface` into `file`, which stays open."""

    def __init__(self, file: Sink, *, interface: str, version: int) -> None:
        self._file = file
        layout = self._layout = LAYOUTS[version]
        # A segment is a header alone, or one with a maximum segment size. After the shorter one an
        # option list that ends at once, four octets of zero, makes up for the difference.
        self._short = layout.tcp + TCP_OCTETS
        self._long = self._short + _MSS_OCTETS
        size = _HEAD + self._long + _TAIL
        block = pack("<IIIIIII", _PACKET, size, 0, 0, 0, 0, 0) + bytes(self._long)
        self._blocks = Columns(block + pack("<I", size), _ROWS)
        with_mss = layout.besides + TCP_OCTETS + _MSS_OCTETS
        without = layout.besides + TCP_OCTETS
        self._is_long = marking([with_mss])
        self._is_odd = marking(set(range(256)) - {with_mss, without})
        uncounted = layout.tcp - layout.besides
        self._captured = bytes((octet + uncounted) & 0xFF for octet in range(256))
        file.write(
            _block(
                _SECTION,
                pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
                + _options((_APPLICATION, f"tcplab {__version__}".encode())),
            )
            + _block(
                _INTERFACE,
                pack("<HHI", _LINKTYPE_RAW, 0, 0)
                + _options((_NAME, interface.encode()), (_TIME_RESOLUTION, _NANOSECOND)),
            )
        )

    def write(self, run: Run) -> None:
        """Write a run of packets, in its order."""
        blocks, size = self._stamped(run), self._blocks.size
        unfilled = run.column(STATUS).translate(_UNFILLED)
        odd = self._odd(run)
        if any(unfilled):
            for row, marked in enumerate(unfilled):
                if marked and not odd[row]:
                    at = row * size + _HEAD
                    length = _number(blocks, row * size + _CAPTURED)
                    blocks[at : at + length] = self._filled(bytes(blocks[at : at + length]))
        begin = 0
        if any(odd):
            for row, marked in enumerate(odd):
                if marked:
                    self._file.write(blocks[begin * size : row * size])
                    self._file.write(self._single(run, row, filled=not unfilled[row]))
                    begin = row + 1
        self._file.write(blocks[begin * size :])

    def close(self) -> None:
        """All is in the file."""
        self._file.flush()

    def _odd(self, run: Run) -> bytes:
        """Marks what is no segment of one of the two lengths."""
        layout = self._layout
        marks = 0
        for at, table in (
            (0, layout.odd_first),
            (layout.protocol, layout.odd_protocol),
            (layout.length, marking(range(1, 256))),
            (layout.length + 1, self._is_odd),
        ):
            marks |= int.from_bytes(run.column(PACKET + at).translate(table))
        return marks.to_bytes(run.count)

    def _stamped(self, run: Run) -> bytearray:
        """The blocks of all rows; those of odd ones are of no use."""
        count, blocks = run.count, self._blocks
        length = run.column(PACKET + self._layout.length + 1)
        for octet in range(self._short):
            blocks.stamp(_HEAD + octet, run.column(PACKET + octet), 1)
        is_long = int.from_bytes(length.translate(self._is_long))
        for octet in range(self._short, self._long):
            here = int.from_bytes(run.column(PACKET + octet)) & is_long
            blocks.stamp(_HEAD + octet, here.to_bytes(count), 1)
        captured = length.translate(self._captured)
        blocks.stamp(_CAPTURED, captured, 1)
        blocks.stamp(_LENGTH, captured, 1)
        moments = _moments(run)
        for octet in range(4):
            blocks.stamp(_LOW + octet, moments[octet::8], 1)
            blocks.stamp(_HIGH + octet, moments[4 + octet :: 8], 1)
        return blocks.buffer[: count * blocks.size]

    def _single(self, run: Run, row: int, *, filled: bool) -> bytes:
        packet = run.packet(row)
        length = run.length(row)
        if not filled and len(packet) == length:
            packet = self._filled(packet)
        at_ns = run.at_ns(row)
        head = pack("<IIIII", 0, at_ns >> 32, at_ns & 0xFFFFFFFF, len(packet), length)
        return _block(_PACKET, head + packet + bytes(-len(packet) % 4))

    def _filled(self, packet: bytes) -> bytes:
        """The packet with the checksum that no NIC will fill in on a virtual link."""
        layout = self._layout
        if layout.odd_first[packet[0]] or layout.odd_protocol[packet[layout.protocol]]:
            return packet
        at, ends = layout.tcp, packet[layout.hops + (4 if layout.tcp == 20 else 1) : layout.tcp]
        half = len(ends) // 2
        body = packet[at : at + _CHECKSUM] + b"\0\0" + packet[at + _CHECKSUM + 2 :]
        around = pseudo_header(ends[:half], ends[half:], _TCP, len(body))
        total = ones_complement(around + body).to_bytes(2)
        return packet[: at + _CHECKSUM] + total + packet[at + _CHECKSUM + 2 :]


def _moments(run: Run) -> bytes:
    """When each packet was received: nanoseconds of 1970, eight octets, lowest first."""
    seconds, rest = bytearray(8 * run.count), bytearray(8 * run.count)
    for place, octet in enumerate(_LITTLE):
        seconds[place::8] = run.column(SECONDS + octet)
        rest[place::8] = run.column(NANOSECONDS + octet)
    total = int.from_bytes(seconds, "little") * 10**9 + int.from_bytes(rest, "little")
    return total.to_bytes(8 * run.count, "little")


def _number(blocks: bytearray, at: int) -> int:
    return int.from_bytes(blocks[at : at + 4], "little")


def _block(kind: int, body: bytes) -> bytes:
    size = pack("<I", len(body) + 12)
    return pack("<I", kind) + size + body + size


def _options(*pairs: tuple[int, bytes]) -> bytes:
    listed = b"".join(
        pack("<HH", code, len(data)) + data + bytes(-len(data) % 4) for code, data in pairs
    )
    return listed + pack("<HH", _END, 0)
