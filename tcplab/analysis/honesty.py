"""What the run cannot prove: frames were lost, looks were missed, or it was cut short."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tcplab.analysis.finding import Finding, Verdict
from tcplab.text import Text
from tcplab.timeline.events import Fate, IcmpEvent, SegmentEvent
from tcplab.timeline.timeline import Stack, Timeline, lane


def absence(timeline: Timeline) -> Verdict:
    """The verdict on something that did not happen: an interrupted run did not wait for it."""
    return Verdict.INCONCLUSIVE if timeline.interrupted else Verdict.NO


def tempered(findings: Iterable[Finding], timeline: Timeline) -> tuple[Finding, ...]:
    """The findings, none of which is conclusive if the capture has lost frames."""
    if not timeline.drops:
        return tuple(findings)
    return tuple(replace(finding, verdict=Verdict.INCONCLUSIVE) for finding in findings)


def findings(timeline: Timeline) -> Iterator[Finding]:
    """What makes the run less than a proof; nothing, if all is well."""
    if timeline.drops:
        yield Finding(
            id="run.drops",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text(
                "Frames that the capture lost: {count}. So this run proves nothing.",
                count=timeline.drops,
            ),
        )
    if timeline.interrupted:
        yield Finding(
            id="run.interrupted",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text("The run was cut short: what is missing here may just not have come."),
        )
    # Where an ICMP error came instead of a segment, that is what was seen.
    if not any(isinstance(event, SegmentEvent | IcmpEvent) for event in timeline.events):
        yield Finding(
            id="run.empty",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text("No segment was seen."),
        )
    unseen = tuple(event.i for event in timeline.segments() if _unseen(timeline, event))
    if unseen:
        yield Finding(
            id="run.snapshots",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text(
                "Segments without a look at both ends: {count}. So the states prove nothing.",
                count=len(unseen),
            ),
            events=unseen,
        )


def _unseen(timeline: Timeline, event: SegmentEvent) -> bool:
    """Was a segment delivered without a look at an end that can be looked into?"""
    if event.fate is not Fate.DELIVERED:
        return False
    for host in timeline.hosts:
        found = lane(event, host.name)
        if host.stack is Stack.REMOTE or host.name not in (event.sender, event.receiver):
            continue
        if found is None or (host.stack is Stack.KERNEL and not found.source.observed):
            return True
    return False
