"""Findings about several connections: each names its own, and alike ones are told once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tcplab.analysis.finding import Finding
from tcplab.render.acts import of_connections
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, SegmentEvent
from tcplab.timeline.timeline import Timeline

_NAMED = 4
"""So many connections of which the same is true are named; of more it is said how many."""
_NUMBER = re.compile(r"\d+")


def gathered(
    findings: Sequence[Finding], timeline: Timeline, *, verbose: bool = False
) -> Iterator[Finding]:
    """The findings, in their order. Those of several connections that differ in numbers only become
    the first of them, with the proof of all; `verbose` tells every one.
    """
    kinds: dict[object, list[tuple[str, Finding]]] = {}
    for n, (each, conn) in enumerate(_with_connections(findings, timeline)):
        kind = (each.id, each.verdict, _NUMBER.sub("0", str(each.sentence)))
        told_once = conn and not verbose
        kinds.setdefault(kind if told_once else n, []).append((conn, each))
    for alike in kinds.values():
        yield from _told(alike)


def _told(alike: Sequence[tuple[str, Finding]]) -> Iterator[Finding]:
    """One finding for the connections that have it; all, if one of them has it twice."""
    conns = [conn for conn, _ in alike]
    if len(set(conns)) < len(conns):
        for one in alike:
            yield from _told((one,))
        return
    (conn, first), *others = alike
    sentence = of_connections((conn,), first.sentence) if conn else first.sentence
    if len(others) > _NAMED:
        sentence = Text(
            "{sentence} And {count} more like it.", sentence=sentence, count=len(others)
        )
    elif len(others) > 1:
        names = ", ".join(conns[1:])
        sentence = Text("{sentence} Likewise connections {names}.", sentence=sentence, names=names)
    elif others:
        sentence = Text("{sentence} Likewise connection {name}.", sentence=sentence, name=conns[1])
    yield replace(first, sentence=sentence, events=tuple(i for _, one in alike for i in one.events))


def _with_connections(
    findings: Sequence[Finding], timeline: Timeline
) -> Iterator[tuple[Finding, str]]:
    """Each finding with the connection it is about; empty if it is about none or several.

    The findings about one connection follow one another, so one that cites nothing is about that of
    the one before it.
    """
    conns = {
        event.i: event.conn
        for event in timeline.events
        if isinstance(event, SegmentEvent | CallEvent)
    }
    conn = ""
    for each in findings:
        if each.events:
            about = {conns[i] for i in each.events if i in conns}
            conn = about.pop() if len(about) == 1 else ""
        yield each, conn
