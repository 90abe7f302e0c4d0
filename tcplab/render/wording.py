"""The words beside every line of a picture, in the reader's language and choice of numbers.

Names that belong to the protocol (flags, `seq`, `MSS`, states) are the same in every language.
"""

from enum import Enum, unique

from tcplab.analysis import icmp
from tcplab.render.harmless import harmless, plain
from tcplab.render.rows import AsideRow, CallRow, IcmpRow, Known, Picture, SegmentRow, Side
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import (
    EndOfList,
    Malformed,
    MaximumSegmentSize,
    NoOperation,
    Option,
    Sack,
    SackPermitted,
    Timestamps,
    Unknown,
    WindowScale,
)
from tcplab.tcp.segment import Address
from tcplab.text import Say, Text, verbatim
from tcplab.timeline.events import CounterEvent, Fate, ReasonEvent, SampleEvent
from tcplab.timeline.timeline import Stack

_CALLS = {"abort": "close() + SO_LINGER 0", "shutdown": "shutdown(SHUT_WR)"}
_REASONS = {kind.msgid: kind for kind in (Text("reset"), Text("drop"), Text("retransmit"))}
_UNREMARKABLE = ("0", "EINPROGRESS")
"""Results that go without saying: EINPROGRESS is what a connect that does not block returns."""


@unique
class SeqForm(Enum):
    """How sequence numbers are written: counted from the ISN, as in the header, or both."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    BOTH = "both"


def duration(ns: int) -> str:
    """A span of time, as exact as it is short."""
    return f"{ns / 1e6:.2f} ms" if abs(ns) < 1_000_000_000 else f"{ns / 1e9:.3f} s"


class Wording:
    """Puts rows into words. All that it returns is harmless to show."""

    def __init__(self, say: Say, *, seq: SeqForm, ascii_only: bool) -> None:
        self._say = say
        self._seq = seq
        self._ascii = ascii_only

    def said(self, text: Text) -> str:
        """A sentence, harmless, with typography that the terminal has."""
        words = self._say(text)
        return harmless(plain(words) if self._ascii else words)

    # --- hosts --------------------------------------------------------------------------------

    def host(self, picture: Picture, side: Side) -> tuple[str, str]:
        """(the host's name, its address and port)."""
        host = picture.hosts[side.value]
        return harmless(host.name), harmless(str(Address(host.ip, host.port)))

    def stack(self, picture: Picture, side: Side) -> str:
        """Whose TCP that side runs."""
        match picture.hosts[side.value].stack:
            case Stack.KERNEL:
                release = picture.timeline.testbed.kernel.partition("-")[0]
                return harmless(f"Linux {release}")
            case Stack.CRAFTED:
                return self.said(Text("crafted with Scapy"))
            case Stack.REMOTE:
                return self.said(Text("a remote host"))

    def known(self, known: tuple[Known, ...]) -> str:
        """How that side's states are known; where in two ways, the rarer one carries a sign."""
        words = {
            Known.OBSERVED: Text("states observed"),
            Known.CRAFTED: Text("states crafted"),
            Known.INFERRED: Text("states inferred"),
        }[known[0]]
        if Known.INFERRED in known[1:]:
            words = Text("{states} (? inferred)", states=words)
        return self.said(words)

    # --- segments -----------------------------------------------------------------------------

    def label(self, row: SegmentRow) -> tuple[str, ...]:
        """Sequence and acknowledgment number and length, for the arrow."""
        segment = row.event.segment
        absolute = self._seq is SeqForm.ABSOLUTE
        parts = [f"seq {segment.seq.value if absolute else row.seq}"]
        if row.ack is not None:
            parts.append(f"ack {segment.ack.value if absolute else row.ack}")
        if segment.data_octets:
            parts.append(f"len {segment.data_octets}")
        return tuple(parts)

    def facts(self, row: SegmentRow, *, verbose: bool) -> tuple[str, ...]:
        """What else the header says: the ISN, options; with `verbose` the timestamps too."""
        segment = row.event.segment
        syn = segment.has(Flags.SYN)
        facts = []
        if syn and self._seq is not SeqForm.ABSOLUTE:
            facts.append(f"ISN {segment.seq.value}")
        if self._seq is SeqForm.BOTH and (numbers := _absolute(row)):
            facts += [self.said(Text("absolute")), *numbers]
        facts += [self._option(option, row, verbose=verbose, syn=syn) for option in segment.options]
        if segment.has(Flags.URG):
            facts.append(f"urg {segment.urgent}")
        return tuple(filter(None, facts))

    def _option(self, option: Option, row: SegmentRow, *, verbose: bool, syn: bool) -> str:
        match option:
            case MaximumSegmentSize(octets):
                return f"MSS {octets}"
            case WindowScale(shift):
                return f"WS {shift}"
            case SackPermitted():
                return "SACK"
            case Sack(blocks):
                absolute = tuple((int(left), int(right)) for left, right in blocks)
                edges = absolute if self._seq is SeqForm.ABSOLUTE else row.sack
                dash = "-" if self._ascii else "–"
                return "SACK " + " ".join(f"{left}{dash}{right}" for left, right in edges)
            case Timestamps(value, echo):
                if verbose:
                    return f"TSval {value} TSecr {echo}"
                return "TS" if syn else ""
            case Unknown(kind, _):
                return f"option {kind}"
            case Malformed():
                return self.said(Text("malformed options"))
            case EndOfList() | NoOperation():
                return ""

    def notes(self, row: SegmentRow, *, crossing: bool = True) -> tuple[str, ...]:
        """What happened to the segment on its way, and what it is beside the others.

        `crossing` is False where the drawing itself shows what crosses what.
        """
        event = row.event
        notes = []
        if row.origin is not None:
            notes.append(Text("sent by {host}", host=row.origin))
        if row.repeats is not None and event.fate is not Fate.DUPLICATED:
            notes.append(Text("retransmission of {number}", number=row.repeats))
        if row.crosses and crossing:
            numbers = ", ".join(map(str, row.crosses))
            notes.append(Text("crosses {numbers} on the wire", numbers=numbers))
        if fate := _fate(row):
            notes.append(fate)
        notes += [Text("wire rule: {rule}", rule=rule) for rule in row.rules]
        if event.segment.checksum_ok is False:
            notes.append(Text("bad checksum"))
        return tuple(self.said(note) for note in notes)

    # --- the rest -----------------------------------------------------------------------------

    def call(self, row: CallRow) -> str:
        """A socket call, and what it returned where that is worth saying."""
        event = row.event
        words = _CALLS.get(event.name, f"{event.name}()")
        if event.result not in _UNREMARKABLE or event.name == "read":
            words += f" {'->' if self._ascii else '→'} {event.result}"
        if event.name == "read" and event.result == "0":
            words = self.said(Text("{call} (end of file)", call=words))
        return harmless(words)

    def gap(self, elapsed_ns: int) -> str:
        """Nothing happened for so long."""
        return self.said(Text("{seconds} s later", seconds=f"{elapsed_ns / 1e9:.1f}"))

    def connection(self, conn: str) -> str:
        """The heading of one of several connections."""
        return self.said(Text("connection {name}", name=conn))

    def icmp(self, row: IcmpRow) -> tuple[str, str]:
        """(what the ICMP error says, who sent it)."""
        reporter = Text("from {reporter}", reporter=row.event.reporter)
        return self.said(icmp.words(row.event)), self.said(reporter)

    def aside(self, row: AsideRow) -> tuple[str, ...]:
        """What a kernel tells besides."""
        words: list[str] = []
        for event in row.events:
            match event:
                case CounterEvent():
                    words.append(harmless(f"{event.name} {event.delta:+d}"))
                case ReasonEvent():
                    kind = _REASONS.get(event.kind, verbatim(event.kind))
                    words.append(self.said(Text("{kind}: {word}", kind=kind, word=event.word)))
                case SampleEvent():
                    words += self._sample(event)
        if row.side is None:
            words.insert(0, harmless(f"{row.events[0].host}:"))
        return tuple(words)

    def _sample(self, event: SampleEvent) -> list[str]:
        fields = dict(event.fields)
        left = fields.get("expires_ms")
        if event.cause is None and isinstance(left, int):
            timer = str(fields.get("timer", ""))
            seconds = f"{left / 1000:.1f}"
            text = Text("{timer} timer: {seconds} s left", timer=timer, seconds=seconds)
            return [self.said(text)]
        return [harmless(f"{name} {value}") for name, value in event.fields]

    def closing(self, picture: Picture) -> tuple[str, ...]:
        """What has to be known of the run as a whole before anything is believed."""
        notes = []
        if not any(picture.segments()):
            notes.append(Text("No segment was seen."))
        if picture.timeline.drops:
            drops = picture.timeline.drops
            notes.append(Text("The capture lost {drops} frames: nothing is proved.", drops=drops))
        if picture.timeline.interrupted:
            notes.append(Text("Cut short: this is what was seen until then."))
        return tuple(self.said(note) for note in notes)


def _absolute(row: SegmentRow) -> list[str]:
    """The numbers in the header, but for a SYN's own, which is the ISN."""
    segment = row.event.segment
    numbers = [] if segment.has(Flags.SYN) else [f"seq {segment.seq.value}"]
    if row.ack is not None:
        numbers.append(f"ack {segment.ack.value}")
    return numbers


def _fate(row: SegmentRow) -> Text | None:
    event = row.event
    held = duration((event.delivered_ns or event.at_ns) - event.at_ns)
    match event.fate:
        case Fate.DROPPED:
            return Text("dropped by the wire")
        case Fate.HELD | Fate.DELAYED if row.lost:
            return Text("held by the wire, never delivered")
        case Fate.HELD:
            return Text("held by the wire for {time}", time=held)
        case Fate.DELAYED:
            return Text("delayed by the wire for {time}", time=held)
        case Fate.DUPLICATED if row.repeats is not None:
            return Text("a copy of {number} made by the wire", number=row.repeats)
        case Fate.DUPLICATED:
            return Text("duplicated by the wire")
        case Fate.CORRUPTED:
            return Text("corrupted by the wire")
        case Fate.INJECTED:
            return Text("injected into the wire")
        case Fate.DELIVERED | Fate.CAPTURED:
            return None
