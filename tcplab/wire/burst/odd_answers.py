"""Answers that are more than an IP and a TCP header: ICMP errors, IP options, extension headers."""

from tcplab.analysis.scanning.census import Proof, Rejection
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.burst.asked import Asked
from tcplab.wire.burst.layout import verdict
from tcplab.wire.burst.ring import CHECKSUM_NOT_READY, STATUS, Run
from tcplab.wire.checksum import ones_complement, pseudo_header
from tcplab.wire.frame import ICMPV6, Frame, FrameError, IcmpError, Link, decode

_UNREACHABLE = {4: 3, 6: 1}  # type of ICMP, of ICMPv6


def quotes_probe(asked: Asked, error: IcmpError) -> bool:
    """Is the error about a probe that was sent? Its sequence number is what proves it."""
    return (
        error.quoted_src.ip == asked.source
        and error.quoted_dst.ip == asked.destination
        and error.quoted_src.port in asked.own_ports | asked.timing_ports
        and error.quoted_seq == Seq(asked.cookies.of(error.quoted_dst.port))
    )


def _sound(frame: Frame, length: int) -> bool:
    """Is the ICMP message's checksum right? Of one that did not fit the slot nobody knows."""
    packet = frame.octets
    if len(packet) < length:
        return True
    if packet[0] >> 4 == 4:
        return ones_complement(packet[(packet[0] & 15) * 4 : int.from_bytes(packet[2:4])]) == 0
    body = packet[40 : 40 + int.from_bytes(packet[4:6])]
    if packet[6] != ICMPV6:  # extension headers: where it begins the decoder does not say
        return True
    return (
        ones_complement(pseudo_header(packet[8:24], packet[24:40], ICMPV6, len(body)) + body) == 0
    )


class OddAnswers:
    """Reads packets one by one, with the decoder of `tcplab.wire.frame`."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def read(self, run: Run, row: int) -> None:
        """Take note of one packet."""
        summed = not run.column(STATUS)[row] & CHECKSUM_NOT_READY
        census = self._asked.census
        try:
            frame = decode(run.packet(row), link=Link.NONE, summed=summed)
        except FrameError:
            census.forged += 1
            return
        if frame.segment is not None:
            self._read_segment(frame.segment, frame.ttl or 0, run.at_ns(row))
        elif frame.icmp is not None and _sound(frame, run.length(row)):
            self._read_error(frame.icmp, frame.src_ip)

    def _read_error(self, error: IcmpError, reporter: str) -> None:
        asked = self._asked
        if error.type != _UNREACHABLE[error.version]:
            return
        if quotes_probe(asked, error):
            rejection = Rejection(
                version=error.version, type=error.type, code=error.code, reporter=reporter
            )
            if error.quoted_src.port in asked.own_ports:
                asked.census.reject(error.quoted_dst.port, rejection)
        elif error.quoted_src.port in asked.own_ports:  # of others nobody knows whose they are
            asked.census.forged += 1

    def _read_segment(self, segment: Segment, ttl: int, at_ns: int) -> None:
        asked = self._asked
        own_port, port = segment.dst.port, segment.src.port
        if (segment.src.ip, segment.dst.ip) != (asked.destination, asked.source):
            return
        proof = verdict(int(segment.flags))
        right = Seq(asked.cookies.of(port)) + 1
        if proof is Proof.NOTHING or segment.ack != right or segment.checksum_ok is False:
            asked.census.forged += 1
        elif own_port in asked.timing_ports:
            asked.note_timed(port, own_port, at_ns)
        elif own_port in asked.own_ports:
            asked.census.note(port, proof, ttl=ttl)
        else:
            asked.census.forged += 1
