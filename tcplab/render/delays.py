"""Delays that are so common in a run that they are told once, above the ladder.

A rule of the wire that delays every segment of a connection would otherwise put the same words
under every arrow.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.timeline import Timeline

_LEAST = 4
"""Fewer delayed segments are told one by one."""
_SHARE = 0.8
"""So many of those that arrived have to be delayed, from the first delayed one on."""
_ARRIVED = frozenset({Fate.DELIVERED, Fate.CAPTURED, Fate.DELAYED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """What the wire does to nearly every segment of these connections (of all, if `everywhere`).

    `first` is the index of the first one told, `late` says whether others went before it.
    `least_ns` is the shortest of the delays, `delayed` are all that it delayed, and `spared` those
    after the first that it did not.
    """

    rule: str
    conns: tuple[str, ...]
    everywhere: bool
    first: int
    late: bool
    least_ns: int
    delayed: frozenset[int]
    spared: frozenset[int]


def common(timeline: Timeline, rules: Mapping[int, list[str]]) -> Iterator[Delay]:
    """The delays to be told once; `rules` names the rules that acted on each segment."""
    arrived: dict[str, list[SegmentEvent]] = {}
    place: dict[int, int] = {}
    for event in timeline.told():
        if not isinstance(event, SegmentEvent):
            continue
        place[event.i] = len(place)
        segments = arrived.setdefault(event.conn, [])
        if event.fate in _ARRIVED and event.delivered_ns is not None:
            segments.append(event)
    by_rule: dict[str, list[str]] = {}
    for conn, segments in arrived.items():
        rule = _commonest(segments, rules)
        if rule is not None:
            by_rule.setdefault(rule, []).append(conn)
    for rule, conns in by_rule.items():
        segments = [each for conn in conns for each in arrived[conn]]
        segments.sort(key=lambda each: place[each.i])
        delayed = [each for each in segments if _is_delayed(each, rule, rules)]
        first = delayed[0].i
        yield Delay(
            rule=rule,
            conns=tuple(conns),
            everywhere=len(conns) == len(arrived),
            first=first,
            late=segments[0].i != first,
            least_ns=min((each.delivered_ns or each.at_ns) - each.at_ns for each in delayed),
            delayed=frozenset(each.i for each in delayed),
            spared=frozenset(
                each.i
                for each in segments
                if place[each.i] > place[first] and each.fate is not Fate.DELAYED
            ),
        )


def _commonest(segments: list[SegmentEvent], rules: Mapping[int, list[str]]) -> str | None:
    """The rule that delays nearly all of one connection's segments, if there is one."""
    found = Counter(
        rules[each.i][0]
        for each in segments
        if each.fate is Fate.DELAYED and len(rules.get(each.i, ())) == 1
    )
    for rule, count in found.most_common(1):
        first = next(n for n, each in enumerate(segments) if _is_delayed(each, rule, rules))
        if count >= _LEAST and count >= _SHARE * len(segments[first:]):
            return rule
    return None


def _is_delayed(event: SegmentEvent, rule: str, rules: Mapping[int, list[str]]) -> bool:
    return event.fate is Fate.DELAYED and rules.get(event.i) == [rule]
