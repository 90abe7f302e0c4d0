"""What a ladder shows, row by row, before anyone knows how it will be drawn.

The terminal's ladder and the SVG are two drawings of one `Picture`, so they cannot disagree. A row
stands where its event took effect (`Timeline.told`); segments are numbered in that order, and these
numbers are what findings cite.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, unique

from tcplab.tcp.states import State
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    IcmpEvent,
    ReasonEvent,
    SampleEvent,
    SegmentEvent,
    Source,
)
from tcplab.timeline.timeline import HostInfo, Timeline


@unique
class Known(Enum):
    """How a state is known, as far as a reader cares."""

    OBSERVED = "observed"
    CRAFTED = "crafted"
    INFERRED = "inferred"

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
    """A segment. `toward` is the receiver's side, `origin` the sender's name if it is neither host.

    `seq`, `ack` and the `sack` blocks are relative; `wnd_octets` is scaled if both SYNs were seen.
    `crosses` and `repeats` are numbers of other segments. `lost`: it never reached its receiver.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A socket call at one side; `side` is None for a host that has no lifeline."""

    event: CallEvent
    side: Side | None
    ends: tuple[Standing, Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """The states at the start (`initial`), or a change that neither call nor segment made."""

    ends: tuple[Standing, Standing]
    initial: bool = False


@dataclass(frozen=True, slots=True)
class GapRow:
    """Nothing happened for so long."""

    elapsed_ns: int


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """From here on the rows are about this connection (only where there are several)."""

    conn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IcmpRow:
    """An ICMP error, on its way to the sender of the segment that it quotes."""

    event: IcmpEvent
    toward: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideRow:
    """A host's kernel tells something more: why it did what it did, timers, counters."""

    side: Side | None
    events: tuple[ReasonEvent | SampleEvent | CounterEvent, ...]


Row = SegmentRow | CallRow | StateRow | GapRow | ConnectionRow | IcmpRow | AsideRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A timeline as rows between two lifelines.

    `known` says for each side how its states are known, the commonest way first. `begin_ns` is when
    the first segment left: the zero of the times shown.
    """

    timeline: Timeline
    hosts: tuple[HostInfo, HostInfo]
    known: tuple[tuple[Known, ...], tuple[Known, ...]]
    begin_ns: int
    rows: tuple[Row, ...]

    def segments(self) -> Iterator[SegmentRow]:
        """The numbered rows, in order."""
        return (row for row in self.rows if isinstance(row, SegmentRow))
