"""What a scenario consists of: calls at a host, acts on the wire, waits and expectations."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tcplab.scenario.calls import Call
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.predicate import Predicate
from tcplab.tcp.states import State
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.scenario.wire import WireAct


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """An application at `host` makes a call on connection `conn`.

    `result` is what the call must return (an errno's name, or a number of octets), if the scenario
    says so: anything else is an expectation that failed.
    """

    host: str
    call: Call
    conn: str = "a"
    result: str | None = None


@dataclass(frozen=True, slots=True)
class On:
    """Something is done to the wire, or to a whole host."""

    act: "WireAct"


@dataclass(frozen=True, slots=True)
class Pause:
    """So many seconds pass, in which the wire and the applications go on."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Await:
    """Go on once `predicate` holds. If it does not within `within_s` seconds, that is an
    expectation that failed, and the scenario ends here. `conn` is the connection that names in it
    mean where they name none.
    """

    predicate: Predicate
    within_s: float
    conn: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Go on once no segment has passed the wire for `seconds`, or when `within_s` is over."""

    seconds: float
    within_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """`predicate` holds, or comes to hold within `within_s` seconds. `conn` as with `Await`."""

    predicate: Predicate
    within_s: float = 0.0
    conn: str = "a"


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


Step = At | On | Pause | Await | Quiet | Expect | Until | Delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection that the steps name. `client_port` None: a random one; a name: that
    connection's, whose 4-tuple this one then has again.
    """

    name: str
    server_port: int = 80
    client_port: int | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A run as data. `group` is its shelf in the catalogue, None for a file of the user's own.

    `timed` says that its course hangs on kernel timers, so that its wire times are only shown.
    """

    name: str
    title: Text
    story: Text
    notice: Text
    steps: tuple[Step, ...]
    group: str | None = None
    hosts: tuple[HostSettings, ...] = field(
        default=(HostSettings(name="client"), HostSettings(name="server"))
    )
    conns: tuple[Connection, ...] = field(default=(Connection(name="a"),))
    timed: bool = False

    def host(self, name: str) -> HostSettings:
        """The settings of that host; KeyError if the scenario has none of that name."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)
