"""`tcplab scan HOST` on a network of `tests.links`: run as a user does, in the client's namespace.

Where a test has to act in the midst of a scan it waits for what the server's kernel has counted.
"""

import json
import os
import resource
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tcplab.kernel.counters import Counters
from tests.links import PROGRAM, Host, Network, heeding_signals, until
from tests.testbed import nft

ALL = 65_535
LONGEST_S = 150.0
"""For a scan: thirty rounds of a second each take half a minute, where nobody else has to do
anything.
"""
OPEN = (22, 80, 443)
FILTERED = range(100, 105)
REJECTED = range(200, 204)


@dataclass(frozen=True)
class Scanned:
    """How the program ended, and what it said."""

    status: int
    out: str
    err: str

    @cached_property
    def document(self) -> dict[str, Any]:
        """What --json printed: one object, and nothing else."""
        assert self.out.count("\n") == 1, self.err
        return json.loads(self.out)

    @property
    def ports(self) -> dict[str, Any]:
        """The ports by their states."""
        return self.document["ports"]


class Scan:
    """One `tcplab scan ARGUMENTS` on a host. It begins at once; `result` waits for its end.

    Its standard error may be a descriptor: a terminal.
    """

    def __init__(
        self,
        host: Host,
        *arguments: str,
        before_exec: Callable[[], None] = heeding_signals,
        stderr: int = subprocess.PIPE,
    ) -> None:
        with host.namespace.entered():
            self.process = subprocess.Popen(
                [PROGRAM, "scan", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm"},
                preexec_fn=before_exec,
            )

    def wait_for(self, true: Callable[[], bool]) -> None:
        """Wait for something that it brings about. Its end before that fails."""

        def still() -> bool:
            assert self.process.poll() is None, self.result().err
            return true()

        until(still)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ctrl-C."""
        self.process.send_signal(number)

    def result(self) -> Scanned:
        """How it ended. A hang fails."""
        try:
            out, err = self.process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return Scanned(self.process.returncode, out, err or "")


def scanned(host: Host, *arguments: str, **how: Any) -> Scanned:
    """A whole run."""
    return Scan(host, *arguments, **how).result()


@dataclass
class Served:
    """A network whose server listens at `ports`, and what its kernel counts."""

    net: Network
    version: int
    ports: Iterable[int] = OPEN
    listeners: dict[int, socket.socket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listeners = {port: self.net.server.listen(self.ip, port) for port in self.ports}
        with self.net.server.namespace.entered():
            self._counters = Counters()

    @property
    def ip(self) -> str:
        """The server's address."""
        return self.net.server.ip[self.version]

    def counted(self, name: str = "TcpOutRsts") -> int:
        """Resets that the server's kernel has sent, one a closed port; or what `name` counts."""
        return self._counters.read()[name]

    def log(self) -> list[int]:
        """The application's log: the port of every connection that accept() has returned."""
        accepted = []
        for port, listener in self.listeners.items():
            while select.select([listener], [], [], 0)[0]:
                listener.accept()[0].close()
                accepted.append(port)
        return accepted

    def firewall(self) -> None:
        """Silence at FILTERED, an ICMP error from REJECTED."""
        with self.net.server.namespace.entered():
            nft.drop_ports(FILTERED)
            nft.reject_ports(REJECTED)

    def drop_all(self) -> None:
        """Not a word of TCP to anybody."""
        with self.net.server.namespace.entered():
            nft.only_open([1])
            nft.drop_ports([1])


def sockets_of(host: Host) -> list[str]:
    """The TCP sockets of its namespace, TIME-WAIT and all."""
    with host.namespace.entered():
        tables = [Path("/proc/thread-self/net", name).read_text() for name in ("tcp", "tcp6")]
    return [line for table in tables for line in table.splitlines()[1:]]


def children() -> list[int]:
    """Processes that this one has started, and that are there still."""
    return [
        int(child)
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def may_open(files: int) -> None:
    """Raise the limit of this process."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), hard))


def take_every_block(host: Host, ip: str) -> list[socket.socket]:
    """A socket on one port of each block that a SYN scan may choose for its own."""
    from tcplab.wire.burst import own_ports

    first, last, block = own_ports._FIRST, own_ports._LAST, own_ports.PORTS
    may_open(2048)
    taken = []
    with host.namespace.entered():
        for port in range(first, last, block):
            made = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
            made.bind((ip, port))
            taken.append(made)
    return taken


def frames_left(host: Host, whatever: Callable[[], Scanned]) -> tuple[Scanned, list[str]]:
    """What came of it, and the packets that left meanwhile, neighbour discovery aside."""
    with closing(host.capture()) as capture:
        done = whatever()
        left = [
            f"{seen.frame.src_ip} > {seen.frame.dst_ip}"
            for seen in capture.take()
            if seen.outgoing and (seen.frame.segment or seen.frame.icmp)
        ]
        assert capture.lost() == 0
    return done, left
