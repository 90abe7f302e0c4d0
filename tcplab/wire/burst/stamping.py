"""The probes of a scan: which octets of the template each port has for its own."""

from array import array

from tcplab.analysis.scanning.census import PORTS
from tcplab.wire.burst.columns import Columns, checksums, lanes, same, word_sum
from tcplab.wire.burst.cookies import Cookies, column_of
from tcplab.wire.burst.template import CHECKSUM, DESTINATION_PORT, SEQUENCE, SOURCE_PORT, Template
from tcplab.wire.checksum import pseudo_header

FEW = 64
"""For so many ports the sums are quicker worked out one by one than for all ports at once."""
_TCP = 6


class Probes:
    """What the probes to all ports have in common: the template, the cookies and their sums."""

    def __init__(self, template: Template, cookies: Cookies) -> None:
        self.template = template
        self.cookies = cookies
        segment = template.segment
        around = pseudo_header(template.source, template.destination, _TCP, len(segment))
        self.common_sum = word_sum(around + segment)
        self._sums: int | None = None

    def checksums(self, source_port: int) -> bytes:
        """The checksums of the probes from that port to all ports, two octets each."""
        if self._sums is None:
            every_port = column_of(array("H", range(PORTS)))
            self._sums = (
                same(self.common_sum, PORTS) + lanes(every_port, 2) + lanes(self.cookies.column, 4)
            )
        return checksums(self._sums + same(source_port, PORTS), PORTS)

    def checksum(self, source_port: int, port: int) -> bytes:
        """The checksum of one probe."""
        total = self.common_sum + source_port + port
        total += word_sum(self.cookies.column[4 * port : 4 * port + 4])
        return checksums(total, 1)


class Stamp:
    """The probes from one source port, to be written over copies of the template."""

    __slots__ = ("_checksums", "_column", "_probes", "source_port")

    def __init__(self, probes: Probes, source_port: int) -> None:
        self.source_port = source_port
        self._probes = probes
        self._column: bytes | None = None
        self._checksums: array[int] = array("H")

    def prepare(self) -> bytes:
        """Work out the checksums for all ports, once: before several threads want them."""
        if self._column is None:
            column = self._probes.checksums(self.source_port)
            self._checksums = array("H", column)  # octets as they stand in a segment
            self._column = column
        return self._column

    def write(self, columns: Columns, ports: "array[int]") -> None:
        """Make the first rows of `columns` the probes to these ports, in order."""
        count = len(ports)
        tcp = self._probes.template.tcp
        columns.stamp(tcp + SOURCE_PORT, self.source_port.to_bytes(2) * count, 2)
        columns.stamp(tcp + DESTINATION_PORT, column_of(ports), 2)
        cookies = self._probes.cookies
        first = ports[0] if ports else 0
        if count > FEW and ports == array("H", range(first, min(first + count, PORTS))):
            sequences = cookies.column[4 * first : 4 * (first + count)]
            sums = self.prepare()[2 * first : 2 * (first + count)]
        else:
            sequences = array("I", map(cookies.sequences.__getitem__, ports)).tobytes()
            sums = self._sums_of(ports)
        columns.stamp(tcp + SEQUENCE, sequences, 4)
        columns.stamp(tcp + CHECKSUM, sums, 2)

    def _sums_of(self, ports: "array[int]") -> bytes:
        if self._column is None and len(ports) <= FEW:
            return b"".join(self._probes.checksum(self.source_port, port) for port in ports)
        self.prepare()
        return array("H", map(self._checksums.__getitem__, ports)).tobytes()
