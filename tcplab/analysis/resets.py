"""RST: a closed port, an abort, or the work of a device in between."""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.failures import with_failures
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries import resets as forged_resets
from tcplab.analysis.hops import made_elsewhere
from tcplab.analysis.roles import Opening
from tcplab.analysis.two_answers import TwoAnswers, two_answers
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import lane


def findings(conversation: Conversation) -> Iterator[Finding]:
    """What the resets say. A forged one is told as a forgery, and as nothing else."""
    forgeries = tuple(forged_resets.findings(conversation))
    yield from forgeries
    told = {i for forgery in forgeries for i in forgery.events}
    both = two_answers(conversation)
    if both is not None and both.reset.i not in told:
        yield _middle(*(made_elsewhere(conversation, both.reset) or _contradicted(both)))
        told.add(both.reset.i)
    refusal, reset = _refusal(conversation), conversation.reset
    for event in filter(None, (refusal, reset)):
        if event.i in told:
            continue
        forged = made_elsewhere(conversation, event)
        if forged is not None:
            yield _middle(*forged)
        elif event is refusal and conversation.opening is not None:
            yield _closed(conversation.opening, event)
        elif conversation.kept_nothing(event.sender):
            continue  # what was never there is not reset
        elif conversation.opening is None or conversation.opening.completed:
            yield _abort(conversation, event)


# --- instead of a SYN, ACK ----------------------------------------------------------------------


def _refusal(conversation: Conversation) -> SegmentEvent | None:
    """The RST with which the other end answered the SYN."""
    opening = conversation.opening
    if opening is None or opening.begun:
        return None
    for event in conversation.replies:
        if event.segment.has(Flags.RST):
            return event
    return None


def _closed(opening: Opening, refusal: SegmentEvent) -> Finding:
    segment = refusal.segment
    wanted = opening.syn.segment.seq + 1
    right = segment.has(Flags.ACK) and any(segment.ack == s.segment.seq + 1 for s in opening.syns)
    if right:
        verdict = Verdict.NO
        sentence = Text(
            "Port {port} is closed: the {peer} answered the SYN with RST, ACK, and its ACK is "
            "ISN + 1 ({ack}), so it is an answer to this SYN.",
            port=segment.src.port,
            peer=end(opening.peer),
            ack=int(segment.ack),
        )
    else:
        verdict = Verdict.INCONCLUSIVE
        sentence = Text(
            "An RST came that does not acknowledge the SYN (ISN + 1 is {wanted}): it proves "
            "nothing, and a TCP in SYN-SENT ignores it (RFC 9293 §3.10.7.3).",
            wanted=int(wanted),
        )
    return Finding(
        id="open.closed",
        verdict=verdict,
        sentence=sentence,
        events=tuple(sorted((opening.syn.i, refusal.i))),
    )


def _contradicted(both: TwoAnswers) -> tuple[Text, tuple[int, ...]]:
    """What speaks against the RST is the SYN, ACK."""
    sentence = Text(
        "The SYN got two answers, RST, ACK and SYN, ACK, and each acknowledges ISN + 1 ({ack}). "
        "One TCP gives only one of them: a device in between sent the RST in the name of the "
        "{host}.",
        ack=int(both.answer.segment.ack),
        host=end(both.answer.sender),
    )
    return sentence, tuple(sorted((both.reset.i, both.answer.i)))


def _middle(sentence: Text, proof: tuple[int, ...]) -> Finding:
    return Finding(id="open.middle-reset", verdict=Verdict.NO, sentence=sentence, events=proof)


# --- of an open connection ----------------------------------------------------------------------


def _abort(conversation: Conversation, reset: SegmentEvent) -> Finding:
    verdict, sentence = _aborted(conversation, reset)
    sentence, failed = with_failures(sentence, conversation, reset)
    return Finding(id="close.abort", verdict=verdict, sentence=sentence, events=(reset.i, *failed))


def _aborted(conversation: Conversation, reset: SegmentEvent) -> tuple[Verdict, Text]:
    ends = (reset.sender, reset.receiver)
    after = lane(reset, reset.receiver)
    if after is not None and after.after not in (State.CLOSED, State.LISTEN):
        return Verdict.NO, Text(
            "The RST of the {host} did not end the connection: the {peer} is still in {state}.",
            host=end(reset.sender),
            peer=end(reset.receiver),
            state=str(after.after),
        )
    waiting = [host for host in ends if State.TIME_WAIT in conversation.path(host)]
    if waiting:
        return Verdict.NO, Text(
            "The {host} sent RST, and yet the {waiting} went through TIME-WAIT.",
            host=end(reset.sender),
            waiting=end(waiting[0]),
        )
    if _is_answer(conversation, reset):
        return Verdict.YES, Text(
            "Reset: the {host} answered with RST, which nobody acknowledges, and the connection is "
            "gone at once, without TIME-WAIT at either end.",
            host=end(reset.sender),
        )
    return Verdict.YES, Text(
        "Abort: the {host} sent RST, which nobody acknowledges, and the connection is gone at "
        "once, without TIME-WAIT at either end.",
        host=end(reset.sender),
    )


def _is_answer(conversation: Conversation, reset: SegmentEvent) -> bool:
    """Was it a segment that provoked it, and no call?"""
    cause = None if reset.cause is None else conversation.timeline.events[reset.cause]
    return isinstance(cause, SegmentEvent)
