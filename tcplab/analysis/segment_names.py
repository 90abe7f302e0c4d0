"""What predicates ask of a segment (`seg.fin`, `seg.seq`), on its way or long past."""

from collections.abc import Callable

from tcplab.analysis.tally import Tally
from tcplab.scenario.predicate import Value
from tcplab.tcp.flags import Flags
from tcplab.timeline.events import SegmentEvent

_FLAGS = {
    "fin": Flags.FIN,
    "syn": Flags.SYN,
    "rst": Flags.RST,
    "psh": Flags.PSH,
    "ack": Flags.ACK,
    "urg": Flags.URG,
    "ece": Flags.ECE,
    "cwr": Flags.CWR,
}


def of_segment(event: SegmentEvent, tally: Tally, what: str) -> Value:
    """The value of `seg.<what>`, in tcplab's own spelling; numbers are relative to what `tally` has
    been told of. None where the segment has no such number.
    """
    if what in _FLAGS:
        return event.segment.has(_FLAGS[what])
    return _NAMES[what](event, tally)


def _ackno(event: SegmentEvent, tally: Tally) -> Value:
    """Relative to the receiver's first number; None without ACK."""
    if not event.segment.has(Flags.ACK):
        return None
    return tally.relative(event.segment.ack, event.conn, event.receiver)


_NAMES: dict[str, Callable[[SegmentEvent, Tally], Value]] = {
    "from": lambda event, _: event.sender,
    "to": lambda event, _: event.receiver,
    "conn": lambda event, _: event.conn,
    "flags": lambda event, _: event.segment.flags.letters,
    "seq": lambda event, tally: tally.relative(event.segment.seq, event.conn, event.sender),
    "ackno": _ackno,
    "seq_raw": lambda event, _: int(event.segment.seq),
    "ack_raw": lambda event, _: int(event.segment.ack),
    "len": lambda event, _: event.segment.data_octets,
    "wnd": lambda event, _: event.segment.wnd_octets,
    "data": lambda event, _: event.segment.data_octets > 0,
    "retransmission": lambda event, tally: tally.is_repeated(event.i),
    "sport": lambda event, _: event.segment.src.port,
    "dport": lambda event, _: event.segment.dst.port,
    "src": lambda event, _: event.segment.src.ip,
    "dst": lambda event, _: event.segment.dst.ip,
}
"""What is asked of a segment that is no flag."""
