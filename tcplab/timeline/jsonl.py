"""A timeline as JSON Lines: the header first, then one event a line.

`read` gives back exactly what `write` was given. The header counts the events, so a file that lost
its end is found out even where it was cut between two lines.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import BinaryIO

from tcplab.errors import UsageError
from tcplab.text import Text
from tcplab.timeline import decoding, encoding
from tcplab.timeline.events import Event, WireEvent
from tcplab.timeline.fields import FieldError, Fields
from tcplab.timeline.relative import isns
from tcplab.timeline.timeline import Timeline


def write(timeline: Timeline, file: BinaryIO) -> None:
    """Write the whole timeline to a file that was opened for bytes."""
    origins = isns(timeline)
    file.write(_line(encoding.header(timeline) | {"event_count": len(timeline.events)}))
    file.writelines(_line(encoding.event(event, origins)) for event in timeline.events)


def _line(value: encoding.Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def read(lines: Iterable[bytes]) -> Timeline:
    """The timeline in a file that was opened for bytes.

    Raises UsageError, which names the line, if the file is damaged. (Text would be decoded in
    blocks, so nobody could say on which line it stops being UTF-8.)
    """
    timeline: Timeline | None = None
    count = 0
    events: list[Event] = []
    try:
        for line in lines:
            value = _value(line)
            if timeline is None:
                timeline = decoding.header(value)
                count = Fields(value).number("event_count")
            else:
                events.append(_placed(decoding.event(value), at=len(events), count=count))
        if timeline is None or len(events) != count:
            raise FieldError(Text("the file ends too soon"))
    except FieldError as wrong:
        line_number = 1 if timeline is None else len(events) + 2
        raise UsageError(
            Text(
                "Line {line} of the timeline is damaged: {what}", line=line_number, what=wrong.what
            ),
            remedy=Text("Take the file as tcplab saved it, or record the run again with --save"),
        ) from wrong
    return replace(timeline, events=tuple(events))


def _value(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # a UnicodeDecodeError is a ValueError, too
        raise FieldError(Text("it is no JSON")) from None


def _placed(event: Event, *, at: int, count: int) -> Event:
    """The event, if it stands in its own place and refers only to events that exist."""
    if event.i != at:
        raise FieldError(Text('"i" is {i} where event {at} belongs', i=event.i, at=at))
    others = (event.cause, event.segment if isinstance(event, WireEvent) else None)
    if any(other is not None and other >= count for other in others):
        raise FieldError(Text("it refers to an event that does not exist"))
    return event
