"""What a remote end's lane turns out to have been, once its first answer has come, or none has.

Before it speaks nothing is known of it, and it counts as CLOSED. But its first word tells more:

- A SYN, ACK comes from a listener that was there before the SYN: a CLOSED TCP answers with RST and
  enters no other state (RFC 9293 §3.10.7.1). So its lane begins in LISTEN, and the SYN moved it.
- A plain ACK comes from a connection that was there before the SYN (half-open, §3.5.1): its lane
  begins in ESTABLISHED, for nothing tells that state from later ones.
- Who never says a word may be in any state: somebody in between may have dropped what was sent to
  it. So it has no lane at all.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, auto

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.tcp.tracker import Tracker
from tcplab.timeline.events import (
    CallEvent,
    Event,
    Lane,
    SegmentEvent,
    Source,
    StateEvent,
    WireEvent,
)
from tcplab.timeline.timeline import Timeline, effect_ns


class _Past(Enum):
    """What a first word, or silence, says of the time before."""

    LISTENING = auto()
    CONNECTED = auto()
    AS_TOLD = auto()
    UNKNOWN = auto()


def in_hindsight(timeline: Timeline) -> Timeline:
    """The same timeline; the lanes of ends into which nobody looked say what those had been all
    along, if that is known.
    """
    addresses = {host.name: Address(host.ip, host.port) for host in timeline.hosts}
    for name, conn in _unseen_ends(timeline):
        here = addresses[name]
        match _past(timeline, name, conn):
            case _Past.LISTENING:
                events = _retold(timeline, name, conn, here, Tracker(listening=here))
            case _Past.CONNECTED:
                events = _retold(timeline, name, conn, here, Tracker(connected=here))
            case _Past.UNKNOWN:
                events = _untold(timeline, name, conn)
            case _Past.AS_TOLD:
                continue
        timeline = replace(timeline, events=_renumbered(events))
    return timeline


def _unseen_ends(timeline: Timeline) -> list[tuple[str, str]]:
    """The (host, connection) whose lanes are worked out from the segments alone."""
    ends: dict[tuple[str, str], bool] = {}
    for act in timeline.told():
        for lane in act.lanes:
            inferred = lane.source is Source.INFERRED
            ends[lane.host, act.conn] = inferred and ends.get((lane.host, act.conn), True)
    return [end for end, inferred in ends.items() if inferred]


def _past(timeline: Timeline, host: str, conn: str) -> _Past:
    """By the first that the host said. An RST before it is somebody else's
    (`tcplab.analysis.two_answers`), and what has neither SYN nor ACK no state sends.
    """
    past, before = _Past.UNKNOWN, Flags(0)
    for event in timeline.segments(conn):
        flags = event.segment.flags
        if event.sender != host:
            before |= flags
        elif Flags.RST in flags:
            past = _Past.AS_TOLD
        elif Flags.SYN in flags:
            answers = Flags.ACK in flags and Flags.SYN in before
            return _Past.LISTENING if answers else _Past.AS_TOLD
        elif Flags.ACK in flags:
            return _Past.CONNECTED
    return past


def _untold(timeline: Timeline, host: str, conn: str) -> Iterator[Event]:
    """The events, without anything about the host's state."""
    for event in timeline.events:
        if _is_inferred_change(event, host, conn):
            continue
        if isinstance(event, SegmentEvent | CallEvent) and event.conn == conn:
            yield replace(event, lanes=tuple(each for each in event.lanes if each.host != host))
        else:
            yield event


def _is_inferred_change(event: Event, host: str, conn: str) -> bool:
    return isinstance(event, StateEvent) and (event.host, event.conn, event.source) == (
        host,
        conn,
        Source.INFERRED,
    )


def _retold(
    timeline: Timeline, host: str, conn: str, address: Address, tracker: Tracker
) -> Iterator[Event]:
    """The events, the host's lane and its changes worked out anew by `tracker`, which knows how it
    began; their indices are still the old ones. What is new has none: -1.
    """
    for event in timeline.events:
        if _is_inferred_change(event, host, conn):
            continue
        if not isinstance(event, SegmentEvent | CallEvent) or event.conn != conn:
            yield event
            continue
        before = tracker.state(address)
        if isinstance(event, SegmentEvent) and event.lanes:
            tracker.sent(event.segment)
            tracker.arrived(event.segment)
        after = tracker.state(address)
        yield replace(event, lanes=tuple(_told(each, host, before, after) for each in event.lanes))
        if before is not after:
            yield StateEvent(
                i=-1,
                at_ns=effect_ns(event),
                cause=event.i,
                host=host,
                conn=conn,
                old=before,
                new=after,
                source=Source.INFERRED,
            )


def _told(lane: Lane, host: str, before: State, after: State) -> Lane:
    return replace(lane, before=before, after=after) if lane.host == host else lane


def _renumbered(events: Iterator[Event]) -> tuple[Event, ...]:
    """The events with the indices of their places; what refers to one of them still does."""
    listed = tuple(events)
    places: dict[int | None, int] = {event.i: i for i, event in enumerate(listed) if event.i >= 0}
    renumbered: list[Event] = []
    for i, event in enumerate(listed):
        cause = places.get(event.cause)
        if isinstance(event, WireEvent):
            renumbered.append(replace(event, i=i, cause=cause, segment=places.get(event.segment)))
        else:
            renumbered.append(replace(event, i=i, cause=cause))
    return tuple(renumbered)
