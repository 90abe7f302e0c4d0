"""What the scenario expected, and whether it was seen: one finding an expectation."""

from collections.abc import Iterator

from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.wording import listed
from tcplab.text import Text
from tcplab.timeline.events import ExpectEvent
from tcplab.timeline.timeline import Timeline


def expected(timeline: Timeline) -> tuple[ExpectEvent, ...]:
    """All that the scenario expected, in order; empty for a run that was only to be watched."""
    return tuple(event for event in timeline.events if isinstance(event, ExpectEvent))


def findings(timeline: Timeline) -> Iterator[Finding]:
    """One finding an expectation: "expect.1", "expect.2" and so on, each proved by its event."""
    for number, event in enumerate(expected(timeline), start=1):
        yield Finding(
            id=f"{_KIND}{number}",
            verdict=Verdict.YES if event.met else absence(timeline),
            sentence=_sentence(event),
            events=(event.i,),
        )


def is_expectation(finding: Finding) -> bool:
    """Is the finding about what a scenario expected, not about what a connection did?"""
    return finding.id.startswith(_KIND)


def instead(event: ExpectEvent) -> tuple[Text, ...]:
    """What each name of the predicate stood for when it was looked at last."""
    return tuple(
        Text("{name} was {value}", name=name, value=value)
        if value
        else Text("{name} was not known", name=name)
        for name, value in event.found
    )


def _sentence(event: ExpectEvent) -> Text:
    if event.met:
        return Text("Expected and seen: {predicate}.", predicate=event.predicate)
    if not event.found:
        return Text("Expected, but not seen: {predicate}.", predicate=event.predicate)
    found = listed(instead(event))
    return Text("Expected {predicate}; instead {found}.", predicate=event.predicate, found=found)


_KIND = "expect."
