"""RST: a closed port, an abort, or the work of a device in between."""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.hops import made_elsewhere
from tcplab.analysis.roles import Opening
from tcplab.analysis.wording import end, listed
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text, verbatim
from tcplab.timeline.events import CallEvent, SegmentEvent
from tcplab.timeline.timeline import lane


def findings(conversation: Conversation) -> Iterator[Finding]:
    """What the resets say. A forged one is told as a forgery, and as nothing else."""
    refusal, reset = _refusal(conversation), conversation.reset
    for event in filter(None, (refusal, reset)):
        forged = made_elsewhere(conversation, event)
        if forged is not None:
            yield _middle(*forged)
        elif event is refusal and conversation.opening is not None:
            yield _closed(conversation.opening, event)
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


def _middle(sentence: Text, proof: tuple[int, ...]) -> Finding:
    return Finding(id="open.middle-reset", verdict=Verdict.NO, sentence=sentence, events=proof)


# --- of an open connection ----------------------------------------------------------------------


def _abort(conversation: Conversation, reset: SegmentEvent) -> Finding:
    failed = _failed_calls(conversation, reset)
    verdict, sentence = _aborted(conversation, reset)
    if failed:
        sentence = Text(
            "{aborted} What the applications saw: {calls}.",
            aborted=sentence,
            calls=listed([_failure(call) for call in failed]),
        )
    return Finding(
        id="close.abort",
        verdict=verdict,
        sentence=sentence,
        events=(reset.i, *(call.i for call in failed)),
    )


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
    return Verdict.YES, Text(
        "Abort: the {host} sent RST, which nobody acknowledges, and the connection is gone at "
        "once, without TIME-WAIT at either end.",
        host=end(reset.sender),
    )


def _failed_calls(conversation: Conversation, reset: SegmentEvent) -> list[CallEvent]:
    return [
        event
        for event in conversation.timeline.events[reset.i :]
        if isinstance(event, CallEvent) and event.conn == conversation.conn
        if event.result.startswith("E") and event.result != "EAGAIN"
    ]


def _failure(call: CallEvent) -> Text:
    return Text(
        "{call} at the {host} failed with {errno}",
        call=verbatim(f"{call.name}()"),
        host=end(call.host),
        errno=call.result,
    )
