"""Counts what the ends of every connection sent, sent again and received, while it happens.

What predicates ask of a run (`server.retransmitted.fin`, `seg.seq`) is answered from here, so a run
under way and a stored timeline give the same answers.
"""

from collections import Counter, defaultdict

from tcplab.analysis.repeats import Repeats
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.tracker import Tracker
from tcplab.timeline.events import SegmentEvent

_KINDS = {"syn": Flags.SYN, "fin": Flags.FIN, "rst": Flags.RST}


class Tally:
    """Told of each segment twice: when it has left its sender, and when it has arrived."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._repeats: defaultdict[str, Repeats] = defaultdict(Repeats)
        self._trackers: defaultdict[str, Tracker] = defaultdict(Tracker)
        self._origins: dict[tuple[str, str], Seq] = {}
        self._again: set[int] = set()

    def sent(self, event: SegmentEvent) -> None:
        """`event` has left its sender."""
        self._origins.setdefault((event.conn, event.sender), event.segment.seq)
        if event.segment.has(Flags.SYN):
            self._origins[event.conn, event.sender] = event.segment.seq
        self._count("sent", event.conn, event.sender, event.segment)
        if self._repeats[event.conn].is_one(event):
            self._again.add(event.i)
            self._count("retransmitted", event.conn, event.sender, event.segment)
        self._trackers[event.conn].sent(event.segment)

    def arrived(self, event: SegmentEvent) -> None:
        """`event` was delivered to its receiver."""
        self._count("received", event.conn, event.receiver, event.segment)
        self._trackers[event.conn].arrived(event.segment)

    def _count(self, verb: str, conn: str, host: str, segment: Segment) -> None:
        kinds = ["segments", *(kind for kind, flag in _KINDS.items() if segment.has(flag))]
        if segment.data_octets:
            kinds.append("data")
            self._counts[verb, conn, host, "octets"] += segment.data_octets
        elif segment.flags == Flags.ACK:
            kinds.append("ack")
        for kind in kinds:
            self._counts[verb, conn, host, kind] += 1

    def count(self, verb: str, conn: str, host: str, kind: str) -> int:
        """How many segments of that `kind` (syn, fin, rst, data, ack, segments; "octets" of
        payload) the host "sent", "retransmitted" or "received" on the connection.
        """
        return self._counts[verb, conn, host, kind]

    def is_repeated(self, i: int) -> bool:
        """Does segment `i` repeat what its sender had sent before?"""
        return i in self._again

    def relative(self, number: Seq, conn: str, host: str) -> int:
        """`number` counted from where that host began."""
        origin = self._origins.get((conn, host))
        return int(number) if origin is None else number - origin

    def tracker(self, conn: str) -> Tracker:
        """What the connection's segments imply of both ends."""
        return self._trackers[conn]
