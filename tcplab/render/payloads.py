"""Which payloads are worth a look, those that say something new, and how they are shown."""

from tcplab.render.cells import listed
from tcplab.render.harmless import preview
from tcplab.render.records import records
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import Timeline

_STREAM_OCTETS = 512
"""So much data in one segment is a part of a stream: its length says all that matters."""


def telling(timeline: Timeline) -> frozenset[int]:
    """The segments whose data is shown, by the indices of their events.

    Data is not shown where the last segment with data was the same sender's and held the same, nor
    where it is a part of a stream, unless it is whole records of TLS.
    """
    told: tuple[str, bytes] | None = None
    last: dict[tuple[str, str], SegmentEvent] = {}
    found: set[int] = set()
    for event in timeline.told():
        if not isinstance(event, SegmentEvent) or not event.segment.payload:
            continue
        payload, before = event.segment.payload, last.get((event.conn, event.sender))
        new = told != (event.sender, payload)
        short = len(payload) < _STREAM_OCTETS and not _ends_stream(before, event)
        if new and (short or records(payload)):
            found.add(event.i)
        told, last[event.conn, event.sender] = (event.sender, payload), event
    return frozenset(found)


def shown(payload: bytes, cells: int, *, ascii_only: bool = False) -> tuple[str, ...]:
    """The payload's beginning in a line of at most so many cells; TLS records by their names, in as
    many lines as that takes.
    """
    names = records(payload)
    if not names:
        return (preview(payload, cells, ascii_only=ascii_only),)
    return tuple(listed((f"TLS: {names[0]}", *names[1:]), cells))


def _ends_stream(before: SegmentEvent | None, event: SegmentEvent) -> bool:
    """Is the segment what was left over of a stream?"""
    if before is None or len(before.segment.payload) < _STREAM_OCTETS:
        return False
    return event.segment.seq == before.segment.seq + before.segment.len_octets
