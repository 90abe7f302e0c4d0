"""The octets in between: counted, acknowledged by number, and sent again where they were not."""

from collections.abc import Iterator
from dataclasses import dataclass

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries.aftermath import overlaid
from tcplab.analysis.honesty import absence
from tcplab.analysis.repetitions import repetitions
from tcplab.analysis.retransmission import grown
from tcplab.analysis.roles import arrived
from tcplab.analysis.wording import end, listed
from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.text import Text
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.relative import isns, relative

_NAMED = 3
"""How many retransmissions a sentence names; its events name all."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """Nothing about a direction in which nothing was sent."""
    senders = dict.fromkeys(event.sender for event in conversation.segments)
    flows = [flow for sender in senders if (flow := _flow(conversation, sender)) is not None]
    if flows:
        yield _acknowledged(conversation, flows)
    opening = conversation.opening
    if opening is None or opening.begun:  # else they are the SYNs that "open.silent" counts
        yield from _retransmissions(conversation)


# --- acknowledged -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    """One direction: how many octets `sender` sent, each counted once, and how many of them were
    acknowledged. `events` are the segments that carried them, and the last ACK that counts.
    """

    sender: str
    sent_octets: int
    acked_octets: int
    events: tuple[int, ...]


def _flow(conversation: Conversation, sender: str) -> _Flow | None:
    carriers = [
        event
        for event in conversation.segments
        if event.sender == sender and event.segment.data_octets
        if event.fate is not Fate.INJECTED  # its TCP did not send that
    ]
    if not carriers:
        return None
    start = _first_octet(conversation, carriers[0])
    sent = max(_end_of_data(event) - start for event in carriers)
    acked, proof = 0, None
    for event in conversation.segments:
        if event.receiver == sender and arrived(event) and event.segment.has(Flags.ACK):
            reached = min(event.segment.ack - start, sent)  # an ACK of the FIN is 1 more
            if reached > acked:
                acked, proof = reached, event
    events = [event.i for event in carriers] + ([] if proof is None else [proof.i])
    return _Flow(sender=sender, sent_octets=sent, acked_octets=acked, events=tuple(events))


def _first_octet(conversation: Conversation, carrier: SegmentEvent) -> Seq:
    """ISN + 1; where no SYN was seen, the first number that was."""
    for event in conversation.segments:
        if event.sender == carrier.sender and event.segment.has(Flags.SYN):
            return event.segment.seq + 1
    return carrier.segment.seq


def _end_of_data(event: SegmentEvent) -> Seq:
    segment = event.segment
    return segment.seq + segment.data_octets + segment.has(Flags.SYN)


def _acknowledged(conversation: Conversation, flows: list[_Flow]) -> Finding:
    short = next((flow for flow in flows if flow.acked_octets < flow.sent_octets), None)
    if short is not None:
        verdict = absence(conversation.timeline)
        sentence = Text(
            "Of the {sent} octets from the {host} only {acked} were acknowledged.",
            sent=short.sent_octets,
            host=end(short.sender),
            acked=short.acked_octets,
        )
    else:
        verdict = Verdict.YES
        sentence = Text(
            "All data was acknowledged: {flows}.",
            flows=listed([_told(flow) for flow in flows]),
        )
        forged = overlaid(conversation)
        if forged is not None:
            sentence = Text(
                "{told} But {octets} of those from the {host} only by number: forged octets had "
                "come first and were taken in their place.",
                told=sentence,
                octets=forged.lost,
                host=end(forged.bearer),
            )
    return Finding(
        id="data.acknowledged",
        verdict=verdict,
        sentence=sentence,
        events=tuple(sorted({i for flow in flows for i in flow.events})),
    )


def _told(flow: _Flow) -> Text:
    return Text("{octets} octets from the {host}", octets=flow.sent_octets, host=end(flow.sender))


# --- sent again ---------------------------------------------------------------------------------


def _retransmissions(conversation: Conversation) -> Iterator[Finding]:
    """Those that waited for an acknowledgment, if `retransmission` has no more to tell of them."""
    told = {each.event.i for each in grown(conversation)}
    told.update(each.event.i for each in repetitions(conversation) if not each.why.waited)
    again = [
        event
        for event in conversation.segments
        if event.i in conversation.again - told
        if event.fate not in (Fate.DUPLICATED, Fate.INJECTED)
    ]
    if not again:
        return
    origins = isns(conversation.timeline)
    named = [_named(event, relative(event, origins)[0]) for event in again[:_NAMED]]
    if len(again) > _NAMED:
        named.append(Text("and {count} more", count=len(again) - _NAMED))
    yield Finding(
        id="data.retransmissions",
        verdict=Verdict.YES,
        sentence=Text(
            "Sent again, since no acknowledgment came in time: {named}.", named=listed(named)
        ),
        events=tuple(event.i for event in again),
    )


def _named(event: SegmentEvent, seq: int) -> Text:
    return Text(
        "{flags} seq {seq} of the {host}",
        flags=event.segment.flags.written,
        seq=seq,
        host=end(event.sender),
    )
