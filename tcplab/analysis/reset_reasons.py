"""Why an RST was sent, where the events alone prove it.

Each event names its cause. What made the sender send an RST, together with the state in which that
found the sender, leaves one reason (RFC 9293 §3.5.2 and §3.6.1, and Linux's own ones).
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.listeners import listens
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, Fate, SegmentEvent, Source
from tcplab.timeline.timeline import lane

_NO_SOCKET = frozenset({State.CLOSED, State.LISTEN})
_CLOSED_FIRST = frozenset({State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSING})
_STILL_OPEN = frozenset({State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT_1, State.FIN_WAIT_2})
_IN_BACKGROUND = frozenset({"drain", "play", "start-tls"})
"""Activities that read without a call that is told; under TLS fewer octets are read than came."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding a reason and host. The first RST for it is told, and all of them are its proof.

    Nothing of an RST that no host's TCP sent (`forgeries.resets`), whose cause is not known, or
    whose reason another finding tells.
    """
    told: dict[tuple[str, str], tuple[Text, list[int]]] = {}
    for reset in conversation.segments:
        if not reset.segment.has(Flags.RST) or reset.fate is Fate.INJECTED or reset.cause is None:
            continue
        cause = conversation.timeline.events[reset.cause]
        found = None
        if isinstance(cause, CallEvent):
            found = _by_call(conversation, reset, cause)
        elif isinstance(cause, SegmentEvent):
            found = _by_segment(conversation, reset, cause)
        if found is not None:
            kind, sentence = found
            _sentence, events = told.setdefault((reset.sender, kind), (sentence, []))
            events += [cause.i, reset.i]
    for sentence, events in told.values():
        yield Finding(
            id="reset.reason", verdict=Verdict.YES, sentence=sentence, events=tuple(sorted(events))
        )


# --- by a call ----------------------------------------------------------------------------------


def _by_call(
    conversation: Conversation, reset: SegmentEvent, call: CallEvent
) -> tuple[str, Text] | None:
    if (call.host, call.conn) != (reset.sender, reset.conn):
        return None
    host = end(reset.sender)
    match call.name:
        case "abort" if conversation.timeline.testbed.kind == "nic":
            return call.name, Text(
                "Why: outside the testbed tcplab leaves no connection open, so it aborted. An "
                "ABORT sends RST instead of FIN (RFC 9293 §3.10.5)."
            )
        case "abort":
            return call.name, Text(
                "Why: the program at the {host} closed with SO_LINGER set to 0 seconds. That is an "
                "ABORT, which sends RST instead of FIN (RFC 9293 §3.10.5).",
                host=host,
            )
        case "kill-socket":
            return call.name, Text(
                "Why: no program at the {host} closed, somebody destroyed its socket from outside "
                "(ss -K), and the kernel told the peer.",
                host=host,
            )
        case "close":
            return _unread(conversation, reset, call)
    return None


def _unread(
    conversation: Conversation, reset: SegmentEvent, close: CallEvent
) -> tuple[str, Text] | None:
    received, read = _received(conversation, reset), _read(conversation, close)
    if received is None or read is None or received <= read:
        return None
    return close.name, Text(
        "Why: the program at the {host} closed when it had read {read} of the {received} octets "
        "that had come. The rest is lost, and RST says so, where FIN would say that all is well "
        "(RFC 9293 §3.6.1).",
        host=end(reset.sender),
        read=read,
        received=received,
    )


def _received(conversation: Conversation, reset: SegmentEvent) -> int | None:
    """The octets that the sender of the RST had acknowledged; None where that is not known."""
    theirs = [event for event in conversation.segments if event.sender == reset.receiver]
    syn = next((event for event in theirs if event.segment.has(Flags.SYN)), None)
    if syn is None or not reset.segment.has(Flags.ACK):
        return None
    reached = reset.segment.ack
    fins = (event for event in theirs if event.segment.has(Flags.FIN))
    fin = any(reached >= event.segment.next_seq for event in fins)
    return reached - (syn.segment.seq + 1) - fin


def _read(conversation: Conversation, close: CallEvent) -> int | None:
    """The octets that the program read before it closed; None where not every read was told."""
    calls = [
        event
        for event in conversation.timeline.events[: close.i]
        if isinstance(event, CallEvent) and (event.host, event.conn) == (close.host, close.conn)
    ]
    names = {event.name for event in calls}
    if names & _IN_BACKGROUND or not names & {"accept", "connect"}:
        return None
    return sum(
        int(event.result) for event in calls if event.name == "read" and event.result.isdecimal()
    )


# --- by a segment -------------------------------------------------------------------------------


def _by_segment(
    conversation: Conversation, reset: SegmentEvent, cause: SegmentEvent
) -> tuple[str, Text] | None:
    own = lane(cause, reset.sender)
    if own is None or own.source is Source.INFERRED or cause.receiver != reset.sender:
        return None
    if own.before is State.SYN_SENT:
        return _wrong_ack(conversation, reset, cause)
    if own.before in _CLOSED_FIRST:
        return _after_close(conversation, reset, cause)
    if own.before not in _NO_SOCKET:
        return None
    if not cause.segment.has(Flags.ACK):
        return _nobody_listens(conversation, reset, cause)
    if reset.segment.seq != cause.segment.ack:
        return None
    other = lane(cause, reset.receiver)
    had_it = State.ESTABLISHED in conversation.path(reset.sender)
    if had_it and other is not None and other.before in _STILL_OPEN:
        return "half-open", Text(
            "Half-open: the {peer} was in {state}, but the {host} has no socket for this "
            "connection any more. So it answered the {flags} with RST, and took its sequence "
            "number from that segment's ACK ({seq}), which makes the {peer} believe it (RFC 9293 "
            "§3.5.1).",
            peer=end(reset.receiver),
            state=str(other.before),
            host=end(reset.sender),
            flags=cause.segment.flags.written,
            seq=int(reset.segment.seq),
        )
    if own.before is State.LISTEN or listens(
        conversation.timeline, reset.sender, reset.conn, before=cause.i
    ):
        return _listener(conversation, reset, cause)
    return "no socket", Text(
        "Why: the {host} has no socket for the {flags}. To a segment with ACK it answers with RST "
        "without ACK, and takes its sequence number from that ACK ({seq}; RFC 9293 §3.10.7.1).",
        host=end(reset.sender),
        flags=cause.segment.flags.written,
        seq=int(reset.segment.seq),
    )


def _listener(
    conversation: Conversation, reset: SegmentEvent, cause: SegmentEvent
) -> tuple[str, Text]:
    """An RST to a segment with ACK, from a host that only listens."""
    gaps: dict[str, Text | str | int] = {
        "host": end(reset.sender),
        "flags": cause.segment.flags.written,
        "seq": int(reset.segment.seq),
    }
    # net/ipv4/syncookies.c, cookie_v4_check: nothing else counts what it takes for no cookie.
    if conversation.counted(reset.sender, "TcpExtSyncookiesFailed") is not None:
        return "cookie", Text(
            "Why: at the {host} only the listener took the {flags}. A listener that sends cookies "
            "takes an ACK if it acknowledges a cookie, and this one does not (SyncookiesFailed): "
            "it answers with RST without ACK, and takes its sequence number from that ACK ({seq}; "
            "RFC 9293 §3.10.7.2).",
            **gaps,
        )
    return "listener", Text(
        "Why: at the {host} only the listener took the {flags}. In LISTEN nothing has been sent, "
        "so no ACK can be right: it answers with RST without ACK, and takes its sequence number "
        "from that ACK ({seq}; RFC 9293 §3.10.7.2).",
        **gaps,
    )


def _nobody_listens(
    conversation: Conversation, reset: SegmentEvent, cause: SegmentEvent
) -> tuple[str, Text] | None:
    """An RST, ACK to a segment without ACK. The first one to a SYN is told as a closed port."""
    opening = conversation.opening
    refusal = opening is not None and cause.i in [syn.i for syn in opening.syns]
    wanted = cause.segment.next_seq
    right = reset.segment.has(Flags.ACK) and reset.segment.ack == wanted
    if not right or (refusal and not cause.segment.data_octets):
        return None
    return "no ACK", Text(
        "Why: the {host} has no socket for the {flags}. A segment without ACK gets RST, ACK: "
        "sequence number 0, and its ACK covers all of that segment ({seq} + {length} = {ack}; SYN "
        "and FIN count 1 each, RFC 9293 §3.10.7.1).",
        host=end(reset.sender),
        flags=cause.segment.flags.written,
        seq=int(cause.segment.seq),
        length=cause.segment.len_octets,
        ack=int(wanted),
    )


def _wrong_ack(
    conversation: Conversation, reset: SegmentEvent, cause: SegmentEvent
) -> tuple[str, Text] | None:
    """An ACK of what was never sent. A plain one shows an old connection: `half_open` tells it."""
    challenge, syns = conversation.challenge, _syns(conversation, reset.sender)
    known = challenge is not None and challenge.i == cause.i
    if known or not syns or not cause.segment.has(Flags.ACK):
        return None
    wanted = syns[0].segment.seq + 1
    if cause.segment.ack == wanted or reset.segment.seq != cause.segment.ack:
        return None
    return "wrong ACK", Text(
        "Why: the {host} was in SYN-SENT, where only ISN + 1 ({wanted}) can be acknowledged, and "
        "the {flags} acknowledged {ack}. It is of some other connection: the {host} resets that "
        "one, with this very number, and goes on waiting (RFC 9293 §3.10.7.3).",
        host=end(reset.sender),
        wanted=int(wanted),
        flags=cause.segment.flags.written,
        ack=int(cause.segment.ack),
    )


def _syns(conversation: Conversation, host: str) -> list[SegmentEvent]:
    return [
        event
        for event in conversation.segments
        if event.sender == host and event.segment.has(Flags.SYN) and event.fate is not Fate.INJECTED
    ]


def _after_close(
    conversation: Conversation, reset: SegmentEvent, cause: SegmentEvent
) -> tuple[str, Text] | None:
    closed = any(
        isinstance(event, CallEvent)
        and (event.host, event.conn, event.name) == (reset.sender, reset.conn, "close")
        for event in conversation.timeline.events[: cause.i]
    )
    if not closed or not cause.segment.data_octets:
        return None
    return "closed", Text(
        "Why: the program at the {host} had closed both directions, so nobody would ever read the "
        "{octets} octets that came then. RST says that they are lost (RFC 9293 §3.6.1).",
        host=end(reset.sender),
        octets=cause.segment.data_octets,
    )
