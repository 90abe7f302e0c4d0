"""What the conductor may ask of a testbed, whichever kind of host is behind it.

A namespace host answers at once; a virtual machine or a host across a real network does not. So
nothing here promises that something has happened when a call returns, but `Testbed.deliver`: it
returns when the receiver has dealt with the frame and all replies to it wait in `arrivals`, where
the testbed can know that at all (`stepped`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tcplab.scenario.calls import Call
from tcplab.scenario.steps import Connection
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.testbed.player import Player
from tcplab.timeline import timeline
from tcplab.timeline.events import Source
from tcplab.wire.pump import Arrival

if TYPE_CHECKING:
    from tcplab.testbed.eavesdropper import Eavesdropper


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
    """What a call returned: "0", a number of octets, or the name of an errno or of a failure of
    TLS; and octets read.

    `local` is the address that the kernel chose, for a connect that did not bind. `arguments` is
    what a reader should know of the call beyond its name ("TCP_KEEPIDLE = 1, default 7200").
    """

    result: str
    data: bytes = b""
    local: Address | None = None
    arguments: str = ""


class Host(Protocol):
    """One end of connections, and the applications on it."""

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
        """An application on this host makes a socket call, once, without blocking: whoever is
        willing to wait calls again (`Accept`, `Read`) or asks `pending`. Never raises for an errno.
        """

    def keep_out(self, flow: Flow) -> None:
        """From now on this host's kernel is silent on that connection, whatever comes for it."""

    def pending(self, conn: str) -> str | None:
        """How the connection's connect() ended: "0" or the name of an errno; None while it is under
        way. The first answer takes the error off the socket, and later ones repeat it.
        """

    def progress(self) -> list[tuple[str, str, Outcome]]:
        """Let every background activity (Stream, Drain, Play, StartTls) do what its socket now
        allows.

        Returns what is worth telling, as (conn, "stream" | "drain" | "play" | "close" |
        "start-tls" | "send", outcome): one that ended or failed, a playback that stalls ("stall")
        or goes on ("play"), a close() that has lingered.
        """

    @property
    def busy(self) -> bool:
        """Is there a background activity that has not ended?"""

    def next_ns(self) -> int | None:
        """When `progress` has something to do though nothing comes (monotonic ns), or None."""

    def look(self, flow: Flow) -> Look:
        """This end's state now (cheap: it is asked before and after every frame)."""

    def detail(self, flow: Flow) -> Look:
        """As `look`, with timers and tcp_info where there are any."""

    def info(self, flow: Flow) -> Mapping[str, int | str]:
        """All that this end's TCP tells of the connection: the timer that runs, queues, tcp_info;
        {} if it has no socket. A listener's queues are its accept queue and its backlog.
        """

    def acknowledged(self, flow: Flow) -> bool:
        """Has the peer acknowledged all that was sent?"""

    def octets(self, conn: str) -> tuple[int, int]:
        """How many octets the applications have (read, written) on that connection."""

    def descriptors(self) -> int:
        """How many sockets the applications hold open."""

    def player(self, conn: str) -> Player | None:
        """The player on that connection, if `Play` has begun there."""

    def counters(self) -> Mapping[str, int]:
        """The kernel's TCP counters on this host; empty where nobody can read them."""


class Testbed(Protocol):
    """Hosts joined by a wire."""

    @property
    def facts(self) -> timeline.Testbed:
        """Where this runs."""

    @property
    def settings(self) -> tuple[timeline.Setting, ...]:
        """The settings of the hosts' kernels that were changed, in order."""

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts by name."""

    @property
    def stepped(self) -> bool:
        """Does `deliver` return only when its consequences are here?"""

    def reserve(self, server_port: int) -> Flow:
        """A connection to that port, from a client port that nobody else uses."""

    def flow(self, conn: Connection, like: Flow | None = None) -> Flow:
        """The two ends of a connection that a scenario names. `like` is the connection whose client
        port it has, if it names one.
        """

    def ip(self, host: str) -> str:
        """The address that the host has now."""

    def look(self) -> None:
        """Raise RefusedError if somebody else has got at it, so that what was seen is not all its
        own.
        """

    def arrivals(self, timeout_s: float) -> list[Arrival]:
        """Frames sent by hosts since the last call, oldest first; waits up to `timeout_s` for one.

        Returns early, and perhaps with none, when a background activity has something to do. Raises
        what `look` does.
        """

    def deliver(self, arrival: Arrival) -> bool:
        """Carry a frame to its receiver and, if `stepped`, wait until it has been dealt with.
        False if it could not reach anybody: the cable is cut, nobody has the address.
        """

    def overhear(self, arrival: Arrival) -> None:
        """Carry a frame to those alone who eavesdrop: whom it is for does not take it."""

    def eavesdropper(self, host: str) -> "Eavesdropper | None":
        """That host's ear on the wire; None if it hears only what is for it."""

    def cut(self, host: str) -> None:
        """Pull the host's cable: its NIC loses carrier, and frames to and from it are lost."""

    def restore(self, host: str) -> None:
        """Plug it in again; the host can send and receive when this returns."""

    def reboot(self, host: str) -> None:
        """The host comes back with the same address and settings, and with no memory."""

    def readdress(self, host: str, number: int) -> None:
        """The host has the address `number` of the testbed's network from now on."""

    def drops(self) -> int:
        """How many frames the capture has lost since the beginning."""

    def close(self) -> None:
        """Give everything back. Closing twice is fine."""
