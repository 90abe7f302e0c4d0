"""What a ladder shows, row by row, before anyone knows how it will be drawn.

The terminal's ladder and the SVG are two drawings of one `Picture`, so they cannot disagree. A row
stands where its event took effect (`Timeline.told`); segments are numbered in that order, and these
numbers are what findings cite.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, unique

from tcplab.render.delays import Delay
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    ExpectEvent,
    IcmpEvent,
    ReasonEvent,
    SampleEvent,
    SegmentEvent,
    Source,
    WireEvent,
)
from tcplab.timeline.timeline import HostInfo, Timeline


@unique
class Known(Enum):
    """How a state is known, as far as a reader cares."""

    OBSERVED = "observed"
    CRAFTED = "crafted"
    INFERRED = "inferred"
    UNKNOWN = "unknown"

    @classmethod
    def by(cls, source: Source) -> "Known":
        """The same for a source."""
        if source.observed:
            return cls.OBSERVED
        return cls.CRAFTED if source is Source.CRAFTED else cls.INFERRED


@unique
class Side(Enum):
    """Which of the two lifelines."""

    LEFT = 0
    RIGHT = 1

    @property
    def other(self) -> "Side":
        """The opposite one."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


@dataclass(frozen=True, slots=True)
class Standing:
    """One end's state before and after a row; None where nobody looked."""

    before: State | None = None
    after: State | None = None
    known: Known | None = None

    @property
    def changed(self) -> bool:
        """Did the row change it?"""
        return self.before is not self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """A segment. `toward` is the receiver's side; `origin` and `target` are the sender's and the
    receiver's name if that is neither host.

    `seq`, `ack` and the `sack` blocks are relative; `wnd_octets` is scaled if both SYNs were seen.
    `crosses` and `repeats` are numbers of other segments. `lost`: it never reached its receiver.
    `familiar`: it is a SYN with the options of one of another connection, which need not be told
    again. `telling`: its data is worth a look. `delayed_as_all`: the wire delayed it as it does all
    others, or let it through undelayed unlike all others (False); None where there is no such rule.
    """

    number: int
    event: SegmentEvent
    toward: Side
    origin: str | None
    ends: tuple[Standing, Standing]
    seq: int
    ack: int | None
    sack: tuple[tuple[int, int], ...]
    wnd_octets: int
    crosses: tuple[int, ...]
    repeats: int | None
    lost: bool
    rules: tuple[str, ...]
    target: str | None = None
    familiar: bool = False
    telling: bool = True
    delayed_as_all: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A socket call at one side; `side` is None for a host that has no lifeline. `told` is what it
    is told as, if not as a line of C.
    """

    event: CallEvent
    side: Side | None
    ends: tuple[Standing, Standing]
    told: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """The states at the start (`initial`), or a change that neither call nor segment made."""

    ends: tuple[Standing, Standing]
    initial: bool = False


@dataclass(frozen=True, slots=True)
class GapRow:
    """Nothing happened for so long."""

    elapsed_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """From here on the rows are about this connection, whose ends stand so (only where there are
    several). `ports` are those of its left and right end, if a segment of it was seen.
    """

    conn: str
    ports: tuple[int, int] | None
    ends: tuple[Standing, Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class IcmpRow:
    """An ICMP error, on its way to the sender of the segment that it quotes."""

    event: IcmpEvent
    toward: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideRow:
    """A host's kernel tells something more: why it did what it did, timers, counters.

    `conns` are the connections meant, if they are others than that of the rows around.
    """

    side: Side | None
    events: tuple[ReasonEvent | SampleEvent | CounterEvent, ...]
    conns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """A step of the scenario did something to the wire, or to a whole host. `plugs`: it plugs a
    cable in again.
    """

    event: WireEvent
    plugs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectRow:
    """The scenario expected something here; of `conn`, where the rows around and the predicate
    itself do not say so.
    """

    event: ExpectEvent
    conn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldRow:
    """So many more segments like those around, with so many octets of data, are not drawn."""

    segments: int
    octets: int


Row = (
    SegmentRow
    | CallRow
    | StateRow
    | GapRow
    | ConnectionRow
    | IcmpRow
    | AsideRow
    | ActRow
    | ExpectRow
    | FoldRow
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A timeline as rows between two lifelines.

    `known` says for each side how its states are known, the commonest way first. `begin_ns` is when
    the first segment left: the zero of the times shown. `delays` are told above all rows.
    """

    timeline: Timeline
    hosts: tuple[HostInfo, HostInfo]
    known: tuple[tuple[Known, ...], tuple[Known, ...]]
    begin_ns: int
    rows: tuple[Row, ...]
    delays: tuple[Delay, ...] = ()

    def segments(self) -> Iterator[SegmentRow]:
        """The numbered rows, in order."""
        return (row for row in self.rows if isinstance(row, SegmentRow))

    @property
    def highest(self) -> int:
        """The highest number of a row; 0 if no segment was seen."""
        return max((row.number for row in self.segments()), default=0)
