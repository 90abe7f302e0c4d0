"""A flood that is over, or was ended: everything that is shown of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, unique

from tcplab.analysis.flooding.settings import FloodSettings
from tcplab.text import Text

COUNTERS = (
    "TcpExtListenOverflows",
    "TcpExtListenDrops",
    "TcpExtTCPReqQFullDrop",
    "TcpExtTCPReqQFullDoCookies",
    "TcpExtSyncookiesSent",
    "TcpExtSyncookiesRecv",
    "TcpExtSyncookiesFailed",
    "TcpExtTCPSynRetrans",
    "TcpExtEmbryonicRsts",
)
"""What is read of the server's counters: the last two are its SYN-ACKs sent again, and half-open
connections that an RST has ended.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodLook:
    """One look, `at_ns` after the flood began. `counters` have grown by so much since then.

    `listen_queue` is how many connections wait for accept(), `syn_received` how many are half-open.
    `sent` forged SYNs have left; the client has finished so many tries, and so many were served.
    """

    at_ns: int
    sent: int
    listen_queue: int
    syn_received: int
    counters: Mapping[str, int]
    client_tries: int
    client_served: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One connect() of the legitimate client, `at_ns` after the flood began.

    It was served after `took_ns`; None: not by the time of the next try, when it gave up.
    """

    at_ns: int
    took_ns: int | None


@unique
class ConditionId(Enum):
    """What has to hold for a SYN flood to deny service."""

    CALM = "calm"
    """The server served the client before."""
    COOKIES_OFF = "cookies-off"
    QUEUE_FULL = "queue-full"
    LAST_QUARTER = "last-quarter"
    """It was shut to strangers by tcp_max_syn_backlog, before the backlog was reached."""
    UNPROVEN = "unproven"
    """The client is such a stranger."""
    VANISHING = "vanishing"
    """Nobody answers the SYN-ACKs."""
    LASTING = "lasting"
    """The kernel does not give half-open connections up early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of them, whether it `held`, and a sentence that says so with what was seen."""

    id: ConditionId
    held: bool
    sentence: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodReport:
    """One flood. `sent` forged SYNs have left, of which `drops` were lost on the way.

    `calm_ns` is how long the client waited before the flood, None if it was not served even then.
    `known` says that the server's kernel had the client in its tcp_metrics. `options_kept` are the
    TCP options that the first served connection has, by the names of the timeline's JSON; None if
    nobody was served. `seconds` is how long it was watched; `partial`: it was ended before its end.
    """

    settings: FloodSettings
    kernel: str
    rootless: bool
    looks: tuple[FloodLook, ...]
    tries: tuple[Try, ...]
    calm_ns: int | None
    known: bool
    sent: int
    drops: int
    seconds: float
    counters: Mapping[str, int]
    options_kept: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = field(default=())
    partial: bool = False

    @property
    def tries_served(self) -> int:
        """How many tries of the client were served."""
        return sum(each.took_ns is not None for each in self.tries)

    @property
    def served(self) -> bool:
        """Was the client served at all?"""
        return self.tries_served > 0

    @property
    def served_after_ns(self) -> int | None:
        """From the client's first try to when it was served first."""
        for each in self.tries:
            if each.took_ns is not None:
                return each.at_ns - self.tries[0].at_ns + each.took_ns
        return None

    @property
    def syn_received_peak(self) -> int:
        """The most half-open connections that a look has seen."""
        return max((look.syn_received for look in self.looks), default=0)
