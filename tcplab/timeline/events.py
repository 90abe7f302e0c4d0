"""The kinds of event that a timeline is made of.

Every event has its index `i` in the timeline, the time `at_ns` since the run began (one clock for
all of them), and its `cause`: the index of the event that made it happen, or None for a timer or
for the person who ran it.
"""

from dataclasses import dataclass
from enum import Enum, unique

from tcplab.tcp.segment import Segment
from tcplab.tcp.states import State


@unique
class Source(Enum):
    """How a state is known. The first two were read from a kernel: they are *observed*."""

    SOCK_DIAG = "sock_diag"
    TRACEPOINT = "tracepoint"
    CRAFTED = "crafted"
    INFERRED = "inferred"

    @property
    def observed(self) -> bool:
        """Did a kernel say so itself?"""
        return self in (Source.SOCK_DIAG, Source.TRACEPOINT)


@unique
class Fate(Enum):
    """What became of a frame. CAPTURED: seen on a real NIC or in a file, not carried by tcplab."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    HELD = "held"
    DELAYED = "delayed"
    DUPLICATED = "duplicated"
    CORRUPTED = "corrupted"
    INJECTED = "injected"
    CAPTURED = "captured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One end's state just `before` and just `after` an event, and how it is known."""

    host: str
    before: State
    after: State
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """An application made a socket call. `result` is "0", an octet count, or an errno's name.

    `arguments` is what stood in the parentheses, where that is worth telling ("TCP_NODELAY, 1").
    """

    i: int
    at_ns: int
    cause: int | None = None
    host: str
    name: str
    conn: str
    result: str
    arguments: str = ""
    lanes: tuple[Lane, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEvent:
    """A segment was on the wire: `at_ns` is when it left its sender, `delivered_ns` when it was let
    through to the receiver (None if it never was).

    `lanes` holds both ends' states before and after the delivery. `frame` is the bytes as carried,
    from the link header on (`link_octets` long; 0 for a bare IP packet); `ttl` is the IP TTL or hop
    limit. `step` says which part of the conversation it is ("open 1/3").
    """

    i: int
    at_ns: int
    cause: int | None = None
    sender: str
    receiver: str
    conn: str
    segment: Segment
    fate: Fate
    delivered_ns: int | None = None
    step: str | None = None
    lanes: tuple[Lane, ...] = ()
    frame: bytes = b""
    link_octets: int = 14
    ttl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEvent:
    """One end's state changed."""

    i: int
    at_ns: int
    cause: int | None = None
    host: str
    conn: str
    old: State
    new: State
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterEvent:
    """A kernel counter grew by `delta`. Names are the kernel's: `TcpExtTCPChallengeACK`."""

    i: int
    at_ns: int
    cause: int | None = None
    host: str
    name: str
    delta: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IcmpEvent:
    """An ICMP or ICMPv6 error about the connection. `reporter` is the address that sent it, or the
    own kernel's name for a report it made itself; ports are those of the quoted segment.
    """

    i: int
    at_ns: int
    cause: int | None = None
    version: int
    reporter: str
    type: int
    code: int
    sport: int
    dport: int
    frame: bytes = b""
    link_octets: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class WireEvent:
    """A rule of the wire acted: which `rule`, on which segment (by its index).

    `segment` is None where a step of the scenario did something to the wire or to a whole host:
    `rule` then says what ("cut server").
    """

    i: int
    at_ns: int
    cause: int | None = None
    rule: str
    segment: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonEvent:
    """The kernel said why it did something (`kind`: "reset", "drop" or "retransmit")."""

    i: int
    at_ns: int
    cause: int | None = None
    host: str
    kind: str
    word: str
    source: Source = Source.TRACEPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEvent:
    """Numbers read from one end's socket at one moment: timers, queues, tcp_info fields."""

    i: int
    at_ns: int
    cause: int | None = None
    host: str
    conn: str
    source: Source
    fields: tuple[tuple[str, int | str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectEvent:
    """The scenario expected `predicate` to hold here, and it was `met` or not.

    `conn` is the connection meant by names that name none. `found` has each name of the predicate
    and its value at that moment; an empty value was not known.
    """

    i: int
    at_ns: int
    cause: int | None = None
    conn: str
    predicate: str
    met: bool
    found: tuple[tuple[str, str], ...]


Event = (
    CallEvent
    | SegmentEvent
    | StateEvent
    | CounterEvent
    | IcmpEvent
    | WireEvent
    | ReasonEvent
    | SampleEvent
    | ExpectEvent
)
