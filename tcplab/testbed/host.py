"""What the conductor may ask of a testbed, whichever kind of host is behind it.

A namespace host answers at once; a virtual machine or a host across a real network does not. So
nothing here promises that something has happened when a call returns, but `Testbed.deliver`: it
returns when the receiver has dealt with the frame and all replies to it wait in `arrivals`, where
the testbed can know that at all (`stepped`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tcplab.scenario.steps import Call
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.timeline import timeline
from tcplab.timeline.events import Source
from tcplab.wire.pump import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A connection's two ends."""

    client: Address
    server: Address

    def seen_from(self, host: str) -> tuple[Address, Address]:
        """(local, remote) addresses, as the host named "client" or the other one sees them."""
        if host == "client":
            return self.client, self.server
        return self.server, self.client


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at one end: its state, how that is known, and numbers worth showing."""

    state: State
    source: Source
    fields: tuple[tuple[str, int | str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call returned: "0", a number of octets, or the name of an errno; and octets read."""

    result: str
    data: bytes = b""


class Host(Protocol):
    """One end of a connection, and the applications on it."""

    @property
    def name(self) -> str:
        """The host's word: "client", "server", "attacker"."""

    @property
    def ip(self) -> str:
        """Its address."""

    @property
    def stack(self) -> timeline.Stack:
        """Whose TCP it runs."""

    def call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        """An application on this host makes a socket call. Never raises for an errno."""

    def look(self, flow: Flow) -> Look:
        """This end's state now (cheap: it is asked before and after every frame)."""

    def detail(self, flow: Flow) -> Look:
        """As `look`, with timers and tcp_info where there are any."""

    def acknowledged(self, flow: Flow) -> bool:
        """Has the peer acknowledged all that was sent?"""

    def counters(self) -> Mapping[str, int]:
        """The kernel's TCP counters on this host; empty where nobody can read them."""


class Testbed(Protocol):
    """Hosts joined by a wire."""

    @property
    def facts(self) -> timeline.Testbed:
        """Where this runs."""

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts by name."""

    @property
    def stepped(self) -> bool:
        """Does `deliver` return only when its consequences are here?"""

    def reserve(self, server_port: int) -> Flow:
        """A connection to that port, from a client port that nobody else uses."""

    def arrivals(self, timeout_s: float) -> list[Arrival]:
        """Frames sent by hosts since the last call, oldest first; waits up to `timeout_s` for
        one.
        """

    def deliver(self, arrival: Arrival) -> None:
        """Carry a frame to its receiver and, if `stepped`, wait until it has been dealt with."""

    def drops(self) -> int:
        """How many frames the capture has lost since the beginning."""

    def close(self) -> None:
        """Give everything back. Closing twice is fine."""
