"""Everything that a timeline proves."""

from tcplab.analysis import (
    assassination,
    closing_losses,
    damage,
    data,
    embryonic,
    expectations,
    fast_retransmit,
    half_open,
    handshake,
    honesty,
    incarnations,
    negotiation,
    reset_reasons,
    resets,
    retransmission,
    rto,
    shield,
    stolen,
    syn_cookies,
    teardown,
    unanswered,
    window,
    witness,
)
from tcplab.analysis.conversation import conversations
from tcplab.analysis.finding import Finding
from tcplab.analysis.forgeries import aftermath, opening, stream, syns
from tcplab.timeline.timeline import Timeline

_CONCEPTS = (
    handshake,
    negotiation,
    syn_cookies,
    rto,
    embryonic,
    half_open,
    opening,
    unanswered,
    data,
    retransmission,
    fast_retransmit,
    window,
    damage,
    stolen,
    syns,
    stream,
    resets,
    aftermath,
    reset_reasons,
    teardown,
    closing_losses,
    assassination,
    incarnations,
    shield,
    witness,
)
"""Each has `findings(conversation)`; they are told in the order of a connection's life."""


def explain(timeline: Timeline) -> tuple[Finding, ...]:
    """The findings about every connection of the timeline, after what limits them all and before
    what the scenario expected.

    They are derived from the events alone. What the run was meant to show plays no part in what is
    said of its connections.
    """
    found = list(honesty.findings(timeline))
    for conversation in conversations(timeline):
        for concept in _CONCEPTS:
            found += concept.findings(conversation)
    found += expectations.findings(timeline)
    return honesty.tempered(found, timeline)
