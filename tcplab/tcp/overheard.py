"""A connection as somebody knows it who hears every segment of it, and takes part in it unasked.

Sequence numbers, windows, timestamps and octets: all that a forger needs to speak as one of the two
ends. Nothing here is known that was not in a segment.
"""

from dataclasses import dataclass, field

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import Timestamps, WindowScale
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.stream import Stream
from tcplab.tcp.tracker import Tracker


@dataclass(slots=True)
class _End:
    """What one end has said of itself. None is what was not heard."""

    syn: Segment | None = None
    last_ack: Seq | None = None
    announced: Segment | None = None  # the last segment with ACK: it names a window
    timestamps: Timestamps | None = None
    ttl: int | None = None
    stream: Stream = field(default_factory=Stream)


class Overheard:
    """One connection between two addresses, and the next ones between the same two.

    A segment that is heard counts as one that arrives: who hears it stands beside the receiver.
    """

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._ends: dict[Address, _End] = {}

    def _end(self, address: Address) -> _End:
        return self._ends.setdefault(address, _End())

    # --- what comes -------------------------------------------------------------------------

    def hear(self, segment: Segment, *, ttl: int | None = None) -> None:
        """Somebody else has sent `segment`. A damaged one says nothing."""
        if segment.checksum_ok is False:
            return
        self._follow(segment)
        end = self._end(segment.src)
        end.ttl = ttl
        # What an RST says of ACK, window and timestamps is not its sender's state.
        if not segment.has(Flags.RST):
            if segment.has(Flags.ACK):
                end.last_ack, end.announced = segment.ack, segment
            end.timestamps = _timestamps(segment) or end.timestamps
            end.stream.take(segment)

    def say(self, segment: Segment) -> None:
        """`segment` was sent by the one who listens, in the name of its source address.

        It counts where that address would have said just this next: then its receiver believes it.
        """
        if segment.has(Flags.RST):
            return
        if segment.has(Flags.SYN):
            fits = not self._tracker.state(segment.dst).synchronized
        else:
            fits = segment.seq == self._tracker.snd_nxt(segment.src)
        if fits:
            self._follow(segment)

    def _follow(self, segment: Segment) -> None:
        if segment.has(Flags.SYN):
            known = self._end(segment.src).syn
            if known is None or known.seq != segment.seq:
                self._ends[segment.src] = _End()
            self._end(segment.src).syn = segment
        self._tracker.sent(segment)
        self._tracker.arrived(segment)

    # --- what is known ----------------------------------------------------------------------

    def isn(self, address: Address) -> Seq | None:
        """That end's initial sequence number."""
        return self._tracker.isn(address)

    def snd_nxt(self, address: Address) -> Seq | None:
        """The next number that it will send, or that a forger may send as it."""
        return self._tracker.snd_nxt(address)

    def rcv_nxt(self, address: Address) -> Seq | None:
        """The next number that it expects."""
        return self._tracker.rcv_nxt(address)

    def last_ack(self, address: Address) -> Seq | None:
        """The last number that it acknowledged itself; `rcv_nxt` may be ahead of a delayed ACK."""
        return self._end(address).last_ack

    def wnd_octets(self, address: Address) -> int | None:
        """Its receive window. None if none was heard, or how it is scaled was not: only the two
        SYNs say that (RFC 7323 §2.2).
        """
        announced = self._end(address).announced
        if announced is None or announced.has(Flags.SYN):
            return None if announced is None else announced.wnd_octets
        syns = [end.syn for end in self._ends.values() if end.syn is not None]
        if len(syns) != 2:
            return None
        scaled = all(_shift(syn) is not None for syn in syns)
        own = self._end(address).syn
        return announced.wnd_octets << ((_shift(own) or 0) if scaled and own else 0)

    def timestamps(self, address: Address, peer: Address) -> Timestamps | None:
        """What a segment in that end's name has to carry to pass PAWS (RFC 7323 §5): the end's
        last value, and its peer's last one as the echo. None if the connection has no timestamps.
        """
        mine, theirs = self._end(address).timestamps, self._end(peer).timestamps
        if mine is None:
            # It has said nothing yet, but its peer has echoed what was said in its name.
            return None if theirs is None else Timestamps(theirs.echo, theirs.value)
        return Timestamps(mine.value, mine.echo if theirs is None else theirs.value)

    def ttl(self, address: Address) -> int | None:
        """The TTL or hop limit of its last segment."""
        return self._end(address).ttl

    def octets(self, address: Address) -> bytes:
        """What it has said, from the beginning, as far as nothing is missing; bounded."""
        return self._end(address).stream.octets


def _timestamps(segment: Segment) -> Timestamps | None:
    return next((each for each in segment.options if isinstance(each, Timestamps)), None)


def _shift(syn: Segment) -> int | None:
    return next((each.effective for each in syn.options if isinstance(each, WindowScale)), None)
