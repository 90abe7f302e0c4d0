"""Connections between the same two addresses, one after the other: what became of the first?"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.text import Text


def heir(conversation: Conversation) -> str | None:
    """The next connection between its two addresses; None if there was none."""
    if not conversation.segments:
        return None
    last = conversation.segments[-1]
    ends = {last.segment.src, last.segment.dst}
    for event in conversation.timeline.segments():
        later = event.i > last.i and event.conn != conversation.conn
        if later and {event.segment.src, event.segment.dst} == ends:
            return event.conn
    return None


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding if another connection took its ports over before it had ended."""
    closing, successor = conversation.closing, heir(conversation)
    ended = conversation.reset is not None or (closing is not None and closing.complete)
    opened = conversation.opening is None or conversation.opening.completed
    if successor is not None and opened and not ended:
        yield Finding(
            id="close.inherited",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text(
                "It was not closed: connection {conn} took over its ports, so what came of it "
                "shows there.",
                conn=successor,
            ),
            events=() if closing is None else closing.indices,
        )
