"""Everything that a timeline proves."""

from tcplab.analysis import (
    data,
    half_open,
    handshake,
    honesty,
    negotiation,
    resets,
    shield,
    teardown,
    unanswered,
    witness,
)
from tcplab.analysis.conversation import conversations
from tcplab.analysis.finding import Finding
from tcplab.timeline.timeline import Timeline

_CONCEPTS = (handshake, negotiation, half_open, unanswered, data, resets, teardown, shield, witness)
"""Each has `findings(conversation)`; they are told in the order of a connection's life."""


def explain(timeline: Timeline) -> tuple[Finding, ...]:
    """The findings about every connection of the timeline, after what limits them all.

    They are derived from the events alone: what the run was meant to show plays no part.
    """
    found = list(honesty.findings(timeline))
    for conversation in conversations(timeline):
        for concept in _CONCEPTS:
            found += concept.findings(conversation)
    return honesty.tempered(found, timeline)
