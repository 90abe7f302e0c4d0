"""The joint trace: what happened in a run, without what is random in it.

Two runs of a scenario that hangs on no timer have the same one. Times, ports, initial sequence
numbers, windows, options and defaults are left out; relative numbers, lengths, fates, calls with
their results, and both ends' states before and after each act stay. A number that has nothing to do
with its connection, since it belongs to an earlier one between the same ports, is "foreign": it is
random, too.
"""

from collections.abc import Mapping

from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import (
    CallEvent,
    Event,
    ExpectEvent,
    Fate,
    Lane,
    SegmentEvent,
    WireEvent,
)
from tcplab.timeline.relative import isns, relative
from tcplab.timeline.timeline import Timeline, effect_ns

_FOREIGN = "foreign"
_BEFORE, _BEYOND = 4096, 1 << 20
"""Octets before an ISN, and beyond the last octet sent: what is farther away is foreign."""

Origins = Mapping[tuple[str, str], Seq]


def joint_trace(timeline: Timeline) -> str:
    """One line an act, in the order of their effect: what happened, and both ends' states.

    Where a run has several connections, a line begins with the connection's name.
    """
    origins = isns(timeline)
    reach = _reach(timeline, origins)
    several = len({event.conn for event in timeline.segments()}) > 1
    lines = []
    for event in sorted(filter(_is_act, timeline.events), key=_place):
        match event:
            case SegmentEvent():
                what, lanes, conn = _segment(event, origins, reach), event.lanes, event.conn
            case CallEvent():
                what = f"{event.host} {event.name}({_arguments(event)}) = {event.result}"
                lanes, conn = event.lanes, event.conn
            case ExpectEvent():
                what, lanes, conn = (
                    f"{'met' if event.met else 'NOT MET'}: {event.predicate}",
                    (),
                    "",
                )
            case WireEvent():
                what, lanes, conn = event.rule, (), ""
            case _:
                continue
        name = f"{conn:3} " if several else ""
        lines.append(f"{name}{what:58} {'   '.join(map(_states, lanes))}".rstrip())
    return "\n".join(lines) + "\n"


def _is_act(event: Event) -> bool:
    """A rule that acted on a segment shows in that segment's fate."""
    if isinstance(event, WireEvent):
        return event.segment is None
    return isinstance(event, SegmentEvent | CallEvent | ExpectEvent)


def _place(event: Event) -> tuple[int, int]:
    if isinstance(event, SegmentEvent | CallEvent):
        return effect_ns(event), event.i
    return event.at_ns, event.i


def _reach(timeline: Timeline, origins: Origins) -> dict[str, int]:
    """By connection, the highest relative number of all that its own ends sent."""
    reach: dict[str, int] = {}
    for event in timeline.segments():
        if event.fate is not Fate.INJECTED and event.segment.len_octets:
            last = _signed(relative(event, origins)[0]) + event.segment.len_octets
            reach[event.conn] = max(last, reach.get(event.conn, 0))
    return reach


def _signed(number: int) -> int:
    return number - (1 << 32) if number >= 1 << 31 else number


def _segment(event: SegmentEvent, origins: Origins, reach: Mapping[str, int]) -> str:
    segment = event.segment
    seq, ack = relative(event, origins)
    last = reach.get(event.conn)

    def written(number: int) -> str:
        near = last is None or -_BEFORE <= _signed(number) <= last + _BEYOND
        return str(number) if near else _FOREIGN

    words = [f"{event.sender} > {event.receiver} {segment.flags.written} seq {written(seq)}"]
    if ack is not None:
        words.append(f"ack {written(ack)}")
    if segment.data_octets:
        words.append(f"len {segment.data_octets}")
    if event.fate.value != "delivered":
        words.append(event.fate.value)
    return " ".join(words)


def _arguments(event: CallEvent) -> str:
    """Without an option's default, which is another machine's another one."""
    return event.arguments.partition(", default ")[0]


def _states(lane: Lane) -> str:
    if lane.before is lane.after:
        return f"{lane.host} {lane.after}"
    return f"{lane.host} {lane.before} → {lane.after}"
