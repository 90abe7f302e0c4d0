"""What a scenario consists of: socket calls at a host, acts on the wire, and waits."""

from dataclasses import dataclass, field

from tcplab.tcp.states import State
from tcplab.text import Text


@dataclass(frozen=True, slots=True)
class Listen:
    """socket, bind, listen: accept connections on the connection's server port."""

    backlog: int = 5


@dataclass(frozen=True, slots=True)
class Connect:
    """socket, bind, connect (without blocking): an active OPEN."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Take the connection from the accept queue."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write these octets."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """Read at most so many octets; 0 as the result means end of file."""

    octets: int = 65536


@dataclass(frozen=True, slots=True)
class Shutdown:
    """shutdown(SHUT_WR): no more to send, still willing to read."""


@dataclass(frozen=True, slots=True)
class Close:
    """close(): done with both directions."""


@dataclass(frozen=True, slots=True)
class Abort:
    """SO_LINGER 0, then close(): an ABORT, which sends RST instead of FIN."""


Call = Listen | Connect | Accept | Send | Read | Shutdown | Close | Abort


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """An application at `host` makes a call on connection `conn`."""

    host: str
    call: Call
    conn: str = "a"


@dataclass(frozen=True, slots=True)
class Hold:
    """The wire keeps every frame until `Release`."""


@dataclass(frozen=True, slots=True)
class Release:
    """The wire lets go of what it holds, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Wait, for at most `within_s` seconds, until `host` is in one of `states`.

    Where the wire is stepped everything has already happened and this does not wait. In one of
    the `final` states nothing is left to play, and the scenario ends here.
    """

    host: str
    states: frozenset[State]
    within_s: float
    final: frozenset[State] = frozenset()
    conn: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Wait, for at most `within_s` seconds, until the peer has acknowledged all that `host`
    sent.
    """

    host: str
    within_s: float
    conn: str = "a"


Step = At | Hold | Release | Until | Delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A run as data. `quickack` names the hosts whose routes acknowledge at once (else Linux delays
    an ACK up to 40 ms to let it ride on data, and closes merge into three segments by accident).
    `unhurried` says that no retransmission is meant to happen: none shall, even if the machine
    itself pauses between two steps.
    """

    name: str
    title: Text
    story: Text
    notice: Text
    steps: tuple[Step, ...]
    quickack: frozenset[str] = field(default=frozenset())
    unhurried: bool = False
