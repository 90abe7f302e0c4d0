"""The words beside every line of a picture, in the reader's language and choice of numbers.

Names that belong to the protocol (flags, `seq`, `MSS`, states) are the same in every language.
"""

from enum import Enum, unique

from tcplab.analysis import expectations, icmp
from tcplab.render import acts, fates, predicates
from tcplab.render.calls import called
from tcplab.render.harmless import harmless, plain
from tcplab.render.readings import reading
from tcplab.render.rows import (
    ActRow,
    AsideRow,
    CallRow,
    ConnectionRow,
    ExpectRow,
    FoldRow,
    GapRow,
    IcmpRow,
    Known,
    Picture,
    SegmentRow,
    Side,
)
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
from tcplab.timeline.timeline import Stack, numbers

_REASONS = {kind.msgid: kind for kind in (Text("reset"), Text("drop"), Text("retransmit"))}


@unique
class SeqForm(Enum):
    """How sequence numbers are written: counted from the ISN, as in the header, or both."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    BOTH = "both"


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
            case Stack.REMOTE if picture.timeline.testbed.interface == "lo":
                return self.said(Text("this machine itself"))
            case Stack.REMOTE:
                return self.said(Text("a remote host"))

    def known(self, known: tuple[Known, ...]) -> str:
        """How that side's states are known; where in two ways, the rarer one carries a sign."""
        words = {
            Known.OBSERVED: Text("states observed"),
            Known.CRAFTED: Text("states crafted"),
            Known.INFERRED: Text("states inferred"),
            Known.UNKNOWN: Text("state unknown"),
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
        if row.familiar:
            return tuple(facts)
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
                # A D-SACK may name octets of an earlier connection: they lie below 0.
                old = any(left < 0 for left, _ in row.sack)
                edges = absolute if old or self._seq is SeqForm.ABSOLUTE else row.sack
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
        if row.origin is not None and not fates.names_sender(row):
            notes.append(Text("sent by {host}", host=row.origin))
        if row.target is not None:
            notes.append(Text("sent to {host}", host=row.target))
        if row.repeats is not None and event.fate is not Fate.DUPLICATED:
            notes.append(Text("retransmission of {number}", number=row.repeats))
        if row.crosses and crossing:
            numbers = ", ".join(map(str, row.crosses))
            notes.append(Text("crosses {numbers} on the wire", numbers=numbers))
        if fate := fates.fate(row):
            notes.append(fate)
        if event.segment.checksum_ok is False:
            notes.append(Text("bad checksum"))
        return tuple(self.said(note) for note in notes)

    # --- the rest -----------------------------------------------------------------------------

    def call(self, row: CallRow) -> str:
        """A socket call, and what it returned where that is worth saying."""
        if row.told is not None:
            return self.said(row.told)
        return self.said(called(row.event, becomes="->" if self._ascii else "→"))

    def omission(self, row: GapRow | FoldRow) -> str:
        """What is not drawn: time in which nothing happened, or segments."""
        match row:
            case GapRow(elapsed_ns):
                return self.said(Text("{seconds} s later", seconds=f"{elapsed_ns / 1e9:.1f}"))
            case FoldRow():
                return self.said(acts.hidden(row.segments, row.octets))

    def heading(self, row: ConnectionRow) -> tuple[str, ...]:
        """The heading of one of several connections: its name and its ports."""
        if row.ports is None:
            return (self.connection(row.conn),)
        left, right = row.ports
        ports = f"{left} {'->' if self._ascii else '→'} {right}"
        return self.connection(row.conn), "-" if self._ascii else "·", ports

    def connection(self, conn: str) -> str:
        """What one of several connections is called."""
        return self.said(Text("connection {name}", name=conn))

    def settings(self, picture: Picture) -> tuple[str, ...]:
        """What the scenario set in the hosts' kernels, and what the wire does all the time."""
        steps = numbers(picture.timeline)
        delays = (acts.delayed(delay, steps[delay.first]) for delay in picture.delays)
        return tuple(map(self.said, (*acts.settings(picture.timeline), *delays)))

    def act(self, row: ActRow) -> str:
        """What a step did to the wire or to a host."""
        words = self.said(acts.act(row.event.rule, plugs=row.plugs))
        if acts.is_cut(row.event.rule):
            return f"{'8<' if self._ascii else '✂'} {words}"
        return words

    def expect(self, row: ExpectRow, cells: int) -> tuple[list[str], list[str]]:
        """What was expected, in parts that stay together in lines of `cells`; and where it was not
        met, what there was instead.
        """
        found = () if row.event.met else expectations.instead(row.event)
        parts = predicates.parts(harmless(row.event.predicate), cells)
        if row.conn is not None:
            parts.insert(0, f"{self.connection(row.conn)}:")
        return parts, [*map(self.said, found)]

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
                    words += map(self.said, reading(event))
        if row.side is None:
            words.insert(0, harmless(f"{row.events[0].host}:"))
        if len(row.conns) == 1:
            words.insert(0, f"{self.connection(row.conns[0])}:")
        elif row.conns:
            names = Text("connections {names}", names=", ".join(row.conns))
            words = [*f"{self.said(names)}:".split(), *words]
        return tuple(words)

    def closing(self, picture: Picture) -> tuple[str, ...]:
        """What has to be known of the run as a whole before anything is believed."""
        notes = []
        if not any(picture.segments()):
            filtered = any(True for _ in picture.timeline.segments())
            notes.append(
                Text("No segment matches the filter.") if filtered else Text("No segment was seen.")
            )
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
