"""A testbed driven by hand: calls at its hosts, and a wire that carries whatever comes."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from tcplab.scenario.calls import Accept, Call, Connect, Listen
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.steps import Connection
from tcplab.tcp.segment import Segment
from tcplab.tcp.states import State
from tcplab.testbed.host import Flow, Outcome
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.testbed.plan import Family
from tcplab.wire.pump import Arrival

PATIENCE_S = 40.0
UNHURRIED_MS = 10_000


def settings(*sysctls: Sysctl, host: str = "server") -> tuple[HostSettings, ...]:
    """Client and server that acknowledge at once and never retransmit; `host` has the sysctls."""
    return tuple(
        HostSettings(
            name=name,
            quickack=True,
            rto_min_ms=UNHURRIED_MS,
            sysctls=sysctls if name == host else (),
        )
        for name in ("client", "server")
    )


class Driven:
    """Client, server, and the flows of named connections, all to port 80."""

    def __init__(self, testbed: NamespaceTestbed) -> None:
        self.testbed = testbed
        self.flows: dict[str, Flow] = {}
        self.carried: list[tuple[str, Segment]] = []
        self.lost: list[tuple[str, Segment]] = []
        self.told: list[tuple[str, str, str, Outcome]] = []

    def flow(self, conn: str = "a") -> Flow:
        """The connection's ends."""
        if conn not in self.flows:
            self.flows[conn] = self.testbed.flow(Connection(name=conn))
        return self.flows[conn]

    def call(self, host: str, call: Call, conn: str = "a") -> Outcome:
        """One call, and what it makes the hosts send is carried."""
        outcome = self.testbed.hosts[host].call(conn, self.flow(conn), call)
        if outcome.local is not None:
            self.flows[conn] = replace(self.flow(conn), client=outcome.local)
        self.run()
        return outcome

    def run(self) -> None:
        """Carry what has been sent, and let applications go on, until all is quiet."""
        while True:
            arrivals = self.testbed.arrivals(0)
            for arrival in arrivals:
                self._carry(arrival)
            for name, host in self.testbed.hosts.items():
                for conn, activity, outcome in host.progress():
                    self.told.append((name, conn, activity, outcome))
            if not arrivals:
                return

    def _carry(self, arrival: Arrival) -> None:
        segment = arrival.frame.segment
        assert segment is not None
        reached = self.testbed.deliver(arrival)
        (self.carried if reached else self.lost).append((arrival.sender, segment))

    def until(self, true: Callable[[], bool]) -> None:
        """Run, waiting for frames and applications, until it is true."""
        deadline_s = time.monotonic() + PATIENCE_S
        self.run()
        while not true():
            assert time.monotonic() < deadline_s, "it never became true"
            for arrival in self.testbed.arrivals(PATIENCE_S):
                self._carry(arrival)
            self.run()

    def establish(self, conn: str = "a", *, listen: bool = True) -> None:
        """Open the connection at both ends."""
        if listen:
            assert self.call("server", Listen(), conn).result == "0"
        self.call("client", Connect(), conn)
        assert self.call("server", Accept(), conn).result == "0"
        assert self.states(conn) == (State.ESTABLISHED, State.ESTABLISHED)

    def states(self, conn: str = "a") -> tuple[State, State]:
        """(the client's, the server's)."""
        client, server = (
            self.testbed.hosts[host].look(self.flow(conn)).state for host in ("client", "server")
        )
        return client, server

    def flags(self) -> list[tuple[str, str]]:
        """(who sent it, its flags) of what was carried since the last time."""
        said = [(sender, segment.flags.letters) for sender, segment in self.carried]
        self.carried.clear()
        return said


@contextlib.contextmanager
def driven(
    family: Family = Family.IPV4, hosts: tuple[HostSettings, ...] | None = None
) -> Iterator[Driven]:
    """A rootless testbed, for a child process."""
    with contextlib.closing(
        NamespaceTestbed(family=family, settings=hosts or settings(), rootless=True)
    ) as testbed:
        yield Driven(testbed)
