"""What the victim's program read after a segment had come."""

from dataclasses import dataclass

from tcplab.analysis.conversation import Conversation
from tcplab.timeline.events import CallEvent, SegmentEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A read() and how many octets it returned; None if it failed."""

    call: CallEvent
    octets: int | None


def reading(
    conversation: Conversation, since: SegmentEvent, *, more_than: int = -1
) -> Reading | None:
    """The receiver's first read() after `since` that did not end in EAGAIN; with `more_than` the
    first that returned more octets than that. None if there was none, or if it was in vain since
    the connection was gone.
    """
    for event in conversation.timeline.events[since.i :]:
        if not isinstance(event, CallEvent) or event.name != "read":
            continue
        if (event.host, event.conn) != (since.receiver, conversation.conn):
            continue
        if event.result.isdecimal() and int(event.result) > more_than:
            return Reading(call=event, octets=int(event.result))
        if not event.result.isdecimal() and event.result != "EAGAIN":
            return None if event.result.startswith("E") else Reading(call=event, octets=None)
    return None
