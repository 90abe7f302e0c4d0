"""A forged RST. An end cannot tell it from its peer's.

It believes one whose sequence number is exactly the next one that it expects; one that is merely in
its window it questions with a challenge ACK, not more often than it likes; and what lies outside it
drops in silence (RFC 9293 §3.10.7.4, RFC 5961 §3.2). Linux believes two more, both measured
(net/ipv4/tcp_input.c, 6.18): in CLOSE-WAIT, CLOSING and LAST-ACK the number of the peer's FIN, one
less than the next (`tcp_reset_check`), and after a gap the right edge of the highest block that it
has selectively acknowledged (`tcp_validate_incoming`).
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.failures import with_failures
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries.forged import Forged, bearer_of, forged, proof, with_word
from tcplab.analysis.forgeries.limits import rate_limited
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.timeline import lane

_NOT_YET_OPEN = frozenset({State.CLOSED, State.LISTEN, State.SYN_SENT})
_FIN_TAKEN = frozenset({State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK})


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding for each that met an open connection, or a SYN, and whose effect was seen. Those
    that had none, for the same reason, are told together.
    """
    yield from _refusals(conversation)
    outside: list[Forged] = []
    limited: list[Forged] = []
    for each in forged(conversation, _is_reset):
        if each.lane.before in _NOT_YET_OPEN:
            continue
        if each.lane.after is State.CLOSED:
            yield from _believed(conversation, each)
        elif each.without_effect and each.answer is not None:
            yield _challenged(each)
        elif each.without_effect and each.in_window is not None:
            (limited if each.in_window else outside).append(each)
    yield from rate_limited(conversation, limited, kind="reset")
    if outside:
        yield _outside(outside)


def _is_reset(event: SegmentEvent) -> bool:
    return event.segment.has(Flags.RST)


def _refusals(conversation: Conversation) -> Iterator[Finding]:
    """TCP in SYN-SENT believes an RST that acknowledges its SYN (RFC 9293 §3.10.7.3)."""
    for event in conversation.segments:
        if event.fate is not Fate.INJECTED or not _is_reset(event):
            continue
        found, bearer = lane(event, event.receiver), bearer_of(conversation, event)
        if found is None or bearer is None:
            continue
        if found.before is State.SYN_SENT and found.after is State.CLOSED:
            yield Finding(
                id="open.refused-on-the-way",
                verdict=Verdict.NO,
                sentence=Text(
                    "The TCP of the {bearer} did not send this RST: it was put on the wire in the "
                    "{bearer}'s name. It acknowledges ISN + 1 ({ack}), so to the {host} the port "
                    "is closed: SYN-SENT → CLOSED.",
                    bearer=end(bearer),
                    host=end(event.receiver),
                    ack=int(event.segment.ack),
                ),
                events=(event.i,),
            )


# --- believed -----------------------------------------------------------------------------------


def _believed(conversation: Conversation, each: Forged) -> Iterator[Finding]:
    why = _why_believed(each)
    if why is None:
        return
    sentence = _half_open(each, why)
    sentence, failed = with_failures(sentence, conversation, each.event, host=each.victim)
    more = failed if each.exact or each.last is None else (each.last.i, *failed)
    yield Finding(
        id="reset.forged", verdict=Verdict.YES, sentence=sentence, events=proof([each], *more)
    )


def _why_believed(each: Forged) -> Text | None:
    if each.expected is None:
        return None
    ahead = each.event.segment.seq - each.expected
    words: dict[str, str | int | Text] = {
        "bearer": end(each.bearer),
        "host": end(each.victim),
        "seq": int(each.event.segment.seq),
        "before": str(each.lane.before),
    }
    if ahead == 0:
        return Text(
            "The TCP of the {bearer} did not send this RST: it was put on the wire in the "
            "{bearer}'s name. Its sequence number is exactly the next one that the {host} expected "
            "({seq}), so the {host} believed it: {before} → CLOSED.",
            **words,
        )
    if ahead == -1 and each.lane.before in _FIN_TAKEN:
        return Text(
            "The TCP of the {bearer} did not send this RST: it was put on the wire in the "
            "{bearer}'s name. Its sequence number ({seq}) is that of the FIN, one less than the "
            "next. Once it has the peer's FIN, Linux believes that one as well, since some systems "
            "reset with it: {before} → CLOSED.",
            **words,
        )
    if 0 < ahead == each.sacked_octets:
        return Text(
            "The TCP of the {bearer} did not send this RST: it was put on the wire in the "
            "{bearer}'s name. Its sequence number ({seq}) is not the next one ({expected}) but the "
            "right edge of the highest block that the {host} had acknowledged selectively. Linux "
            "believes that one as well, since a peer whose earlier segments were lost resets "
            "there: {before} → CLOSED.",
            **words,
            expected=int(each.expected),
        )
    return None


def _half_open(each: Forged, sentence: Text) -> Text:
    """What the end whose name was used knows of it."""
    own = lane(each.event, each.bearer)
    if own is None or own.after is not State.ESTABLISHED:
        return sentence
    return Text(
        "{told} The {bearer} was told nothing and stays in {state}: half-open.",
        told=sentence,
        bearer=end(each.bearer),
        state=str(own.after),
    )


# --- not believed -------------------------------------------------------------------------------


def _challenged(each: Forged) -> Finding:
    return Finding(
        id="reset.challenged",
        verdict=Verdict.YES,
        sentence=with_word(
            Text(
                "The RST in the {bearer}'s name did not end the connection: its sequence number is "
                "{seq}, and the next one that the {host} expects is {expected}. In the window but "
                "not exact, it gets a challenge ACK, to which the real {bearer} would send an "
                "exact RST if it were gone (RFC 9293 §3.10.7.4).",
                bearer=end(each.bearer),
                host=end(each.victim),
                seq=int(each.event.segment.seq),
                expected=int(each.answer.segment.ack) if each.answer is not None else 0,
            ),
            [each],
        ),
        events=proof([each]),
    )


def _outside(several: list[Forged]) -> Finding:
    first = several[0]
    return Finding(
        id="reset.outside",
        verdict=Verdict.YES,
        sentence=with_word(
            Text(
                "RSTs in the {bearer}'s name that were dropped without a word: {count}. The next "
                "number that the {host} expects is {expected}, its window reaches {wnd} octets "
                "from there, and {seq} is outside (RFC 9293 §3.10.7.4).",
                bearer=end(first.bearer),
                host=end(first.victim),
                count=len(several),
                expected=0 if first.expected is None else int(first.expected),
                wnd=first.wnd_octets or 0,
                seq=int(first.event.segment.seq),
            ),
            several,
        ),
        events=proof(several),
    )
