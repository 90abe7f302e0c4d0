"""Segments in somebody else's name: copies of one template, with columns for what differs."""

from dataclasses import dataclass

from tcplab.tcp.flags import Flags
from tcplab.wire.burst.columns import Columns, checksums, lanes, same, word_sum
from tcplab.wire.burst.template import CHECKSUM, Template, syn
from tcplab.wire.checksum import pseudo_header

_TCP = 6
_IP_CHECKSUM = 10
"""Where it is in an IPv4 header."""
_LENGTH, _PAYLOAD_LENGTH = 2, 4
"""Where the length is in an IPv4 and in an IPv6 header."""
_OFFSET, _FLAGS, _TCP_OCTETS = 12, 13, 20


@dataclass(frozen=True, slots=True)
class Field:
    """One field of many copies: `width` octets a row, `at` octets into the packet; both even."""

    at: int
    width: int
    column: bytes


def forged(source: str, destination: str, flags: Flags, payload: bytes = b"") -> Template:
    """A segment without options; its ports, numbers and TCP checksum are zero."""
    probe = syn(source, destination)
    header = bytearray(probe.octets[: probe.tcp])
    segment = bytearray(probe.segment[:_TCP_OCTETS])
    segment[_OFFSET] = _TCP_OCTETS // 4 << 4
    segment[_FLAGS] = int(flags)
    octets = _TCP_OCTETS + len(payload)
    if probe.tcp == _TCP_OCTETS:
        header[_LENGTH : _LENGTH + 2] = (probe.tcp + octets).to_bytes(2)
        header[_IP_CHECKSUM : _IP_CHECKSUM + 2] = bytes(2)
        header[_IP_CHECKSUM : _IP_CHECKSUM + 2] = checksums(word_sum(bytes(header)), 1)
    else:
        header[_PAYLOAD_LENGTH : _PAYLOAD_LENGTH + 2] = octets.to_bytes(2)
    return Template(
        octets=bytes(header) + bytes(segment) + payload,
        addresses=probe.addresses,
        tcp=probe.tcp,
    )


class Forger:
    """Writes copies of `template`, whose fields that differ, and checksums, are zero or whole."""

    def __init__(self, template: Template) -> None:
        self.template = template
        segment = template.segment
        around = pseudo_header(template.source, template.destination, _TCP, len(segment))
        self._common = word_sum(around + segment + b"\0" * (len(segment) % 2))
        header = template.octets[: template.tcp]
        self._header: int | None = None
        if template.tcp == _TCP_OCTETS:
            self._header = word_sum(header[:_IP_CHECKSUM] + bytes(2) + header[_IP_CHECKSUM + 2 :])

    def write(self, columns: Columns, fields: tuple[Field, ...]) -> int:
        """Make the first rows of `columns` segments with these fields, and say how many."""
        rows = len(fields[0].column) // fields[0].width
        segments = addresses = 0
        for field in fields:
            columns.stamp(field.at, field.column, field.width)
            added = lanes(field.column, field.width)
            segments += added
            if field.at < self.template.tcp:
                addresses += added
        sums = checksums(same(self._common, rows) + segments, rows)
        columns.stamp(self.template.tcp + CHECKSUM, sums, 2)
        if self._header is not None and addresses:
            sums = checksums(same(self._header, rows) + addresses, rows)
            columns.stamp(_IP_CHECKSUM, sums, 2)
        return rows
