"""What a remote end's lane turns out to have been, once its first answer has come.

Before it speaks nothing is known of it, and it counts as CLOSED. But a SYN, ACK comes from a
listener that was there before the SYN: a CLOSED TCP answers with RST and enters no other state (RFC
9293 §3.10.7.1). So its lane begins in LISTEN, and it was the SYN that moved it.
"""

from collections.abc import Iterator
from dataclasses import replace

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
from tcplab.timeline.timeline import Stack, Timeline, effect_ns


def in_hindsight(timeline: Timeline) -> Timeline:
    """The same timeline; the lanes of remote ends that had been listening all along say so."""
    for host in timeline.hosts:
        if host.stack is Stack.REMOTE:
            for conn in dict.fromkeys(event.conn for event in timeline.segments()):
                if _listened(timeline, host.name, conn):
                    retold = _retold(timeline, host.name, conn, Address(host.ip, host.port))
                    timeline = replace(timeline, events=_renumbered(retold))
    return timeline


def _listened(timeline: Timeline, host: str, conn: str) -> bool:
    """Was the first that the host said a SYN, ACK, in answer to a SYN? An RST before it is somebody
    else's (`tcplab.analysis.two_answers`).
    """
    before = Flags(0)
    for event in timeline.segments(conn):
        if event.sender == host and not event.segment.has(Flags.RST):
            answer = event.segment.flags & (Flags.SYN | Flags.ACK)
            return answer == Flags.SYN | Flags.ACK and bool(before & Flags.SYN)
        before |= event.segment.flags
    return False


def _retold(timeline: Timeline, host: str, conn: str, address: Address) -> Iterator[Event]:
    """The events, the host's lane and its changes worked out anew; their indices are still the old
    ones. What is new has none: -1.
    """
    tracker = Tracker(listening=address)
    for event in timeline.events:
        if isinstance(event, StateEvent) and (event.host, event.conn, event.source) == (
            host,
            conn,
            Source.INFERRED,
        ):
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
