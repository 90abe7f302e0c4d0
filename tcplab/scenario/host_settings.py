"""How the hosts of a testbed are set up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysctl:
    """A setting of a host's kernel. With `if_present` a kernel that lacks it does without."""

    name: str
    value: str
    if_present: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """How a host is set up. `crafted`: its TCP is tcplab's own. `eavesdrops`: to it the wire is a
    hub, and it hears every segment; what it forges leaves by its own NIC, and the numbers in it are
    those that it heard.

    `quickack` lets its route acknowledge at once (else Linux delays an ACK up to 40 ms to let it
    ride on data, and closes merge into three segments by accident). `rto_min_ms` above 0 is the
    least time-out for retransmissions, locked on its route: 10 s where none is meant to happen,
    even if the machine itself pauses between two steps. With so many `descriptors` its applications
    hold open at most so many sockets; accept() then fails with EMFILE.
    """

    name: str
    crafted: bool = False
    eavesdrops: bool = False
    quickack: bool = False
    rto_min_ms: int = 0
    descriptors: int | None = None
    sysctls: tuple[Sysctl, ...] = ()
