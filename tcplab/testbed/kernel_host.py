"""A host of the testbed whose TCP is this machine's Linux kernel, in a namespace of its own."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tcplab.kernel.counters import Counters
from tcplab.kernel.sock_diag import SockDiag, Socket
from tcplab.scenario.calls import Call, Close, Kill
from tcplab.tcp.states import State
from tcplab.testbed.applications import Applications
from tcplab.testbed.failures import word
from tcplab.testbed.host import Flow, Look, Outcome
from tcplab.testbed.netns import Namespace
from tcplab.testbed.player import Player
from tcplab.timeline.events import Source
from tcplab.timeline.timeline import Stack
from tcplab.wire.frame import Frame

if TYPE_CHECKING:
    from tcplab.wire.shield import Shield

_SHOWN_INFO = (
    *("rto", "rtt", "rttvar", "snd_cwnd", "snd_mss", "rcv_space", "total_retrans", "backoff"),
)
_OPEN = frozenset({State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT})
_THREAD_S = 20.0
"""How long to wait for a thread to be given the processor."""


class KernelHost:
    """Applications and sock_diag in one namespace."""

    stack = Stack.KERNEL

    def __init__(
        self, name: str, ip: str, namespace: Namespace, *, descriptors: int | None = None
    ) -> None:
        self.name = name
        self.ip = ip
        self._applications = Applications(name, namespace, descriptors=descriptors)
        self._existed: set[Flow] = set()
        self._namespace = namespace
        self._shields: dict[int, Shield] = {}
        with namespace.entered(), ExitStack() as undo:
            self._diag = SockDiag()
            undo.callback(self._diag.close)
            self._counters = Counters()
            undo.pop_all()

    def call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        """An application makes a socket call."""
        if isinstance(call, Kill):
            return self._kill(flow)
        outcome = self._applications.call(conn, flow, call)
        if isinstance(call, Close) and outcome.result != "0":
            self._until_closing(flow)
        return outcome

    def _until_closing(self, flow: Flow) -> None:
        """A close() that lingers has a thread of its own: wait until that has begun to close."""
        deadline_s = time.monotonic() + _THREAD_S
        while self.look(flow).state in _OPEN and time.monotonic() < deadline_s:
            time.sleep(0)

    def _kill(self, flow: Flow) -> Outcome:
        found = self._get(flow)
        if found is None or found.state is State.LISTEN:  # the listener is another socket
            return Outcome(result="ENOENT")
        try:
            self._diag.destroy(*flow.seen_from(self.name))
        except OSError as refusal:
            return Outcome(result=word(refusal))
        return Outcome(result="0")

    def keep_out(self, flow: Flow) -> None:
        """The kernel is to answer nothing on that connection: a shield takes it all."""
        from tcplab.wire.shield import Shield  # few runs need one

        local, _remote = flow.seen_from(self.name)
        if local.port not in self._shields:
            with self._namespace.entered():
                self._shields[local.port] = Shield(local.ip, local.port)
        self._existed.add(flow)  # the listener that sock_diag finds there is the shield

    def pending(self, conn: str) -> str | None:
        """How the connection's connect() ended; None while it is under way."""
        return self._applications.pending(conn)

    def progress(self) -> list[tuple[str, str, Outcome]]:
        """Let the background activities do what their sockets allow."""
        return self._applications.progress()

    @property
    def busy(self) -> bool:
        """Is there a background activity that has not ended?"""
        return self._applications.activities.busy

    def next_ns(self) -> int | None:
        """When a player's buffer runs empty."""
        return self._applications.activities.next_ns()

    def watched(self) -> Iterator[tuple[int, int]]:
        """(descriptor, poll events) for which an application waits."""
        return self._applications.watched()

    def stop_waiting(self, descriptors: set[int]) -> None:
        """It is known now that these are ready."""
        self._applications.stop_waiting(descriptors)

    def octets(self, conn: str) -> tuple[int, int]:
        """(read, written) by the applications on that connection."""
        return self._applications.octets(conn)

    def descriptors(self) -> int:
        """How many sockets the applications hold open."""
        return self._applications.descriptors()

    def player(self, conn: str) -> Player | None:
        """The player on that connection."""
        return self._applications.activities.players.get(conn)

    def look(self, flow: Flow) -> Look:
        """The state that the kernel reports; CLOSED if it has no socket (any more)."""
        return Look(state=self._state(flow, self._get(flow)), source=Source.SOCK_DIAG)

    def detail(self, flow: Flow) -> Look:
        """As `look`, with the timer that runs and, for full sockets, the core of tcp_info."""
        found = self._get(flow, info=True)
        state = self._state(flow, found)
        if found is None or state in (State.LISTEN, State.CLOSED):
            return Look(state=state, source=Source.SOCK_DIAG)
        fields: list[tuple[str, int | str]] = [("timer", found.timer)]
        if found.timer != "off":
            fields.append(("expires_ms", found.expires_ms))
        fields += [(name, found.info[name]) for name in _SHOWN_INFO if name in found.info]
        return Look(state=state, source=Source.SOCK_DIAG, fields=tuple(fields))

    def info(self, flow: Flow) -> Mapping[str, int | str]:
        """All that sock_diag tells of the connection, tcp_info included; {} without a socket."""
        found = self._get(flow, info=True)
        if found is None or self._state(flow, found) is not found.state:
            return {}
        own: dict[str, int | str] = {
            "timer": found.timer,
            "expires_ms": found.expires_ms,
            "retransmits": found.retransmits,
            "receive_queue": found.receive_queue,
            "send_queue": found.send_queue,
        }
        # tcp_info's retransmits are those of the retransmission timer, whichever one runs.
        return own if found.state is State.LISTEN else own | found.info

    def acknowledged(self, flow: Flow) -> bool:
        """Has the peer acknowledged all that was sent?"""
        found = self._get(flow)
        return found is None or found.state is State.LISTEN or found.send_queue == 0

    def settle(self, frame: Frame) -> None:
        """A kernel has dealt with a frame when the send that delivered it returns."""

    def tick(self) -> None:
        """A kernel's timers need nobody's help."""

    def counters(self) -> Mapping[str, int]:
        """The namespace's TCP counters."""
        return self._counters.read()

    def close(self) -> None:
        """Give every socket back."""
        self._applications.close()
        for shield in self._shields.values():
            shield.close()
        self._diag.close()
        self._counters.close()

    def _get(self, flow: Flow, *, info: bool = False) -> Socket | None:
        local, remote = flow.seen_from(self.name)
        return self._diag.get(local, remote, info=info)

    def _state(self, flow: Flow, found: Socket | None) -> State:
        if found is None:
            return State.CLOSED
        if found.state is State.LISTEN:
            # The kernel fell back to the listener. Before the connection's first segment that is
            # its end here; afterwards it only says that the connection has no socket any more.
            return State.CLOSED if flow in self._existed else State.LISTEN
        if found.state is not State.CLOSED:
            self._existed.add(flow)
        return found.state
