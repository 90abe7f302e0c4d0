"""What the packets in the ring say of the ports, whole runs of them by columns.

Nothing is believed without its cookie: whoever does not see the probes has to guess one of 2^32.
"""

from array import array
from struct import unpack
from typing import TYPE_CHECKING

from tcplab.analysis.scanning.census import Proof
from tcplab.wire.burst.asked import Asked, Departure
from tcplab.wire.burst.columns import folded, same, word_sum
from tcplab.wire.burst.cookies import ports_of
from tcplab.wire.burst.layout import (
    ACKNOWLEDGMENT,
    FLAGS,
    LAYOUTS,
    MARK,
    OF_THE_SCAN,
    TCP_OCTETS,
    VERDICTS,
    marking,
    verdict,
)
from tcplab.wire.burst.ring import (
    CHECKSUM_NOT_READY,
    CHECKSUM_VALID,
    OUTGOING,
    PACKET,
    PACKET_TYPE,
    SNAP,
    STATUS,
    Run,
)

if TYPE_CHECKING:
    from tcplab.wire.burst.odd_answers import OddAnswers

_OUTGOING = marking([OUTGOING])
_UNSUMMED = marking(
    [octet for octet in range(256) if not octet & (CHECKSUM_NOT_READY | CHECKSUM_VALID)]
)
_MOST_SAMPLES = 32


class Answers:
    """Writes what is heard into the census of what was `asked`.

    With `outgoing` the ring has the probes, too. `received` counts what was not a probe, `rtt_ns`
    is the latest round trip that a `sample` gave.
    """

    def __init__(self, asked: Asked, *, outgoing: bool) -> None:
        self.received = 0
        self.rtt_ns: int | None = None
        self._asked = asked
        self._outgoing = outgoing
        self._layout = LAYOUTS[asked.version]
        # The pseudo-header's sum, less what the length field counts besides TCP.
        self._around = word_sum(b"".join(asked.ends)) + 6 + 0xFFFF - self._layout.besides
        self._samples: dict[int, tuple[int, Departure]] = {}
        self._odd: OddAnswers | None = None
        self.expect()

    def expect(self) -> None:
        """The own ports that may be answered have changed."""
        # The lower octet will do: the kernel's filter lets nothing by but the block.
        asked = self._asked
        self._samples.clear()
        self._to_time = marking({port & 0xFF for port in asked.timing_ports})
        own = {port & 0xFF for port in asked.own_ports | asked.timing_ports}
        self._unexpected = marking(set(range(256)) - own)

    def sample(self, port: int, own_port: int, departure: Departure) -> None:
        """Time the answer of that port; of what is counted not too many at once."""
        if own_port in self._asked.timing_ports:
            self._asked.timed[port, own_port] = departure
        elif len(self._samples) < _MOST_SAMPLES:
            self._samples[port] = own_port, departure

    def read(self, run: Run) -> int:
        """Take note of a run of packets; how many ports got their first answer."""
        census, layout = self._asked.census, self._layout
        before = census.answered
        tcp = PACKET + layout.tcp
        probes = self._probes(run)
        aside = self._aside(run) & ~probes
        timed = self._timed(run) & ~(aside | probes)
        kinds = int.from_bytes(run.column(tcp + FLAGS).translate(VERDICTS))
        kinds &= ~int.from_bytes(self._unproven(run))
        decided = (kinds | probes | aside | timed).to_bytes(run.count)
        senders = ports_of(run.word(tcp, 2))
        acknowledged = array("I", run.word(tcp + ACKNOWLEDGMENT, 4))
        hops = run.column(PACKET + layout.hops)
        right, proofs, ttls = self._asked.cookies.acknowledgments, census.proofs, census.ttls
        new = duplicates = forged = 0
        for port, ack, kind, ttl in zip(senders, acknowledged, decided, hops, strict=True):
            if kind == MARK:
                continue
            if kind and right[port] == ack:
                if proofs[port]:
                    duplicates += 1
                else:
                    proofs[port] = kind
                    ttls[port] = ttl
                    new += 1
            else:
                forged += 1
        census.answered += new
        census.duplicates += duplicates
        census.forged += forged
        self.received += run.count - (probes.to_bytes(run.count).count(MARK) if probes else 0)
        if self._samples:
            self._time_samples(run, senders, decided)
        if timed:
            marks = timed.to_bytes(run.count)
            self._read_timed(run, marks, kinds.to_bytes(run.count), senders, acknowledged)
        if aside:
            self._read_odd(run, aside.to_bytes(run.count))
        return census.answered - before

    # --- columns ----------------------------------------------------------------------------

    def _probes(self, run: Run) -> int:
        """Marks what this host itself has sent."""
        if self._outgoing:
            return int.from_bytes(run.column(PACKET_TYPE).translate(_OUTGOING))
        if self._asked.local:  # on loopback what goes out comes in, as well
            flags = run.column(PACKET + self._layout.tcp + FLAGS)
            return int.from_bytes(flags.translate(OF_THE_SCAN))
        return 0

    def _aside(self, run: Run) -> int:
        """Marks what is more than an IP and a TCP header."""
        layout = self._layout
        first = run.column(PACKET).translate(layout.odd_first)
        protocol = run.column(PACKET + layout.protocol).translate(layout.odd_protocol)
        return int.from_bytes(first) | int.from_bytes(protocol)

    def _timed(self, run: Run) -> int:
        """Marks what is to be timed."""
        if not self._asked.timing_ports:
            return 0
        return int.from_bytes(run.column(PACKET + self._layout.tcp + 3).translate(self._to_time))

    def _unproven(self, run: Run) -> bytes:
        """Marks what proves nothing: it came to a port that has not asked, is short, is damaged."""
        layout = self._layout
        marks = run.column(PACKET + layout.tcp + 3).translate(self._unexpected)
        lengths = ports_of(run.word(PACKET + layout.length, 2))
        least = layout.besides + TCP_OCTETS
        if min(lengths) < least:
            marks = _either(marks, bytes(MARK * (length < least) for length in lengths))
        unsummed = run.column(STATUS).translate(_UNSUMMED)
        if any(unsummed):
            marks = _either(marks, self._damaged(run, lengths, unsummed))
        return marks

    def _damaged(self, run: Run, lengths: "array[int]", unsummed: bytes) -> bytes:
        """Marks a wrong checksum: the kernel shows packets here before it looks at theirs."""
        tcp = PACKET + self._layout.tcp
        spread = bytearray(4 * run.count)
        sums = same(self._around, run.count)
        for at in (PACKET + self._layout.length, *range(tcp, tcp + TCP_OCTETS, 2)):
            spread[2::4] = run.column(at)
            spread[3::4] = run.column(at + 1)
            sums += int.from_bytes(spread)
        totals = ports_of(folded(sums, run.count).to_bytes(4 * run.count))[1::2]
        marks = bytearray(run.count)
        least = self._layout.besides + TCP_OCTETS
        for row, (total, length, unknown) in enumerate(zip(totals, lengths, unsummed, strict=True)):
            if unknown and (total != 0xFFFF or length != least):
                marks[row] = MARK * (not self._sound(run, row, total, length - least))
        return bytes(marks)

    def _sound(self, run: Run, row: int, total: int, more: int) -> bool:
        """Is a segment undamaged whose header sums to `total` and which has so many octets `more`?

        Of one that did not fit the slot nobody knows: a reset may be that long, as it may carry a
        text (RFC 1122 §4.2.2.12), but no SYN with its options is.
        """
        header = self._layout.tcp + TCP_OCTETS
        if header + more > SNAP:
            return verdict(run.column(PACKET + self._layout.tcp + FLAGS)[row]) is Proof.RST
        rest = run.packet(row)[header : header + more]
        if more < 0 or len(rest) < more:
            return False
        return (total + word_sum(rest + b"\0" * (more % 2))) % 0xFFFF == 0

    # --- some of them -----------------------------------------------------------------------

    def _time_samples(self, run: Run, senders: "array[int]", decided: bytes) -> None:
        tcp = self._layout.tcp
        for port, (own_port, departure) in list(self._samples.items()):
            if not self._asked.census.proofs[port]:
                continue
            del self._samples[port]
            try:
                row = senders.index(port)
            except ValueError:  # something else has decided it
                continue
            (to_port,) = unpack("!H", run.packet(row)[tcp + 2 : tcp + 4])
            if decided[row] != MARK and to_port == own_port:
                self.rtt_ns = departure.until(run.at_ns(row)) or self.rtt_ns

    def _read_timed(
        self,
        run: Run,
        marks: bytes,
        kinds: bytes,
        senders: "array[int]",
        acknowledged: "array[int]",
    ) -> None:
        asked, tcp = self._asked, self._layout.tcp
        for row, marked in enumerate(marks):
            if not marked:
                continue
            port = senders[row]
            if not kinds[row] or acknowledged[row] != asked.cookies.acknowledgments[port]:
                asked.census.forged += 1
                continue
            (own_port,) = unpack("!H", run.packet(row)[tcp + 2 : tcp + 4])
            asked.note_timed(port, own_port, run.at_ns(row))

    def _read_odd(self, run: Run, marks: bytes) -> None:
        if self._odd is None:
            from tcplab.wire.burst.odd_answers import OddAnswers  # the decoder takes 10 ms

            self._odd = OddAnswers(self._asked)
        for row, marked in enumerate(marks):
            if marked:
                self._odd.read(run, row)


def _either(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) | int.from_bytes(other)).to_bytes(len(one))
