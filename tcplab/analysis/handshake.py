"""How the connection opened: the numbers that were exchanged, and the states behind them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.roles import Opening, arrived
from tcplab.analysis.two_answers import two_answers
from tcplab.analysis.wording import end, how, walked
from tcplab.tcp.automaton import TABLE
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, SegmentEvent, Source
from tcplab.timeline.timeline import Stack

_BY_COOKIE = (State.LISTEN, State.ESTABLISHED)
"""What the third segment does where a SYN cookie was sent (`tcplab.analysis.syn_cookies`)."""
_OPENING = frozenset({State.SYN_SENT, State.SYN_RECEIVED})
_OPEN = frozenset({State.ESTABLISHED, State.FIN_WAIT_1})
"""FIN-WAIT-1 too: who calls CLOSE in SYN-RECEIVED passes ESTABLISHED by."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """Nothing for a connection that was open before, or that the other end did not agree to, or
    that somebody opened in another one's name, or of which nothing but a SYN cookie was there.
    """
    opening = conversation.opening
    if opening is None or not opening.begun or conversation.stack(opening.opener) is None:
        return
    if conversation.kept_nothing(opening.peer):
        return
    if opening.crossing is not None:
        yield _simultaneous(conversation, opening, opening.crossing)
    elif opening.answer is not None:
        yield _three_way(conversation, opening, opening.answer)
    yield _states(conversation, opening)


# --- the numbers --------------------------------------------------------------------------------


def _three_way(conversation: Conversation, opening: Opening, answer: SegmentEvent) -> Finding:
    """Each end counts from a random ISN, and the other one has to name the next number."""
    syn, third = opening.syn, opening.third
    if answer.segment.ack != syn.segment.seq + 1:
        verdict, sentence = Verdict.NO, _wrong(answer, syn)
    elif third is None:
        verdict, sentence = _unacknowledged(conversation, opening)
    elif not answer.segment.seq + 1 <= third.segment.ack <= answer.segment.next_seq:
        verdict, sentence = Verdict.NO, _wrong(third, answer)
    elif third.segment.ack != answer.segment.seq + 1:
        verdict = Verdict.YES
        sentence = Text(
            "Three-way handshake: the SYN, ACK acknowledges the {opener}'s ISN + 1 ({isn} → {ack}) "
            "and carries data or a FIN besides, as it may (numbers: {count}); the {opener}'s ACK "
            "is of the {peer}'s ISN + 1 or more ({peer_isn} → {peer_ack}).",
            opener=end(opening.opener),
            peer=end(opening.peer),
            isn=int(syn.segment.seq),
            ack=int(answer.segment.ack),
            count=answer.segment.len_octets - 1,
            peer_isn=int(answer.segment.seq),
            peer_ack=int(third.segment.ack),
        )
    else:
        verdict = Verdict.YES
        sentence = Text(
            "Three-way handshake: each ACK is the other side's ISN + 1 ({opener} {isn} → {ack}, "
            "{peer} {peer_isn} → {peer_ack}).",
            opener=end(opening.opener),
            isn=int(syn.segment.seq),
            ack=int(answer.segment.ack),
            peer=end(opening.peer),
            peer_isn=int(answer.segment.seq),
            peer_ack=int(third.segment.ack),
        )
    events = {event.i for event in (syn, answer, third) if event is not None}
    return Finding(
        id="open.three-way", verdict=verdict, sentence=sentence, events=tuple(sorted(events))
    )


def _wrong(event: SegmentEvent, syn: SegmentEvent) -> Text:
    return Text(
        "The {flags} acknowledges {ack}, but the {host}'s ISN + 1 is {wanted}: it does not answer "
        "this SYN.",
        flags=event.segment.flags.written,
        ack=int(event.segment.ack),
        host=end(syn.sender),
        wanted=int(syn.segment.seq + 1),
    )


def _unacknowledged(conversation: Conversation, opening: Opening) -> tuple[Verdict, Text]:
    reset, both = conversation.reset, two_answers(conversation)
    if both is not None and both.refused:
        return Verdict.NO, Text(
            "The SYN, ACK came when an RST had ended the attempt already, so the {opener} did not "
            "acknowledge it.",
            opener=end(opening.opener),
        )
    if reset is not None and reset.sender == opening.opener:
        return Verdict.NO, Text(
            "The {opener} answered the SYN, ACK with RST: it wants no connection.",
            opener=end(opening.opener),
        )
    opener, peer = end(opening.opener), end(opening.peer)
    if conversation.final(opening.peer) is State.CLOSED:
        sentence = Text(
            "The {opener} never acknowledged the SYN, ACK, and the {peer} waits no more.",
            opener=opener,
            peer=peer,
        )
    else:
        sentence = Text(
            "The {opener} never acknowledged the SYN, ACK, so the {peer} still waits in "
            "SYN-RECEIVED.",
            opener=opener,
            peer=peer,
        )
    return absence(conversation.timeline), sentence


def _simultaneous(conversation: Conversation, opening: Opening, crossing: SegmentEvent) -> Finding:
    syn = opening.syn
    of_crossing = _first_ack(conversation, syn.sender)
    of_syn = _first_ack(conversation, crossing.sender)
    if of_crossing is None or of_syn is None:
        verdict = absence(conversation.timeline)
        sentence = Text("Two SYNs crossed, but not both were acknowledged.")
    elif of_syn.segment.ack != syn.segment.seq + 1:
        verdict, sentence = Verdict.NO, _wrong(of_syn, syn)
    elif of_crossing.segment.ack != crossing.segment.seq + 1:
        verdict, sentence = Verdict.NO, _wrong(of_crossing, crossing)
    else:
        verdict = Verdict.YES
        sentence = Text(
            "Simultaneous open: two SYNs crossed, and each ACK is the other side's ISN + 1 "
            "({opener} {isn} → {ack}, {peer} {peer_isn} → {peer_ack}). It is one connection.",
            opener=end(opening.opener),
            isn=int(syn.segment.seq),
            ack=int(of_syn.segment.ack),
            peer=end(opening.peer),
            peer_isn=int(crossing.segment.seq),
            peer_ack=int(of_crossing.segment.ack),
        )
    events = {event.i for event in (syn, crossing, of_syn, of_crossing) if event is not None}
    return Finding(
        id="open.simultaneous", verdict=verdict, sentence=sentence, events=tuple(sorted(events))
    )


def _first_ack(conversation: Conversation, sender: str) -> SegmentEvent | None:
    for event in conversation.segments:
        if event.sender == sender and arrived(event) and event.segment.has(Flags.ACK):
            return None if event.segment.has(Flags.RST) else event
    return None


# --- the states ---------------------------------------------------------------------------------


def _states(conversation: Conversation, opening: Opening) -> Finding:
    # A peer that held an old connection went through that one's states, too.
    since = _answered_syn(opening) if conversation.challenge is not None else None
    paths = [
        _path_to_established(conversation, opening.peer, since=since),
        _path_to_established(conversation, opening.opener),
    ]
    if not all(paths):
        verdict = Verdict.INCONCLUSIVE
        sentence = Text("Not both ends' states are known, so nobody can say how they opened.")
    else:
        verdict = _judged(conversation, opening, paths)
        sentence = Text(
            "{peer}: {peer_path}. {opener}: {opener_path}.",
            peer=_whose(conversation, opening.peer),
            peer_path=walked(paths[0]),
            opener=_whose(conversation, opening.opener),
            opener_path=walked(paths[1]),
        )
    parts = (opening.syn, opening.crossing, opening.answer, opening.third)
    events = tuple(sorted(event.i for event in parts if event is not None))
    return Finding(id="open.states", verdict=verdict, sentence=sentence, events=events)


def _answered_syn(opening: Opening) -> SegmentEvent:
    """The last SYN before its answer."""
    answer = opening.answer
    before = [syn for syn in opening.syns if answer is None or syn.i < answer.i]
    return before[-1] if before else opening.syn


def _path_to_established(
    conversation: Conversation, host: str, *, since: SegmentEvent | None = None
) -> tuple[State, ...]:
    path = conversation.path(host, since=since)
    if path[:2] == (State.CLOSED, State.LISTEN):
        path = path[1:]
    if path[:2] == (State.CLOSED, State.SYN_RECEIVED) and _listened(conversation, host):
        # Between these ports there was a connection before, so that its end counted as CLOSED.
        path = (State.LISTEN, *path[1:])
    inferred = conversation.source(host) is Source.INFERRED
    if inferred and since is not None and path[:2] == (State.CLOSED, State.SYN_RECEIVED):
        # The same, and nobody knows more of it than that its SYN, ACK comes from a listener.
        path = (State.LISTEN, *path[1:])
    return _until_open(path)


def _until_open(path: tuple[State, ...]) -> tuple[State, ...]:
    """The states up to ESTABLISHED, or to what passes it by."""
    if State.ESTABLISHED in path:
        return path[: path.index(State.ESTABLISHED) + 1]
    for at, (before, after) in enumerate(pairwise(path), start=1):
        if before in _OPENING and after is State.CLOSE_WAIT:
            return (*path[:at], State.ESTABLISHED)  # one segment did both: its FIN comes last
        if (before, after) == (State.SYN_RECEIVED, State.FIN_WAIT_1):
            return path[: at + 1]
    return path


def _listened(conversation: Conversation, host: str) -> bool:
    """Did a program there listen, for whichever connection?"""
    return any(
        isinstance(event, CallEvent)
        and (event.host, event.name, event.result) == (host, "listen", "0")
        for event in conversation.timeline.events
    )


def _judged(
    conversation: Conversation, opening: Opening, paths: Sequence[Sequence[State]]
) -> Verdict:
    """Does each path lead to ESTABLISHED (or past it, to FIN-WAIT-1), by moves that RFC 9293 figure
    5 knows?
    """
    if any(path[-1] not in _OPEN for path in paths):
        return absence(conversation.timeline)
    moves = {move for path in paths for move in pairwise(path)}
    if opening.third is conversation.entered(opening.peer, State.ESTABLISHED):
        moves.discard(_BY_COOKIE)
    known = all(after in TABLE[before].values() for before, after in moves)
    return Verdict.YES if known else Verdict.NO


def _whose(conversation: Conversation, host: str) -> Text:
    """Whose states they are, and how they are known."""
    source = conversation.source(host)
    match conversation.stack(host):
        case Stack.KERNEL:
            return Text("The {host}'s kernel ({how})", host=end(host), how=how(source))
        case Stack.CRAFTED:
            return Text("The {host}, tcplab's own TCP ({how})", host=end(host), how=how(source))
        case _:
            return Text("The {host} ({how})", host=end(host), how=how(source))
