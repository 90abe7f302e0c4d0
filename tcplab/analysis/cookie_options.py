"""Which TCP options a connection keeps that began with a SYN cookie.

The cookie itself has two bits for the MSS, one of four sizes. If the client sends timestamps, the
lowest six bits of the server's first one hold more: four for the client's window scale (15: none),
one for SACK, one for ECN (net/ipv4/syncookies.c, cookie_init_timestamp). They come back as the echo
of the third segment. Without timestamps the server agrees to no option at all.
"""

from collections.abc import Iterator
from typing import TypeVar

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.wording import end, listed
from tcplab.tcp.options import (
    MaximumSegmentSize,
    Option,
    SackPermitted,
    Timestamps,
    WindowScale,
)
from tcplab.text import Text, verbatim
from tcplab.timeline.events import ExpectEvent, SegmentEvent

_BITS = 6
_NO_SCALE, _SACK, _ECN = 15, 1 << 4, 1 << 5
_TIMESTAMPS_SETTING = "net.ipv4.tcp_timestamps"
_WITHOUT_OFFSET = "2"
_SND_MSS = "server.info.snd_mss"

Kind = TypeVar("Kind", bound=Option)


def kept_options(
    conversation: Conversation, syn: SegmentEvent, answer: SegmentEvent, third: SegmentEvent
) -> Iterator[Finding]:
    """One finding: with timestamps what is in them, without what was lost."""
    stamp = _option(answer, Timestamps)
    events = (syn.i, answer.i, third.i)
    if stamp is None:
        yield from _without(conversation, syn, answer, events)
        return
    if _readable(conversation, answer.sender):
        sentence = _read(stamp.value, answer)
    else:
        sentence = Text(
            "With timestamps nothing is lost: the lowest six bits of the {host}'s first one hold "
            "window scale, SACK and ECN, behind an offset that only it knows.",
            host=end(answer.sender),
        )
    yield Finding(id="cookie.timestamps", verdict=Verdict.YES, sentence=sentence, events=events)


def _readable(conversation: Conversation, host: str) -> bool:
    """Does that host send its clock as it is, without a random offset?"""
    return any(
        (each.host, each.name, each.value) == (host, _TIMESTAMPS_SETTING, _WITHOUT_OFFSET)
        for each in conversation.timeline.settings
    )


def _read(value: int, answer: SegmentEvent) -> Text:
    bits = value % 2**_BITS
    scale = bits & _NO_SCALE
    held = [
        *([] if scale == _NO_SCALE else [Text("window scale {shift}", shift=scale)]),
        *([verbatim("SACK")] if bits & _SACK else []),
        *([verbatim("ECN")] if bits & _ECN else []),
    ]
    return Text(
        "With timestamps nothing is lost: the lowest six bits of the {host}'s TSval {value} are "
        "{bits}, which is {held}. The third segment echoes them, and the connection has them all.",
        host=end(answer.sender),
        value=value,
        bits=f"{bits:06b}",
        held=listed(held) if held else Text("no option"),
    )


def _without(
    conversation: Conversation,
    syn: SegmentEvent,
    answer: SegmentEvent,
    events: tuple[int, ...],
) -> Iterator[Finding]:
    offered = [
        name
        for kind, name in ((WindowScale, Text("window scale")), (SackPermitted, verbatim("SACK")))
        if _option(syn, kind) is not None and _option(answer, kind) is None
    ]
    if not offered:
        return
    mss, kept = _option(syn, MaximumSegmentSize), _snd_mss(conversation)
    if mss is None or kept is None:
        sentence = Text(
            "Without timestamps there is no room but for the MSS: the {host} agrees to none of "
            "{offered}.",
            host=end(answer.sender),
            offered=listed(offered),
        )
    else:
        size, event = kept
        events = (*events, event.i)
        sentence = Text(
            "Without timestamps there is no room but for the MSS: the {host} agrees to none of "
            "{offered}, and of the client's MSS {mss} the cookie kept {kept} (observed).",
            host=end(answer.sender),
            offered=listed(offered),
            mss=mss.octets,
            kept=size,
        )
    yield Finding(id="cookie.bare", verdict=Verdict.YES, sentence=sentence, events=events)


def _snd_mss(conversation: Conversation) -> tuple[str, ExpectEvent] | None:
    """What the server's kernel said of its side, when the scenario asked."""
    for event in conversation.timeline.events:
        if isinstance(event, ExpectEvent) and event.conn == conversation.conn:
            found = dict(event.found).get(_SND_MSS)
            if found:
                return found, event
    return None


def _option(event: SegmentEvent, kind: type[Kind]) -> Kind | None:
    return next((each for each in event.segment.options if isinstance(each, kind)), None)
