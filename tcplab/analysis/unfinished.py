"""A connection that was not closed by both ends: still open, half-open, or given up without a
word.
"""

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.roles import Closing
from tcplab.analysis.wording import end
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CallEvent


def unfinished(conversation: Conversation, closing: Closing | None) -> Finding:
    """How far the close came, of a connection that was opened and neither closed nor reset."""
    alone = _abandoned(conversation) if closing is None else None
    if alone is not None:
        return alone
    verdict = absence(conversation.timeline)
    if verdict is Verdict.NO and closing is None and _left_open(conversation):
        verdict = Verdict.YES
    if closing is None:
        sentence = Text("Neither end closed: the connection is still open.")
    elif closing.first_ack is None:
        sentence = Text(
            "The FIN of the {host} was not acknowledged.", host=end(closing.first.sender)
        )
    elif closing.second is None:
        sentence = Text(
            "Only the {host} closed: the {peer} acknowledged its FIN, but sent none of its own.",
            host=end(closing.first.sender),
            peer=end(closing.first.receiver),
        )
    else:
        sentence = Text(
            "Both ends closed, but the FIN of the {host} was not acknowledged.",
            host=end(closing.second.sender),
        )
    return Finding(
        id="close.unfinished",
        verdict=verdict,
        sentence=sentence,
        events=() if closing is None else closing.indices,
    )


def _left_open(conversation: Conversation) -> bool:
    """Did programs use the connection, and none of them close it? Then it is meant to be open."""
    calls = {
        event.name
        for event in conversation.timeline.events
        if isinstance(event, CallEvent) and event.conn == conversation.conn
    }
    return bool(calls) and not calls & {"close", "shutdown", "abort"}


def _abandoned(conversation: Conversation) -> Finding | None:
    """Half-open (RFC 9293 §3.5.1), or given up by both; None unless both ends were looked into, and
    at least one of them was synchronized and is no more.
    """
    opening = conversation.opening
    if opening is None:
        return None
    ends = (opening.opener, opening.peer)
    finals = [conversation.final(host) for host in ends]
    gone = [
        host
        for host, final in zip(ends, finals, strict=True)
        if final is State.CLOSED and any(s.synchronized for s in conversation.path(host))
    ]
    if not gone or None in finals:
        return None
    if len(gone) == len(ends):
        return Finding(
            id="close.given-up",
            verdict=Verdict.YES,
            sentence=Text(
                "No FIN was sent and no RST arrived: each end has given the connection up without "
                "the other one's knowing."
            ),
        )
    (left,) = (host for host in ends if host not in gone)
    return Finding(
        id="close.half-open",
        verdict=Verdict.YES,
        sentence=Text(
            "Half-open: the {host} has no socket for this connection any more, and the {peer} is "
            "still in {state}: nothing has told it.",
            host=end(gone[0]),
            peer=end(left),
            state=str(conversation.final(left)),
        ),
    )
