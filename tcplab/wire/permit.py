"""The one check that every packet and every connect() passes before it leaves (safety tiers).

A permit is made when it is known where a run may reach, and goes with it to the sockets that
send: either a testbed that tcplab made, in whose namespaces a socket is then confined for ever, or
the one host that the user named, resolved once; a handshake with it, or a scan.
"""

from _thread import LockType, allocate_lock
from dataclasses import dataclass, field
from socket import socket
from time import monotonic_ns
from typing import ClassVar

from tcplab.errors import RefusedError
from tcplab.text import Text
from tcplab.wire.destination import is_global, refuse_unless_one_host
from tcplab.wire.testbed_permit import TestbedPermit as TestbedPermit

PRIVATE_PPS, GLOBAL_PPS = 1000, 100
"""A scan's packets a second, where the user says nothing: to private and to global addresses."""


@dataclass(slots=True)
class HostPermit:
    """At most `budget` packets, to one host, by one interface.

    Raises RefusedError when it is made for an address that names more than one host, or cloud
    metadata, and when anything else than that host is about to be sent to.
    """

    BUDGET: ClassVar = 20

    destination: str
    interface: str
    budget: int = BUDGET
    sent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        refuse_unless_one_host(self.destination)

    @property
    def last(self) -> bool:
        """Is one packet left? It is kept for an RST, so that the host is not left hanging."""
        return self.sent == self.budget - 1

    def check_socket(self, sender: socket) -> None:
        """Every socket may listen. One that sends is tied to the interface by whoever makes it
        (`RawSocket`), or names it with each frame (`PacketSocket`).
        """

    def check(self, destination: str, count: int = 1) -> None:
        """Count so many packets to `destination`; raise RefusedError if they may not be sent."""
        if destination != self.destination:
            raise _elsewhere(destination, self.destination)
        if self.sent + count > self.budget:
            raise RefusedError(
                Text(
                    "This run has sent {budget} packets to {host}, the most that it may.",
                    budget=self.budget,
                    host=self.destination,
                ),
                remedy=Text("A host that talks this much is better watched with a capture."),
            )
        self.sent += count


@dataclass(slots=True, kw_only=True)
class ScanPermit:
    """As many packets as there are ports and rounds, to one host, by one interface, no faster than
    `rate_pps` (None: as fast as the path answers).

    `own` says that the address is this machine's. Raises RefusedError when it is made for an
    address that names more than one host, or cloud metadata; for a global address or a rate above
    the default unless it says who `authorized` it; and when anything else is about to be sent, or
    faster. It is the last line behind whoever keeps the pace, and lets a second's worth go at once.
    """

    destination: str
    interface: str
    rate_pps: int | None
    authorized: str | None = None
    own: bool = False
    sent: int = field(default=0, init=False)
    _level: float = field(default=0.0, init=False)
    _at_ns: int = field(default=0, init=False)
    _lock: LockType = field(default_factory=allocate_lock, init=False)

    def __post_init__(self) -> None:
        refuse_unless_one_host(self.destination)
        if self.rate_pps is not None and self.rate_pps < 1:
            raise ValueError(f"{self.rate_pps} packets a second")
        if not (self.authorized and self.authorized.strip()):
            self._refuse_what_needs_authority()
        self._level = float(self.rate_pps or 0)
        self._at_ns = monotonic_ns()

    def _refuse_what_needs_authority(self) -> None:
        if not self.own and is_global(self.destination):
            raise RefusedError(
                Text(
                    "{address} is a global address: somebody has to allow its scan.",
                    address=self.destination,
                ),
                remedy=Text('Say who did: --authorized "who said so"'),
            )
        if self.rate_pps is None or self.rate_pps > PRIVATE_PPS:
            raise RefusedError(
                Text(
                    "More than {most} packets a second outside the testbed need permission.",
                    most=PRIVATE_PPS,
                ),
                remedy=Text(
                    'Say who gave it: --authorized "who said so"; or: --rate {most}',
                    most=PRIVATE_PPS,
                ),
            )

    def check_socket(self, sender: socket) -> None:
        """As with `HostPermit`: whoever makes a socket ties it to the interface."""

    def check(self, destination: str, count: int = 1) -> None:
        """Count so many packets to `destination`; raise RefusedError if they may not be sent. Any
        thread may ask.
        """
        if destination != self.destination:
            raise _elsewhere(destination, self.destination)
        with self._lock:
            if self.rate_pps is not None:
                now_ns = monotonic_ns()
                gained = (now_ns - self._at_ns) * self.rate_pps / 1e9
                self._level = min(self._level + gained, self.rate_pps)
                self._at_ns = now_ns
                if count > self._level:
                    raise RefusedError(
                        Text(
                            "This scan was about to send faster than {rate} packets a second.",
                            rate=self.rate_pps,
                        ),
                        remedy=Text("This is a bug in tcplab: please report it."),
                    )
                self._level -= count
            self.sent += count


Permit = TestbedPermit | HostPermit


def default_rate(address: str, *, own: bool = False) -> int:
    """The packets a second at which a scan may ask that address without any word of the user's."""
    return PRIVATE_PPS if own or not is_global(address) else GLOBAL_PPS


def _elsewhere(found: str, named: str) -> RefusedError:
    return RefusedError(
        Text(
            "A packet to {found} was about to be sent; this run may reach {named} only.",
            found=found,
            named=named,
        ),
        remedy=Text("This is a bug in tcplab: please report it."),
    )
