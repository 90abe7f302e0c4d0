"""Segments of a close that were lost, and the state in which that keeps their sender.

A FIN that nobody has acknowledged keeps its sender in FIN-WAIT-1 (RFC 9293 §3.6), and a lost ACK of
the second FIN keeps the other end in LAST-ACK. TIME-WAIT begins only with the peer's own FIN.
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.roles import acknowledges, arrived
from tcplab.analysis.wording import end, how, walked
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text, verbatim
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.timeline import lane


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One for the end whose FIN was lost first, and one if the last ACK was; nothing for a close in
    which nothing was lost.
    """
    fins = [
        event
        for event in conversation.segments
        if event.segment.has(Flags.FIN) and event.fate is not Fate.INJECTED
    ]
    for host in dict.fromkeys(event.sender for event in fins):
        own = [event for event in fins if event.sender == host]
        if not arrived(own[0]):
            yield _fin_lost(conversation, own)
            break
    closing = conversation.closing
    if closing is not None and closing.second is not None and not closing.crossed:
        lost = _lost_ack(conversation, closing.second)
        if lost is not None:
            yield _last_ack_lost(conversation, closing.second, lost)


# --- the FIN ------------------------------------------------------------------------------------


def _fin_lost(conversation: Conversation, fins: list[SegmentEvent]) -> Finding:
    """`fins` are all of one end's; the first of them never came."""
    host = fins[0].sender
    came = next(filter(arrived, fins), None)
    lost = fins if came is None else fins[: fins.index(came)]
    states = _states(conversation, lost[0], came)
    strange = [state for state in states if state not in _UNACKNOWLEDGED]
    if not states:
        verdict = Verdict.INCONCLUSIVE
        meanwhile = Text("Its states meanwhile are not known.")
    elif strange:
        verdict = Verdict.NO
        meanwhile = Text(
            "Meanwhile it was in {states} ({how}), though nobody had acknowledged its FIN.",
            states=walked(states),
            how=how(conversation.source(host)),
        )
    else:
        verdict = Verdict.YES
        meanwhile = Text(
            "Meanwhile it was in {states} ({how}), not in TIME-WAIT, since nobody had "
            "acknowledged its FIN.",
            states=walked(states),
            how=how(conversation.source(host)),
        )
    if came is None:
        outcome = Text("None has arrived.")
    else:
        outcome = Text("It sent the FIN again until one arrived.")
    return Finding(
        id="close.fin-lost",
        verdict=verdict,
        sentence=Text(
            "Lost FINs of the {host}: {count}. {meanwhile} {outcome}",
            host=end(host),
            count=len(lost),
            meanwhile=meanwhile,
            outcome=outcome,
        ),
        events=tuple(event.i for event in (*lost, *(() if came is None else (came,)))),
    )


_UNACKNOWLEDGED = frozenset({State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK, State.CLOSED})
"""Where an end may be whose FIN is not acknowledged; CLOSED once it has given up."""


def _states(
    conversation: Conversation, first: SegmentEvent, came: SegmentEvent | None
) -> tuple[State, ...]:
    """The sender's states from its first FIN on until one has come, as far as they are known."""
    states: list[State] = []
    for event in conversation.segments:
        if event.i < first.i or (came is not None and event.i >= came.i):
            continue
        found = lane(event, first.sender)
        if found is not None and states[-1:] != [found.after]:
            states.append(found.after)
    return tuple(states)


# --- the last ACK -------------------------------------------------------------------------------


def _lost_ack(conversation: Conversation, fin: SegmentEvent) -> SegmentEvent | None:
    """The first ACK of the second FIN, if that was lost."""
    acks = (event for event in conversation.segments if acknowledges(event, fin))
    first = next(acks, None)
    return None if first is None or arrived(first) else first


def _last_ack_lost(conversation: Conversation, fin: SegmentEvent, lost: SegmentEvent) -> Finding:
    again = [
        event
        for event in conversation.segments
        if event.i > lost.i and event.sender == fin.sender and event.segment.has(Flags.FIN)
    ]
    answer = _answer(conversation, again)
    verdict, outcome = _outcome(conversation, lost, answer)
    proof = (fin, lost, *again, *(() if answer is None else (answer,)))
    return Finding(
        id="close.last-ack-lost",
        verdict=verdict,
        sentence=Text(
            "The ACK of the {host}'s FIN was lost, which kept the {host} in {state} ({how}). "
            "{outcome}",
            host=end(fin.sender),
            state=_state(fin.sender, lost),
            how=how(conversation.source(fin.sender)),
            outcome=outcome,
        ),
        events=tuple(sorted({event.i for event in proof})),
    )


def _answer(conversation: Conversation, again: list[SegmentEvent]) -> SegmentEvent | None:
    """The ACK that a repeated FIN got."""
    for fin in filter(arrived, again):
        for event in conversation.segments:
            if acknowledges(event, fin) and arrived(event):
                return event
    return None


def _outcome(
    conversation: Conversation, lost: SegmentEvent, answer: SegmentEvent | None
) -> tuple[Verdict, Text]:
    if answer is None:
        return absence(conversation.timeline), Text("No other ACK has come.")
    found = lane(answer, lost.sender)
    if found is not None and found.before is not State.TIME_WAIT:
        return Verdict.NO, Text(
            "Its FIN came again and was answered, though the {peer} was in {state}, not in "
            "TIME-WAIT.",
            peer=end(lost.sender),
            state=str(found.before),
        )
    return Verdict.YES, Text(
        "It sent its FIN again, and the {peer}'s TIME-WAIT answered.", peer=end(lost.sender)
    )


def _state(host: str, event: SegmentEvent) -> Text:
    found = lane(event, host)
    return verbatim("?" if found is None else str(found.after))
