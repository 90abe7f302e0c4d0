"""Collects the events of a run while it happens, and freezes them into a timeline."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tcplab.timeline.events import Event, Fate, Lane, SegmentEvent, StateEvent


class Recorder:
    """A growing list of events: `note` gives each its index, to which later causes refer.

    `heed` is told of each event as it is noted; what becomes of a segment is not known by then.
    """

    def __init__(self, heed: Callable[[Event], None]) -> None:
        self._events: list[Event] = []
        self._heed = heed

    def note(self, event: Event) -> int:
        """Append `event` with its index as `i`, and return that index."""
        i = len(self._events)
        noted = replace(event, i=i)
        self._events.append(noted)
        self._heed(noted)
        return i

    def changes(self, lanes: Sequence[Lane], *, conn: str, at_ns: int, cause: int | None) -> None:
        """Note a state event for every lane in which the state is not the one before."""
        for lane in lanes:
            if lane.before is not lane.after:
                self.note(
                    StateEvent(
                        i=0,
                        at_ns=at_ns,
                        cause=cause,
                        host=lane.host,
                        conn=conn,
                        old=lane.before,
                        new=lane.after,
                        source=lane.source,
                    )
                )

    def settle(
        self, i: int, *, fate: Fate, delivered_ns: int | None, lanes: Sequence[Lane]
    ) -> None:
        """What became of the segment that was noted as `i` when it was sent."""
        event = self.segment(i)
        self._events[i] = replace(event, fate=fate, delivered_ns=delivered_ns, lanes=tuple(lanes))

    def segment(self, i: int) -> SegmentEvent:
        """The segment that was noted as `i`."""
        event = self._events[i]
        if not isinstance(event, SegmentEvent):
            raise TypeError(f"event {i} is no segment")
        return event

    def events(self) -> tuple[Event, ...]:
        """Everything noted so far, in order."""
        return tuple(self._events)
