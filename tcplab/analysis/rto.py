"""The first retransmission time-out, worked out from the handshake's round trip (RFC 6298 §2)
beside what the kernel says of its own.
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.roles import Opening, arrived
from tcplab.analysis.wording import end, told
from tcplab.tcp.flags import Flags
from tcplab.text import Text
from tcplab.timeline.events import Fate, SampleEvent, SegmentEvent
from tcplab.timeline.timeline import effect_ns

_LEAST_MS = 1000
"""RFC 6298 (2.4)."""
_LINUX_LEAST_MS = 200
"""TCP_RTO_MIN (include/net/tcp.h), for the term 4 RTTVAR alone."""
_FIELDS: tuple[str, ...] = ("rtt", "rttvar", "rto")
_TICK_MS = 11
"""Linux rounds its time-out up to a tick, which lasts 10 ms at most."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One, if the opener sent something again and its kernel told of its timer then, before it had
    measured another round trip; provided that the wire gave the handshake one (else it is the
    machine's own bustle), and that the SYN was sent once (Karn's rule).
    """
    opening = conversation.opening
    if opening is None or opening.answer is None or opening.third is None:
        return
    answer = opening.answer
    delayed = Fate.DELAYED in (opening.syn.fate, answer.fate)
    if not delayed or len(opening.syns) != 1 or not arrived(answer):
        return
    found = _asked(conversation, opening)
    if found is None:
        return
    sample, fields = found
    yield Finding(
        id="retransmission.rto",
        verdict=Verdict.YES if _agrees(fields) else Verdict.NO,
        sentence=told(
            [
                _by_the_rfc(effect_ns(answer) - opening.syn.at_ns),
                _by_the_kernel(opening.opener, fields),
            ]
        ),
        events=(opening.syn.i, answer.i, sample.i),
    )


def _asked(
    conversation: Conversation, opening: Opening
) -> tuple[SampleEvent, dict[str, float]] | None:
    """The first sample of the opener's timer, in ms, if no other round trip could be measured
    before it. What a time-out had doubled is halved again.
    """
    for event in conversation.timeline.events:
        if isinstance(event, SegmentEvent) and _measures(conversation, event, opening):
            return None
        if not isinstance(event, SampleEvent) or event.conn != conversation.conn:
            continue
        fields = dict(event.fields)
        known = {name: fields[name] for name in _FIELDS if name in fields}
        if event.cause is None or event.host != opening.opener or len(known) < len(_FIELDS):
            continue
        values = {name: int(value) / 1000 for name, value in known.items()}
        values["rto"] /= 1 << int(fields.get("backoff", 0))
        return event, values
    return None


def _measures(conversation: Conversation, event: SegmentEvent, opening: Opening) -> bool:
    """Does this ACK acknowledge more than the opener's SYN?"""
    return (
        event.conn == conversation.conn
        and event.sender == opening.peer
        and arrived(event)
        and event.segment.has(Flags.ACK)
        and event.segment.ack > opening.syn.segment.next_seq
    )


def _agrees(fields: dict[str, float]) -> bool:
    """Is the kernel's time-out what Linux makes of its own measurements?"""
    term = fields["rto"] - fields["rtt"]
    return term >= max(4 * fields["rttvar"], _LINUX_LEAST_MS) - _TICK_MS


def _by_the_rfc(round_trip_ns: int) -> Text:
    r_ms = round_trip_ns / 1e6
    rto_ms = 3 * r_ms  # SRTT + 4 RTTVAR, by far more than the clock granularity G
    if rto_ms >= _LEAST_MS:
        return Text(
            "RFC 6298: the handshake's round trip was R = {r} ms, so SRTT = R, RTTVAR = R/2 and "
            "RTO = SRTT + 4 RTTVAR = {rto} ms.",
            r=f"{r_ms:.0f}",
            rto=f"{rto_ms:.0f}",
        )
    return Text(
        "RFC 6298: the handshake's round trip was R = {r} ms, so SRTT = R, RTTVAR = R/2 and RTO = "
        "SRTT + 4 RTTVAR = {rto} ms, rounded up to the least RTO of 1000 ms.",
        r=f"{r_ms:.0f}",
        rto=f"{rto_ms:.0f}",
    )


def _by_the_kernel(host: str, fields: dict[str, float]) -> Text:
    rtt, rttvar, rto = (f"{fields[name]:.0f}" for name in _FIELDS)
    term = fields["rto"] - fields["rtt"]
    least = _LINUX_LEAST_MS
    if term > max(4 * fields["rttvar"], least) + _TICK_MS:  # its route says otherwise
        least = round(term)
    return Text(
        "The {host}'s kernel had rtt {rtt}, rttvar {rttvar} and rto {rto} ms: Linux has no least "
        "RTO, but takes at least {least} ms for the term 4 RTTVAR (rto_min), and rounds up to a "
        "tick of its clock.",
        host=end(host),
        rtt=rtt,
        rttvar=rttvar,
        rto=rto,
        least=least,
    )
