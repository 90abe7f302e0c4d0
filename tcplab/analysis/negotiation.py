"""Which TCP options the two SYNs agreed on.

An option holds for the connection only if both SYNs carry it (RFC 7323 §2.2, §3.2; RFC 2018 §2).
The maximum segment size is no agreement: each end says what it will take itself.
"""

from collections.abc import Iterator
from typing import TypeVar

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.wording import end, listed
from tcplab.tcp.options import (
    Malformed,
    MaximumSegmentSize,
    Option,
    SackPermitted,
    Timestamps,
    WindowScale,
)
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent

_DEFAULT_MSS_IP4, _DEFAULT_MSS_IP6 = 536, 1220  # RFC 9293 §3.7.1

Kind = TypeVar("Kind", bound=Option)


def findings(conversation: Conversation) -> Iterator[Finding]:
    """What the SYNs of both ends offered, taken together; nothing until both have spoken, and
    nothing where somebody else spoke in the name of one.
    """
    opening = conversation.opening
    if opening is None or conversation.stack(opening.opener) is None:
        return
    answer = opening.answer or opening.crossing
    if answer is None or conversation.kept_nothing(opening.peer):
        return
    events = tuple(sorted((opening.syn.i, answer.i)))
    broken = [each for each in (opening.syn, answer) if _option(each, Malformed) is not None]
    if broken:
        yield Finding(
            id="open.options",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text(
                "The option list of the {host}'s SYN is malformed: nobody can tell what its peer "
                "read in it.",
                host=end(broken[0].sender),
            ),
            events=events,
        )
        return
    yield Finding(
        id="open.options",
        verdict=Verdict.YES,
        sentence=_agreement(opening.syn, answer),
        events=events,
    )


def _agreement(syn: SegmentEvent, answer: SegmentEvent) -> Text:
    agreed, lone = _sorted(syn, answer)
    first = Text(
        "The {host} takes up to {mss} octets a segment, the {peer} {peer_mss}; options that both "
        "SYNs carry: {agreed}.",
        host=end(syn.sender),
        mss=_mss(syn),
        peer=end(answer.sender),
        peer_mss=_mss(answer),
        agreed=listed(agreed) if agreed else Text("none"),
    )
    if not lone:
        return first
    return Text(
        "{agreement} In one SYN only, and so not in force: {lone}.",
        agreement=first,
        lone=listed(lone),
    )


def _sorted(syn: SegmentEvent, answer: SegmentEvent) -> tuple[list[Text], list[Text]]:
    """What both SYNs carry, with what it means; and the names of what just one of them does."""
    agreed: list[Text] = []
    lone: list[Text] = []
    scales = [_option(each, WindowScale) for each in (syn, answer)]
    if scales[0] is not None and scales[1] is not None:
        agreed.append(
            Text(
                "window scale (a window of the {host} counts × {factor}, of the {peer} "
                "× {peer_factor})",
                host=end(syn.sender),
                factor=1 << scales[0].effective,
                peer=end(answer.sender),
                peer_factor=1 << scales[1].effective,
            )
        )
    elif any(scales):
        lone.append(Text("window scale"))
    for kind, name in (
        (SackPermitted, Text("selective acknowledgment")),
        (Timestamps, Text("timestamps")),
    ):
        carried = [_option(each, kind) is not None for each in (syn, answer)]
        if any(carried):
            (agreed if all(carried) else lone).append(name)
    return agreed, lone


def _mss(event: SegmentEvent) -> int:
    mss = _option(event, MaximumSegmentSize)
    if mss is not None:
        return mss.octets
    return _DEFAULT_MSS_IP6 if ":" in event.segment.src.ip else _DEFAULT_MSS_IP4


def _option(event: SegmentEvent, kind: type[Kind]) -> Kind | None:
    return next((each for each in event.segment.options if isinstance(each, kind)), None)
