"""Flow control: a window of 0, and the probes that ask whether it still is (RFC 9293 §3.8.6.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.roles import arrived
from tcplab.analysis.waits import back_off, between
from tcplab.analysis.wording import end, seconds, told
from tcplab.tcp.flags import Flags
from tcplab.text import Text
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.timeline import effect_ns

_NO_WINDOW = Flags.SYN | Flags.RST
"""A SYN's window is not the connection's yet, and a reset has none."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One for each time that an end closed its window and was probed; for an end that nobody had to
    probe, one for the first time.
    """
    own = [event for event in conversation.segments if event.fate is not Fate.INJECTED]
    for host in dict.fromkeys(event.sender for event in own):
        closures = list(_closures(own, host))
        probed = [closure for closure in closures if closure.probes]
        for closure in probed or closures[:1]:
            yield _closed(conversation, closure)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closure:
    """`zeros` are the segments that announced 0 one after another, `opened` the one that ended it,
    and `probes` what the other end asked meanwhile.
    """

    zeros: tuple[SegmentEvent, ...]
    opened: SegmentEvent | None
    probes: tuple[SegmentEvent, ...]


def _closures(own: Sequence[SegmentEvent], host: str) -> Iterator[_Closure]:
    said = [
        event
        for event in own
        if event.sender == host
        and event.segment.has(Flags.ACK)
        and not event.segment.flags & _NO_WINDOW
    ]
    runs = [(zero, list(run)) for zero, run in groupby(said, key=_zero)]
    for k, (zero, run) in enumerate(runs):
        if zero:
            opened = runs[k + 1][1][0] if k + 1 < len(runs) else None
            probes = tuple(event for event in own if _probes(event, run[0], opened))
            yield _Closure(zeros=tuple(run), opened=opened, probes=probes)


def _zero(event: SegmentEvent) -> bool:
    return event.segment.wnd_octets == 0


def _closed(conversation: Conversation, closure: _Closure) -> Finding:
    first, opened, probes = closure.zeros[0], closure.opened, closure.probes
    events = {event.i for event in (*closure.zeros, *probes)}
    parts = [
        Text(
            "The {host} announced a window of 0: it has no room until its program reads.",
            host=end(first.sender),
        )
    ]
    if probes:
        parts.append(_asked(closure))
    if opened is None:
        parts.append(Text("The window stayed closed."))
    else:
        events.add(opened.i)
        parts.append(
            Text(
                "After {time} s the window was open again.",
                time=seconds(opened.at_ns - first.at_ns),
            )
        )
    return Finding(
        id="window.zero",
        verdict=absence(conversation.timeline) if opened is None else Verdict.YES,
        sentence=told(parts),
        events=tuple(sorted(events)),
    )


def _probes(event: SegmentEvent, first: SegmentEvent, opened: SegmentEvent | None) -> bool:
    """Does the other end ask whether the window is still 0? Linux sends an old number without data,
    others one octet of new data.
    """
    segment = event.segment
    return (
        event.sender == first.receiver
        and event.at_ns >= effect_ns(first)
        and (opened is None or event.at_ns < effect_ns(opened))
        and segment.has(Flags.ACK)
        and not segment.flags & (_NO_WINDOW | Flags.FIN)
        and (
            (segment.data_octets <= 1 and segment.seq + 1 == first.segment.ack)
            or (segment.data_octets == 1 and segment.seq == first.segment.ack)
        )
    )


def _asked(closure: _Closure) -> Text:
    first, probes = closure.zeros[0], closure.probes
    waits_ns = between([effect_ns(first), *(probe.at_ns for probe in probes)])
    answered = sum(arrived(event) and event.i > probes[0].i for event in closure.zeros)
    return Text(
        "Probes of the {peer}: {count}, after {waits} s{back_off}. Answers that it was still 0: "
        "{answered}.",
        peer=end(first.receiver),
        count=len(probes),
        waits=", ".join(map(seconds, waits_ns)),
        back_off=back_off(waits_ns),
        answered=answered,
    )
