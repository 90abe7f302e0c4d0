"""A scan that has ended, or was ended: everything that is shown of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, unique

from tcplab.analysis.scanning.census import Census
from tcplab.text import Text


@unique
class Method(Enum):
    """How a port is asked."""

    SYN = "syn"
    CONNECT = "connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Every port without an answer asked once. Times count from the beginning of the scan.

    Of its `probes` as many as `controls` asked ports that had answered before; the others brought
    `answers`.
    """

    number: int
    probes: int
    controls: int
    answers: int
    began_ns: int
    ended_ns: int
    rto_ns: int


@unique
class PaceCause(Enum):
    """Why the rate changed."""

    DROPS = "receive drops"
    ERRORS = "send errors"
    SILENCE = "fewer answers"
    RECOVERY = "no trouble"
    NO_HELP = "slowing did not help"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceChange:
    """The rate from `at_ns` (of the scan) on; `pps` None is as fast as the path answers."""

    at_ns: int
    pps: int | None
    cause: PaceCause


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSaw:
    """What the testbed's server says of the scan.

    `accepted` are the connections (address, port) -> server port in its application's log.
    `counters` are the deltas of its kernel's. `syn_received_peak` is how many connections were in
    SYN-RECEIVED at once, None where that is not known.
    """

    accepted: tuple[tuple[str, int, int], ...]
    counters: Mapping[str, int] = field(default_factory=dict)
    syn_received_peak: int | None = None


def peak_by_counters(counters: Mapping[str, int]) -> int | None:
    """How many connections were in SYN-RECEIVED at once, where nobody looked between two segments
    and the deltas of the server's counters leave one answer only: there was none, or one at all.

    Each one began with a SYN, ACK, and that is a segment sent which is no reset (tcp_make_synack()
    counts it in OutSegs). Each one that ended is a failed attempt or a passive open.
    """
    begun = counters.get("TcpOutSegs", 0) - counters.get("TcpOutRsts", 0)
    ended = counters.get("TcpAttemptFails", 0) + counters.get("TcpPassiveOpens", 0)
    if begun <= 0 and not ended:
        return 0
    return 1 if begun == ended == 1 else None


@unique
class Silence(Enum):
    """Why nothing at all answered."""

    DOWN = "down"
    """On the own link nobody answers for its address (ARP, neighbour discovery)."""
    FILTERED = "filtered"
    """It has just answered for its address there, or is this machine itself: it is up."""
    DOWN_OR_FILTERED = "down or filtered"
    """It is behind a router, or long ago it answered for its address: no telling."""
    UNREACHABLE = "unreachable"
    """A router says that it cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """One scan. `rate_pps` None is "max"; `authorized` is who said that it may be.

    `drops` are frames for which the capture had no room, `unmade` how many of those may have been
    answers that no later round made good: then the scan is inconclusive, and `doubt` says so.
    `caveat` is what the silence of a port may hide although nothing else is in doubt. `partial`
    says that it was ended before its end, `cut_round` that this was in the midst of a round, which
    is not one of `rounds`.
    """

    target: str
    address: str
    source: str
    method: Method
    testbed: bool
    interface: str
    census: Census
    rate_pps: int | None
    authorized: str | None
    sent: int
    received: int
    drops: int
    send_errors: int
    rounds: tuple[Round, ...]
    pace: tuple[PaceChange, ...]
    seconds: float
    partial: bool = False
    cut_round: bool = False
    doubt: Text | None = None
    caveat: Text | None = None
    silence: Silence | None = None
    server_saw: ServerSaw | None = None

    @property
    def controls(self) -> int:
        """How many probes asked ports that had answered before."""
        return sum(each.controls for each in self.rounds)

    @property
    def rounds_begun(self) -> int:
        """How many rounds there were, with the one that did not come to its end."""
        return len(self.rounds) + self.cut_round
