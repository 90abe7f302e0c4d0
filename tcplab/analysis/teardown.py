"""How the connection ended without a reset: who closed when, and what that left behind."""

from collections.abc import Iterator, Sequence

from tcplab.analysis.assassination import assassinated
from tcplab.analysis.conversation import Act, Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.incarnations import heir
from tcplab.analysis.roles import Closing, acknowledges, arrived
from tcplab.analysis.unfinished import closed_in_vain, unfinished
from tcplab.analysis.wording import end, how
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import SampleEvent, SegmentEvent
from tcplab.timeline.timeline import effect_ns, lane


def findings(conversation: Conversation) -> Iterator[Finding]:
    """Nothing for a connection that never opened, was reset, or lost its ports to another one, or
    whose end was not captured.
    """
    opening, closing = conversation.opening, conversation.closing
    if opening is not None and not opening.completed:
        return
    if closing is not None and closing.complete:
        yield _manner(conversation, closing)
        yield _time_wait(conversation, closing)
    elif heir(conversation) is not None:
        return
    elif conversation.reset is not None:
        closer = closed_in_vain(conversation, conversation.reset)
        if closer is not None:
            yield unfinished(conversation, closing, closer=closer)
    elif opening is not None or closing is not None:
        yield unfinished(conversation, closing)


# --- the manner ---------------------------------------------------------------------------------


def _manner(conversation: Conversation, closing: Closing) -> Finding:
    late = _data_after_fin(conversation, closing)
    if closing.crossed:
        name = "close.simultaneous"
        verdict, sentence = _simultaneous(conversation, closing)
    elif closing.merged:
        name, verdict, sentence = "close.three-segment", Verdict.YES, _three_segment(closing)
    elif late:
        name = "close.half-close"
        verdict, sentence = _half_close(conversation, closing, late)
    else:
        name, verdict, sentence = "close.four-segment", Verdict.YES, _four_segment(closing)
    wrong = _wrong_ack(closing)
    if wrong is not None:
        verdict, sentence = Verdict.NO, wrong
    events = sorted({*closing.indices, *(event.i for event in late)})
    return Finding(id=name, verdict=verdict, sentence=sentence, events=tuple(events))


def _wrong_ack(closing: Closing) -> Text | None:
    """An acknowledgment of more than was sent: no TCP does that."""
    for fin, ack in ((closing.first, closing.first_ack), (closing.second, closing.second_ack)):
        if fin is not None and ack is not None and ack.segment.ack != fin.segment.next_seq:
            return Text(
                "The FIN of the {host} ends at {wanted}, but the {peer} acknowledged {ack}.",
                host=end(fin.sender),
                wanted=int(fin.segment.next_seq),
                peer=end(ack.sender),
                ack=int(ack.segment.ack),
            )
    return None


def _four_segment(closing: Closing) -> Text:
    return Text(
        "Four segments closed it: the {first} and then the {second} sent a FIN for its own "
        "direction, and each got an ACK of its own.",
        first=end(closing.first.sender),
        second=end(closing.first.receiver),
    )


def _three_segment(closing: Closing) -> Text:
    waited_ns = 0 if closing.second is None else closing.second.at_ns - effect_ns(closing.first)
    return Text(
        "Three segments closed it: the {second} closed {waited} ms after the {first}'s FIN had "
        "come, before its delayed ACK was due, so that ACK rode on its own FIN.",
        first=end(closing.first.sender),
        second=end(closing.first.receiver),
        waited=f"{waited_ns / 1e6:.2f}",
    )


def _data_after_fin(conversation: Conversation, closing: Closing) -> tuple[SegmentEvent, ...]:
    """New data that the other end sent when it already knew of the first FIN."""
    return tuple(
        event
        for event in conversation.segments
        if event.segment.data_octets and event.i not in conversation.again
        if acknowledges(event, closing.first)
    )


def _half_close(
    conversation: Conversation, closing: Closing, late: Sequence[SegmentEvent]
) -> tuple[Verdict, Text]:
    closed, open_still = closing.first.sender, closing.first.receiver
    octets = sum(event.segment.data_octets for event in late)
    for host, state in ((closed, State.FIN_WAIT_2), (open_still, State.CLOSE_WAIT)):
        for event in late:
            found = lane(event, host)
            if found is not None and found.before not in _half_closed(state, event, closing):
                return Verdict.NO, Text(
                    "{octets} octets flowed to the {closed} after its FIN, but the {host} was in "
                    "{state}, not {wanted}.",
                    octets=octets,
                    closed=end(closed),
                    host=end(host),
                    state=str(found.before),
                    wanted=str(state),
                )
    return Verdict.YES, Text(
        "Half-close: the {closed} ended its own direction only, and {octets} octets still flowed "
        "to it. The {closed} was in FIN-WAIT-2 ({how}), the {open} in CLOSE-WAIT ({open_how}).",
        closed=end(closed),
        octets=octets,
        how=how(conversation.source(closed)),
        open=end(open_still),
        open_how=how(conversation.source(open_still)),
    )


def _half_closed(wanted: State, event: SegmentEvent, closing: Closing) -> frozenset[State]:
    """The states in which that end may be when it sends or gets the data `event`.

    The segment that acknowledges the FIN may carry the data itself, and so finds its receiver in
    FIN-WAIT-1 still; and data that was queued when the other end closed as well goes out in
    LAST-ACK.
    """
    if wanted is State.CLOSE_WAIT:
        return frozenset({wanted, State.LAST_ACK})
    acknowledging = closing.first_ack is not None and event.i == closing.first_ack.i
    return frozenset({wanted, State.FIN_WAIT_1}) if acknowledging else frozenset({wanted})


def _simultaneous(conversation: Conversation, closing: Closing) -> tuple[Verdict, Text]:
    hosts = (closing.first.sender, closing.first.receiver)
    paths = {host: conversation.path(host) for host in hosts}
    elsewhere = [host for host, path in paths.items() if path and State.CLOSING not in path]
    if elsewhere:
        return Verdict.NO, Text(
            "The two FINs crossed, but the {host} never was in CLOSING.", host=end(elsewhere[0])
        )
    return Verdict.YES, Text(
        "Simultaneous close: the two FINs crossed on the wire, so each end got a FIN where it "
        "waited for an ACK, and both went through CLOSING ({host} {how}, {peer} {peer_how}).",
        host=end(hosts[0]),
        how=how(conversation.source(hosts[0])),
        peer=end(hosts[1]),
        peer_how=how(conversation.source(hosts[1])),
    )


# --- what it left behind ------------------------------------------------------------------------


def _time_wait(conversation: Conversation, closing: Closing) -> Finding:
    first, second = closing.first.sender, closing.first.receiver
    holders = (first, second) if closing.crossed else (first,)
    entered = [conversation.entered(host, State.TIME_WAIT) for host in holders]
    unknown = [host for host in holders if not conversation.path(host)]
    sample = _time_wait_sample(conversation, holders)
    if unknown:
        verdict = Verdict.INCONCLUSIVE
        sentence = Text(
            "The {host} closed first and so owes a TIME-WAIT, but its states are not known.",
            host=end(unknown[0]),
        )
    elif None in entered:
        verdict = Verdict.NO
        sentence = Text(
            "The {host} closed first, but no TIME-WAIT was seen there.",
            host=end(holders[entered.index(None)]),
        )
    elif not closing.crossed and conversation.entered(second, State.TIME_WAIT) is not None:
        verdict = Verdict.NO
        sentence = Text(
            "The {host} closed first, and yet the {second} went through TIME-WAIT, too.",
            host=end(first),
            second=end(second),
        )
    else:
        verdict = Verdict.YES
        sentence = _held(conversation, closing, _length(conversation, sample, len(holders)))
    proof = {closing.first.i, *(act.i for act in entered if act is not None)}
    if sample is not None:
        proof.add(sample.i)
    return Finding(
        id="close.time-wait", verdict=verdict, sentence=sentence, events=tuple(sorted(proof))
    )


def _held(conversation: Conversation, closing: Closing, length: Text) -> Text:
    first, second = closing.first.sender, closing.first.receiver
    ended = [each for each in (first, second) if assassinated(conversation, each)]
    if ended:
        return Text(
            "The {host} closed first and held TIME-WAIT, until an RST ended it ({how}).",
            host=end(ended[0]),
            how=how(conversation.source(ended[0])),
        )
    if closing.crossed:
        return Text(
            "Both ends closed at once, so both now hold TIME-WAIT ({length}; {first} {how}, "
            "{second} {second_how}).",
            length=length,
            first=end(first),
            how=how(conversation.source(first)),
            second=end(second),
            second_how=how(conversation.source(second)),
        )
    return Text(
        "The {first} closed first, so the {first} now holds TIME-WAIT ({length}; {how}).",
        first=end(first),
        length=length,
        how=how(conversation.source(first)),
    )


def _length(conversation: Conversation, sample: SampleEvent | None, ends: int) -> Text:
    """What is left of the timer, and what had gone by when it was read."""
    if sample is None:
        return Text("for 2 MSL, twice the maximum segment lifetime, says RFC 9293")
    began = _began(conversation, sample.host)
    gone_ns = 0 if began is None else sample.at_ns - effect_ns(began)
    left_ms = int(dict(sample.fields)["expires_ms"])
    whole_s = round(left_ms / 1e3 + gone_ns / 1e9)
    if ends > 1:
        return Text("{seconds} s on the {host}'s kernel", seconds=whole_s, host=end(sample.host))
    return Text("{seconds} s on this kernel", seconds=whole_s)


def _began(conversation: Conversation, host: str) -> Act | None:
    """When that host's TIME-WAIT began; a FIN that comes again starts it anew (RFC 9293
    §3.10.7.4).
    """
    began = conversation.entered(host, State.TIME_WAIT)
    for event in conversation.segments:
        found = lane(event, host)
        if (
            found is not None
            and found.before is found.after is State.TIME_WAIT
            and event.receiver == host
            and event.segment.has(Flags.FIN)
            and arrived(event)
        ):
            began = event
    return began


def _time_wait_sample(conversation: Conversation, holders: Sequence[str]) -> SampleEvent | None:
    """The first look at a TIME-WAIT timer."""
    for event in conversation.timeline.events:
        if isinstance(event, SampleEvent) and event.host in holders:
            fields = dict(event.fields)
            if fields.get("timer") == "timewait" and isinstance(fields.get("expires_ms"), int):
                return event
    return None
