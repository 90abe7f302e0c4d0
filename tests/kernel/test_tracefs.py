"""The live tracepoints: a real kernel, a namespace of its own, root (but for the refusal)."""

import contextlib
import errno
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import randbelow
from typing import BinaryIO

import pytest

from tcplab.analysis.witness import expected_transitions
from tcplab.errors import PrivilegeError
from tcplab.kernel import links, tracefs
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.kernel.tracefs import Tracing, leftovers, sweep
from tcplab.kernel.tracepoints import (
    Drop,
    Reset,
    Retransmission,
    Traced,
    Transition,
    interpret,
)
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.testbed.netns import Namespace, enter_user_namespace
from tcplab.wire.shield import Shield
from tests.links import is_own, until
from tests.live import forked

NUMBER = 1 + randbelow(0xFFFE)
OWN = {
    socket.AF_INET: f"127.77.{NUMBER >> 8}.{NUMBER & 0xFF}",
    socket.AF_INET6: f"2001:db8:77::{NUMBER:x}",
}
"""Addresses that nobody else on this machine has: the kernel traces all namespaces, and a scan by
others passes every port.
"""
PATIENCE_S = 40


@pytest.fixture
def inside() -> Iterator[None]:
    """This thread is in a fresh network namespace with loopback up: nobody else uses its ports."""
    namespace = Namespace()
    with namespace.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
        netlink.tell([links.set_up(1), links.address(1, OWN[socket.AF_INET6], 128)])
        until(lambda: is_own(OWN[socket.AF_INET6]))
        yield
    namespace.close()


def bound(family: int = socket.AF_INET) -> socket.socket:
    """A socket with a port that the kernel chose."""
    made = socket.socket(family)
    made.bind((OWN[family], 0))
    return made


def port_of(endpoint: socket.socket) -> int:
    return endpoint.getsockname()[1]


def address_of(endpoint: socket.socket) -> Address:
    return Address(*endpoint.getsockname()[:2])


def listening(family: int = socket.AF_INET) -> socket.socket:
    listener = bound(family)
    listener.listen()
    return listener


def read(tracing: Tracing) -> list[Traced]:
    """What was traced since the last time, of sockets at our addresses."""
    own = {*OWN.values()}
    return [
        event
        for event in tracing.read()
        if isinstance(event, Drop) or {event.local.ip, event.remote.ip} <= own
    ]


def read_until(tracing: Tracing, last) -> list[Traced]:
    """Everything traced until an event for which `last` holds, with a deadline."""
    events: list[Traced] = []
    end_s = time.monotonic() + PATIENCE_S
    while not any(map(last, events)):
        assert time.monotonic() < end_s, events
        events += read(tracing)
    return events


def changes(events: list[Traced], port: int) -> list[tuple[State, State]]:
    """The transitions of the socket at `port`."""
    return [
        (event.old, event.new)
        for event in events
        if isinstance(event, Transition) and event.local.port == port
    ]


def turns(port: int, state: State):
    return lambda e: isinstance(e, Transition) and e.local.port == port and e.new is state


@pytest.mark.traces
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_whole_connection_is_traced_at_both_ends(inside, family: int):
    with listening(family) as listener, bound(family) as client:
        ports = frozenset({port_of(client)})
        with Tracing.open(ports) as tracing:
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            client_port, server_port = port_of(client), port_of(server)
            client.close()
            assert server.recv(1) == b""
            server.close()
            events = read_until(tracing, turns(server_port, State.CLOSED))
            assert tracing.lost == 0
    assert changes(events, client_port) == expected_transitions(
        [
            State.CLOSED,
            State.SYN_SENT,
            State.ESTABLISHED,
            State.FIN_WAIT_1,
            State.FIN_WAIT_2,
            State.TIME_WAIT,
        ]
    )
    assert changes(events, server_port) == expected_transitions(
        [
            State.LISTEN,
            State.SYN_RECEIVED,
            State.ESTABLISHED,
            State.CLOSE_WAIT,
            State.LAST_ACK,
            State.CLOSED,
        ]
    )
    ips = {e.local.ip for e in events if isinstance(e, Transition)}
    assert ips == {OWN[family]}


@pytest.mark.traces
def test_fin_wait_2_after_shutdown_is_traced_to_close_when_the_peers_fin_arrives(inside):
    with listening() as listener, bound() as client:
        port = port_of(client)
        with Tracing.open(frozenset({port})) as tracing:
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            client.shutdown(socket.SHUT_WR)
            before = read_until(tracing, turns(port, State.FIN_WAIT_2))
            server.close()
            after = read_until(tracing, turns(port, State.CLOSED))
    assert changes(before, port)[-1] == (State.FIN_WAIT_1, State.FIN_WAIT_2)
    assert changes(after, port) == [(State.FIN_WAIT_2, State.CLOSED)]


@pytest.mark.traces
def test_fin_wait_2_after_close_is_traced_to_close_at_once(inside):
    with listening() as listener, bound() as client:
        port = port_of(client)
        with Tracing.open(frozenset({port})) as tracing:
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            client.close()
            events = read_until(tracing, turns(port, State.CLOSED))
            server.close()
    assert changes(events, port)[-2:] == [
        (State.FIN_WAIT_1, State.FIN_WAIT_2),
        (State.FIN_WAIT_2, State.CLOSED),
    ]


@pytest.mark.traces
def test_a_refused_connection_shows_reset_reason_and_drop(inside):
    with bound() as nobody, bound() as client:
        with Tracing.open(frozenset({port_of(client)})) as tracing:
            began_ns = time.monotonic_ns()
            with pytest.raises(ConnectionRefusedError):
                client.connect(nobody.getsockname())
            events = read(tracing)
            ended_ns = time.monotonic_ns()
        here, there = port_of(client), port_of(nobody)
    resets = [e for e in events if isinstance(e, Reset)]
    assert [(e.local.port, e.remote.port, e.sent, e.reason) for e in resets] == [
        (there, here, True, "NO_SOCKET"),
        (here, there, False, None),
    ]
    assert "NO_SOCKET" in {e.reason for e in events if isinstance(e, Drop)}
    assert changes(events, here) == [(State.CLOSED, State.SYN_SENT), (State.SYN_SENT, State.CLOSED)]
    assert all(began_ns - 500 <= event.at_ns <= ended_ns + 500 for event in events)


@pytest.mark.traces
def test_a_syn_that_nobody_answers_is_retransmitted(inside):
    with contextlib.closing(Shield(OWN[socket.AF_INET])) as silent, bound() as client:
        client.setblocking(False)
        port = port_of(client)
        with Tracing.open(frozenset({port})) as tracing:
            assert client.connect_ex((OWN[socket.AF_INET], silent.port)) == errno.EINPROGRESS
            events = read_until(tracing, lambda e: isinstance(e, Retransmission))
    (again,) = (e for e in events if isinstance(e, Retransmission))
    assert (again.local.port, again.remote.port, again.state) == (port, silent.port, State.SYN_SENT)


def ports_seen(events: list[Traced]) -> set[int]:
    """The local and remote ports of every event that has addresses."""
    return {
        port
        for event in events
        if not isinstance(event, Drop)
        for port in (event.local.port, event.remote.port)
    }


@pytest.mark.traces
def test_connections_at_other_ports_are_not_seen(inside):
    with listening() as listener, bound() as ours, bound() as other, bound() as nobody:
        expected = {port_of(ours), port_of(listener)}
        with Tracing.open(frozenset({port_of(ours)})) as tracing:
            with pytest.raises(ConnectionRefusedError):
                other.connect(nobody.getsockname())
            ours.connect(listener.getsockname())
            events = read_until(tracing, turns(port_of(listener), State.ESTABLISHED))
    assert ports_seen(events) == expected


def elsewhere(act) -> None:
    """`act()` in a task of its own, done when this returns."""
    child = os.fork()
    if child == 0:
        done = 1
        try:
            act()
            done = 0
        finally:
            os._exit(done)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.traces
def test_a_port_scan_by_others_is_not_even_handed_out(inside):
    """Its resets would come faster than they can be read, and no barrier would ever be reached.
    Those that sockets send are handed out, whoever has them.
    """
    with bound() as nobody, bound() as ours:

        def scan() -> None:
            for _ in range(100):
                with bound() as other, pytest.raises(ConnectionRefusedError):
                    other.connect(nobody.getsockname())

        with Tracing.open(frozenset({port_of(ours)})) as tracing:
            elsewhere(scan)
            with pytest.raises(ConnectionRefusedError):
                ours.connect(nobody.getsockname())
            lines = [line for line in tracing._lines() if line.event == "tcp_send_reset"]
        resets = [interpret(line) for line in lines]
        answered = [each.remote.port for each in resets if each.local == address_of(nobody)]
        assert answered == [port_of(ours)]


@pytest.mark.traces
def test_a_reset_by_a_socket_is_traced_whoever_caused_it(inside):
    """A timer, say, that runs in any task's context."""
    with bound() as ours:
        here = port_of(ours)  # free again below: nobody else has this namespace
    with listening() as listener:
        there = port_of(listener)

        def abort() -> None:
            with socket.socket() as client:
                client.bind((OWN[socket.AF_INET], here))
                client.connect(listener.getsockname())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        with Tracing.open(frozenset({here})) as tracing:
            elsewhere(abort)
            events = read(tracing)
    resets = [event for event in events if isinstance(event, Reset) and event.sent]
    assert [(event.local.port, event.remote.port) for event in resets] == [(here, there)]


@pytest.mark.traces
def test_two_runs_at_once_do_not_see_each_others_events(inside):
    with listening() as listener, bound() as ours, bound() as theirs:
        server_port = port_of(listener)

        def run(client: socket.socket, other: socket.socket) -> set[int]:
            with Tracing.open(frozenset({port_of(client)})) as tracing:
                other.send(b".")
                assert other.recv(1) == b"."  # both trace before either connects
                client.connect(listener.getsockname())
                return ports_seen(read_until(tracing, turns(server_port, State.ESTABLISHED)))

        here, there = socket.socketpair()
        child = os.fork()
        if child == 0:
            right = False
            try:
                right = run(theirs, there) == {port_of(theirs), server_port}
            finally:
                os._exit(0 if right else 1)
        there.close()
        assert run(ours, here) == {port_of(ours), server_port}
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        here.close()


@pytest.mark.traces
def test_nothing_is_mounted_where_others_can_see_it():
    before = Path("/proc/self/mountinfo").read_text()
    with Tracing.open(frozenset({1})):
        assert Path("/proc/self/mountinfo").read_text() == before


def killed_run() -> str:
    """The instance of a run that was killed with SIGKILL while it traced."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with Tracing.open(frozenset({1})):
                os.write(writing, b".")
                signal.pause()
        finally:
            os._exit(1)
    os.read(reading, 1)
    try:
        (name,) = instances_of(child)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return name


def instances_of(process: int) -> list[str]:
    with tracefs._tracefs() as root:
        names = [path.name for path in (root / "instances").iterdir()]
    return [name for name in names if name.startswith(f"tcplab-{process}-")]


def in_use(instance: Path) -> BinaryIO:
    """The trace_pipe of a new instance. Until it is open, others that trace may sweep it away."""
    opened: list[BinaryIO] = []

    def begin() -> bool:
        with contextlib.suppress(OSError):
            instance.mkdir(exist_ok=True)
            opened.append((instance / "trace_pipe").open("rb"))
        return bool(opened)

    until(begin)
    return opened[0]


def left_over(plant: Callable[[], str]) -> str:
    """What `plant` leaves, once it was there to be seen: others that trace may sweep it away."""
    names: list[str] = []

    def found() -> bool:
        names.append(plant())
        return names[-1] in leftovers()

    until(found)
    return names[-1]


@pytest.mark.traces
def test_the_instance_of_a_killed_run_is_left_over_until_the_next_run():
    name = left_over(killed_run)
    with Tracing.open(frozenset({1})):
        assert name not in leftovers()


@pytest.mark.traces
def test_an_instance_whose_process_id_belongs_to_a_later_process_is_left_over():
    def plant() -> str:
        name = f"tcplab-{os.getpid()}-1"
        with tracefs._tracefs() as root:
            (root / "instances" / name).mkdir(exist_ok=True)
        return name

    name = left_over(plant)
    sweep()
    assert name not in leftovers()


@pytest.mark.traces
def test_the_instance_of_a_living_run_is_not_swept(inside):
    name = f"tcplab-{os.getpid()}-{tracefs._started(os.getpid())}"
    with (
        bound() as nobody,
        bound() as client,
        Tracing.open(frozenset({port_of(client)})) as tracing,
    ):
        assert name not in leftovers()
        sweep()
        with pytest.raises(ConnectionRefusedError):
            client.connect(nobody.getsockname())
        assert changes(read(tracing), port_of(client)) != []


@pytest.mark.traces
def test_an_instance_that_is_in_use_survives_even_if_its_run_looks_dead():
    """As a run in another PID namespace does."""
    name = f"tcplab-{os.getpid()}-2"
    with tracefs._tracefs() as root:
        with in_use(root / "instances" / name):
            sweep()
            assert name in leftovers()
        sweep()
        assert name not in leftovers()


@pytest.mark.traces
def test_closing_removes_the_instance():
    tracing = Tracing.open(frozenset({1}))
    tracing.close()
    tracing.close()
    assert instances_of(os.getpid()) == []


@pytest.mark.traces
def test_a_signal_while_it_is_closed_is_heeded_when_nothing_is_left(monkeypatch):
    """Wherever it comes: the instance would outlive the process."""
    remove, calls = tracefs._remove, []

    def interrupted(instance: Path) -> None:
        calls.append(instance)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(instance)
        if len(calls) == 2:
            raise KeyboardInterrupt

    tracing = Tracing.open(frozenset({1}))
    monkeypatch.setattr(tracefs, "_remove", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tracing.close()
    assert len(calls) == 3
    assert instances_of(os.getpid()) == []


@pytest.mark.traces
def test_what_nobody_had_the_time_to_close_is_closed():
    tracing = Tracing.open(frozenset({1}))
    del tracing
    assert instances_of(os.getpid()) == []


def refusal_in_a_user_namespace() -> tuple[str, str]:
    enter_user_namespace()
    with pytest.raises(PrivilegeError) as refused:
        Tracing.open(frozenset({1}))
    return str(refused.value.what), str(refused.value.remedy)


def test_without_root_the_refusal_offers_sudo():
    what, remedy = forked(refusal_in_a_user_namespace)
    assert what == "Only root may read the kernel's tracepoints."
    assert remedy.startswith("Run it as root: sudo /")
