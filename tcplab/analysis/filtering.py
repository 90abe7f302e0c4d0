"""Display filters: which segments of a timeline a predicate holds for."""

from tcplab.analysis.segment_names import of_segment
from tcplab.analysis.tally import Tally
from tcplab.errors import UsageError
from tcplab.scenario.predicate import Name, Predicate, Value
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import Timeline, lane

_COUNTS = ("sent", "received", "retransmitted")


def check(predicate: Predicate) -> None:
    """Raises UsageError for a name that asks what a timeline does not hold at every segment."""
    for name in predicate.names():
        if name.subject != "seg" and name.path != ("state",) and name.path[0] not in _COUNTS:
            raise UsageError(
                Text("A filter cannot ask for {name}.", name=name.written),
                remedy=Text(
                    "It can ask for seg.*, HOST.state, HOST.sent.*, HOST.received.* and "
                    "HOST.retransmitted.*."
                ),
            )


def matching(timeline: Timeline, predicate: Predicate) -> frozenset[int]:
    """The indices of the segments for which it holds.

    The states are those after the segment; counts are of what had been sent and had arrived by
    then.
    """
    tally = Tally()
    found = set()
    for event in timeline.segments():
        tally.sent(event)
        if event.delivered_ns is not None:
            tally.arrived(event)
        if predicate.holds(_Recorded(event, tally)):
            found.add(event.i)
    return frozenset(found)


class _Recorded:
    """What a timeline knows at one of its segments."""

    def __init__(self, event: SegmentEvent, tally: Tally) -> None:
        self._event = event
        self._tally = tally

    def value(self, name: Name) -> Value:
        """None for what is not known there: another connection's states, a name it cannot ask."""
        if name.subject == "seg":
            return of_segment(self._event, self._tally, name.path[0])
        conn = name.conn or self._event.conn
        if name.path[0] in _COUNTS:
            return self._tally.count(name.path[0], conn, name.subject, name.path[1])
        found = lane(self._event, name.subject)
        return found.after if found is not None and conn == self._event.conn else None
