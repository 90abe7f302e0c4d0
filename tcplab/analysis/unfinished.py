"""A connection that was not closed by both ends: still open, half-open, or given up without a
word.
"""

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.roles import Closing, arrived
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, SegmentEvent

_CLOSES = frozenset({"close", "shutdown"})


def unfinished(
    conversation: Conversation, closing: Closing | None, *, closer: str | None = None
) -> Finding:
    """How far the close came, of a connection that was opened and not closed by both ends.

    `closer` is the end that has closed in vain, if one has.
    """
    alone = _abandoned(conversation) if closing is None and closer is None else None
    if alone is not None:
        return alone
    verdict = absence(conversation.timeline)
    if verdict is Verdict.NO and closing is None and _left_open(conversation):
        verdict = Verdict.YES
    if closing is None and closer is not None:
        sentence = _withheld(conversation, closer)
    elif closing is None:
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


def closed_in_vain(conversation: Conversation, reset: SegmentEvent) -> str | None:
    """The sender of `reset`, if its program had closed in good order and aborted only then."""
    calls = [
        event.name
        for event in conversation.timeline.events[: reset.i]
        if isinstance(event, CallEvent)
        and (event.host, event.conn, event.result) == (reset.sender, reset.conn, "0")
    ]
    # Ctrl-C may come between the FIN and the note of the call that sent it.
    closing = conversation.closing
    closed = _CLOSES & set(calls) or (closing and closing.first.sender == reset.sender)
    return reset.sender if closed and "abort" in calls else None


def _withheld(conversation: Conversation, closer: str) -> Text:
    """Why no FIN was seen of an end that has closed."""
    heard = [
        event.segment
        for event in conversation.segments
        if event.receiver == closer and event.segment.has(Flags.ACK) and arrived(event)
    ]
    if heard and not heard[-1].wnd_octets:
        return Text(
            "The {host} closed, but its FIN never left: the other end's window is 0, and a FIN "
            "needs room for its number.",
            host=end(closer),
        )
    return Text("The {host} closed, but no FIN of it was seen.", host=end(closer))


def _left_open(conversation: Conversation) -> bool:
    """Did programs use the connection, and none of them close it? Then it is meant to be open."""
    calls = {
        event.name
        for event in conversation.timeline.events
        if isinstance(event, CallEvent) and event.conn == conversation.conn
    }
    return bool(calls) and not calls & (_CLOSES | {"abort"})


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
