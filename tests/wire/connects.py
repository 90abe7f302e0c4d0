"""A connect scan from the client of a test's network to its server, as far as tests need one."""

import time
from array import array
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from tcplab.analysis.scanning.census import Census, Proof, Rejection
from tcplab.wire.burst.path import Path
from tcplab.wire.connecting import ConnectProber
from tests.links import DEADLINE_S, Network

ROUNDS = 3


@dataclass(frozen=True)
class Scanned:
    """What a scan found out, without its sockets."""

    census: Census
    sent: int
    received: int
    send_errors: int
    own_errors: list[Rejection]

    def ports(self, proof: Proof) -> list[int]:
        """Those whose state rests on that."""
        return [
            port for each in self.census.asked for port in each if self.census.proof(port) is proof
        ]


def path_of(net: Network, version: int, *, to: str | None = None, permit=None) -> Path:
    """From the client to `to`: the server, unless said otherwise."""
    destination = to or net.server.ip[version]
    own = destination == net.client.ip[version]
    return Path(
        source=net.client.ip[version],
        destination=destination,
        interface="lo" if own else "eth0",
        link_index=1 if own else 2,
        local=own,
        inside=net.client.namespace.entered,
        permit=permit or net.client.permit,
    )


def scan(path: Path, *asked: range, quiet_s: float = 0.3, **how) -> Scanned:
    """At most ROUNDS rounds, each until all have answered or nothing has come for a while."""
    census = Census(asked)
    with closing(ConnectProber(path, census, **how)) as prober:
        for number in range(ROUNDS):
            todo = census.unanswered()
            if todo:
                prober.begin_round(number)
                ask(prober, todo)
                listen(prober, census, quiet_s)
        return result(prober, census)


def result(prober: ConnectProber, census: Census) -> Scanned:
    return Scanned(census, prober.sent, prober.received, prober.send_errors, prober.own_errors())


def ask(prober: ConnectProber, ports: Iterable[int], at_once: int = 8192) -> None:
    """Ask them all: none waits for a descriptor any more when this returns."""
    todo = array("H", ports)
    deadline_s = time.monotonic() + DEADLINE_S
    while todo or prober.busy:
        assert time.monotonic() < deadline_s, f"{prober.busy} ports still wait"
        if not prober.busy:
            prober.send(todo[:at_once])
            todo = todo[at_once:]
        prober.collect(0.001 if prober.busy else 0)


def listen(prober: ConnectProber, census: Census, quiet_s: float) -> None:
    """Until all have answered, or nothing has come for so long."""
    while census.answered < census.ports() and prober.collect(quiet_s):
        pass
