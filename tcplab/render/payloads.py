"""Which payloads are worth a look: those that say something new."""

from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import Timeline

_STREAM_OCTETS = 512
"""So much data in one segment is a part of a stream: its length says all that matters."""


def telling(timeline: Timeline) -> frozenset[int]:
    """The segments whose data is shown, by the indices of their events.

    Data is not shown where the last segment with data was the same sender's and held the same, nor
    where it is the end of a stream.
    """
    told: tuple[str, bytes] | None = None
    last: dict[tuple[str, str], SegmentEvent] = {}
    found: set[int] = set()
    for event in timeline.told():
        if not isinstance(event, SegmentEvent) or not event.segment.payload:
            continue
        payload, before = event.segment.payload, last.get((event.conn, event.sender))
        short = len(payload) < _STREAM_OCTETS
        if short and told != (event.sender, payload) and not _ends_stream(before, event):
            found.add(event.i)
        told, last[event.conn, event.sender] = (event.sender, payload), event
    return frozenset(found)


def _ends_stream(before: SegmentEvent | None, event: SegmentEvent) -> bool:
    """Is the segment what was left over of a stream?"""
    if before is None or len(before.segment.payload) < _STREAM_OCTETS:
        return False
    return event.segment.seq == before.segment.seq + before.segment.len_octets
