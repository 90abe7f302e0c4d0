"""A host of the testbed whose TCP is this machine's Linux kernel, in a namespace of its own."""

from collections.abc import Mapping
from contextlib import ExitStack

from tcplab.kernel.counters import Counters
from tcplab.kernel.sock_diag import SockDiag, Socket
from tcplab.scenario.steps import Call
from tcplab.tcp.states import State
from tcplab.testbed.applications import Applications
from tcplab.testbed.host import Flow, Look, Outcome
from tcplab.testbed.netns import Namespace
from tcplab.timeline.events import Source
from tcplab.timeline.timeline import Stack
from tcplab.wire.frame import Frame

_SHOWN_INFO = ("rto", "rtt", "snd_cwnd", "snd_mss", "rcv_space", "total_retrans", "backoff")


class KernelHost:
    """Applications and sock_diag in one namespace."""

    stack = Stack.KERNEL

    def __init__(self, name: str, ip: str, namespace: Namespace) -> None:
        self.name = name
        self.ip = ip
        self._applications = Applications(name, namespace)
        self._existed: set[Flow] = set()
        with namespace.entered(), ExitStack() as undo:
            self._diag = SockDiag()
            undo.callback(self._diag.close)
            self._counters = Counters()
            undo.pop_all()

    def call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        """An application makes a socket call."""
        return self._applications.call(conn, flow, call)

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

    def acknowledged(self, flow: Flow) -> bool:
        """Has the peer acknowledged all that was sent?"""
        found = self._get(flow)
        return found is None or found.send_queue == 0

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
