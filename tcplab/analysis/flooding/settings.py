"""A SYN flood as it is asked for: how much, and how the server is set up."""

from dataclasses import dataclass, replace
from enum import Enum, unique

MOST_FRAMES = 20_000
MOST_SECONDS = 10.0
TRY_EVERY_S = 0.2
"""So often the legitimate client tries to connect, and so long it waits for each try."""
_MOST_BACKLOG = 65_535


@unique
class Cookies(Enum):
    """net.ipv4.tcp_syncookies: does the server put the state of a SYN into its own ISN?"""

    OFF = "off"
    ON = "on"
    """When its SYN queue is full."""
    ALWAYS = "always"
    """For every SYN: it keeps no half-open connection at all."""

    @property
    def sysctl(self) -> int:
        """The setting's value."""
        return list(Cookies).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodSettings:
    """`frames` forged SYNs to a server that listens with this `backlog`; all watched for `seconds`.

    By default the queue is small, which denies: a server with room for thousands half-open
    connections is not shut by 400 SYNs. Three seconds are 15 tries of the client, and less than the
    7 s for which the kernel keeps half-open connections at least.

    With `rate_limit_pps` the wire lets no more of the attacker's frames by in a second; those that
    have not passed when the watch ends never arrive. Only the attacker's cable is limited: a
    limiter that cannot tell a flood from a client would drop the client's SYNs as well. `proven`:
    the client has been served and has closed its connection before, and the server's kernel
    remembers (tcp_metrics). `timestamps`: the client offers them. `version` is the IP version.

    Raises ValueError for what is out of bounds.
    """

    cookies: Cookies = Cookies.OFF
    backlog: int = 16
    max_syn_backlog: int = 16
    rate_limit_pps: int | None = None
    frames: int = 400
    seconds: float = 3.0
    version: int = 4
    timestamps: bool = True
    proven: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= MOST_FRAMES:
            raise ValueError(f"{self.frames} frames: not 1 to {MOST_FRAMES}")
        if not 0 < self.seconds <= MOST_SECONDS:
            raise ValueError(f"{self.seconds} seconds: not up to {MOST_SECONDS}")
        for backlog in (self.backlog, self.max_syn_backlog):
            if not 1 <= backlog <= _MOST_BACKLOG:
                raise ValueError(f"a backlog of {backlog}: not 1 to {_MOST_BACKLOG}")
        if self.rate_limit_pps is not None and self.rate_limit_pps < 1:
            raise ValueError(f"{self.rate_limit_pps} frames a second")
        if self.version not in (4, 6):
            raise ValueError(f"IP version {self.version}")

    @property
    def room(self) -> int:
        """How many half-open connections the server takes from strangers without cookies, or one
        more: the kernels differ in that.

        Without cookies the last quarter of tcp_max_syn_backlog is for peers that the kernel knows
        (net/ipv4/tcp_input.c, tcp_conn_request).
        """
        return min(self.backlog, self.max_syn_backlog - self.max_syn_backlog // 4)

    @property
    def tries(self) -> int:
        """How often the client tries to connect meanwhile."""
        return max(1, int(self.seconds / TRY_EVERY_S + 0.5))

    @property
    def bearable_pps(self) -> int:
        """The highest limit at which no more frames pass in the longest watch than there is room
        for; at least 1, which a queue with room for ten does not bear.
        """
        # A second more than that, for what a limiter lets by at the beginning.
        return max(1, int(self.room // (MOST_SECONDS + 1)))

    def defences(self) -> "tuple[FloodSettings, ...]":
        """The same flood against no cookies, cookies, cookies always, and a limited rate."""
        limit = self.rate_limit_pps or self.bearable_pps
        return (
            *(replace(self, cookies=cookies, rate_limit_pps=None) for cookies in Cookies),
            replace(self, cookies=Cookies.OFF, rate_limit_pps=limit),
        )
