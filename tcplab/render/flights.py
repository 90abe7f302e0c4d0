"""What a segment's flight means beside the others': lost, sent again, crossing, a scaled window.

And what connections have in common, where there are several.
"""

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize, Timestamps, WindowScale
from tcplab.timeline.events import Fate, IcmpEvent, SegmentEvent
from tcplab.timeline.timeline import Timeline, effect_ns

_CARRIED = frozenset({Fate.DROPPED, Fate.HELD, Fate.DELAYED})
"""The fates with which a segment that has no time of delivery never arrived."""


def is_lost(event: SegmentEvent) -> bool:
    """Did it never reach its receiver? What a capture saw is taken to have arrived."""
    if event.fate is Fate.DROPPED:
        return True
    return event.delivered_ns is None and event.fate in _CARRIED


def crossings(timeline: Timeline) -> dict[int, tuple[int, ...]]:
    """Which segments were in flight towards each other, by the indices of their events.

    The later one left before the earlier one was delivered, so neither knew of the other. Bare
    acknowledgments do so all the time and mean nothing by it: they are left out.
    """
    weighty = [
        event
        for event in timeline.told()
        if isinstance(event, SegmentEvent) and not is_lost(event) and _weighs(event)
    ]
    found: dict[int, tuple[int, ...]] = {}
    for at, later in enumerate(weighty):
        for before in range(at - 1, -1, -1):
            earlier = weighty[before]
            if effect_ns(earlier) <= later.at_ns:
                break
            if (
                earlier.conn == later.conn
                and earlier.sender == later.receiver
                and later.cause != earlier.i
            ):
                found[later.i] = (earlier.i, *found.get(later.i, ()))
                found[earlier.i] = (*found.get(earlier.i, ()), later.i)
    return found


def _weighs(event: SegmentEvent) -> bool:
    return event.segment.len_octets > 0 or event.segment.has(Flags.RST)


def repeats(timeline: Timeline) -> dict[int, int]:
    """For each segment that was sent before: the index of the first one with the same numbers.

    A SYN that offers another MSS is another SYN.
    """
    first: dict[tuple[str, str, int, int | None], int] = {}
    again: dict[int, int] = {}
    for event in timeline.segments():
        if event.segment.len_octets:
            key = (event.conn, event.sender, int(event.segment.seq), _mss(event))
            if first.setdefault(key, event.i) != event.i:
                again[event.i] = first[key]
    return again


def _mss(event: SegmentEvent) -> int | None:
    sizes = (each for each in event.segment.options if isinstance(each, MaximumSegmentSize))
    return next((each.octets for each in sizes), None)


def window_octets(timeline: Timeline) -> dict[int, int]:
    """Each segment's window in octets, by the index of its event.

    It is scaled as RFC 7323 §2.2 says: only if both SYNs offered to, and never on a SYN.
    """
    offers: dict[tuple[str, str], int] = {}
    windows: dict[int, int] = {}
    for event in timeline.segments():
        segment, key = event.segment, (event.conn, event.sender)
        if segment.has(Flags.SYN):
            for option in segment.options:
                if isinstance(option, WindowScale):
                    offers[key] = option.effective
            shift = 0
        else:
            shift = offers.get(key, 0) if (event.conn, event.receiver) in offers else 0
        windows[event.i] = segment.wnd_octets << shift
    return windows


def familiar(timeline: Timeline) -> frozenset[int]:
    """The SYNs of connections whose ends have offered all that in one connection before, by the
    indices of their events. What is answered otherwise than there is told, both SYNs of it.
    Timestamps differ in every segment: that there are any is the same.
    """
    offers: dict[str, set[tuple[str, Flags, tuple[object, ...]]]] = {}
    syns = [event for event in timeline.segments() if event.segment.has(Flags.SYN)]
    for event in syns:
        options = tuple(
            Timestamps if isinstance(each, Timestamps) else each for each in event.segment.options
        )
        offers.setdefault(event.conn, set()).add((event.sender, event.segment.flags, options))
    told: list[set[tuple[str, Flags, tuple[object, ...]]]] = []
    found: set[str] = set()
    for conn, offered in offers.items():
        if any(offered <= earlier for earlier in told):
            found.add(conn)
        else:
            told.append(offered)
    return frozenset(event.i for event in syns if event.conn in found)


def is_quoted(event: SegmentEvent, report: IcmpEvent) -> bool:
    """Is it a segment between the ports that the ICMP error quotes?"""
    return (event.segment.src.port, event.segment.dst.port) == (report.sport, report.dport)


def ports(timeline: Timeline, left: str, right: str) -> dict[str, tuple[int, int]]:
    """The ports of every connection's left and right end, from the first segment between them."""
    found: dict[str, tuple[int, int]] = {}
    for event in timeline.segments():
        src, dst = event.segment.src.port, event.segment.dst.port
        if (event.sender, event.receiver) == (left, right):
            found.setdefault(event.conn, (src, dst))
        elif (event.sender, event.receiver) == (right, left):
            found.setdefault(event.conn, (dst, src))
    return found
