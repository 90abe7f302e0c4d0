"""The two ends of a picture: which host stands where, how its states are known, the first ones."""

from collections import Counter

from tcplab.render.rows import Known, Standing
from tcplab.timeline.events import CallEvent, Event, SegmentEvent, StateEvent
from tcplab.timeline.timeline import HostInfo, Stack, Timeline, lane

_BY_STACK = {
    Stack.KERNEL: Known.OBSERVED,
    Stack.CRAFTED: Known.CRAFTED,
    Stack.REMOTE: Known.UNKNOWN,  # for nothing could be inferred
}


def seated(timeline: Timeline) -> tuple[HostInfo, HostInfo]:
    """The hosts of the two lifelines: the client at the left."""
    left, right, *_ = sorted(timeline.hosts, key=lambda host: host.name not in ("client", "server"))
    return (right, left) if right.name == "client" else (left, right)


def known(timeline: Timeline, host: HostInfo) -> tuple[Known, ...]:
    """How this host's states are known, the commonest way first."""
    looks = (lane(act, host.name) for act in timeline.told())
    ways = Counter(Known.by(look.source) for look in looks if look is not None)
    return tuple(way for way, _ in ways.most_common()) or (_BY_STACK[host.stack],)


def first_states(events: list[Event]) -> dict[tuple[str, str], Standing]:
    """What is known of each (connection, host) before anything happened to it."""
    states: dict[tuple[str, str], Standing] = {}
    for event in events:
        if isinstance(event, SegmentEvent | CallEvent):
            for each in event.lanes:
                still = Standing(each.before, each.before, Known.by(each.source))
                states.setdefault((event.conn, each.host), still)
        elif isinstance(event, StateEvent):
            still = Standing(event.old, event.old, Known.by(event.source))
            states.setdefault((event.conn, event.host), still)
    return states
