"""Which segments their sender had sent before."""

from tcplab.tcp.flags import Flags
from tcplab.timeline.events import SegmentEvent


class Repeats:
    """Knows what has been sent on one connection.

    A repetition begins where an earlier segment with anything in it began; it may end later, as
    where a lost FIN rides on the data that is sent again. "Lower than the highest number so far"
    would also name segments that were only overtaken on the way to a capture.
    """

    def __init__(self) -> None:
        self._lengths: dict[tuple[str, int, bool], int] = {}

    def is_one(self, event: SegmentEvent) -> bool:
        """Does this next segment repeat an earlier one?"""
        segment = event.segment
        # In a simultaneous open the SYN, ACK has the number of the SYN, but says something new.
        key = event.sender, int(segment.seq), segment.has(Flags.SYN | Flags.ACK)
        sent_octets = self._lengths.get(key, 0)
        self._lengths[key] = max(segment.len_octets, sent_octets)
        return segment.len_octets > 0 and sent_octets > 0
