"""The shield, and the counter-proof: without it the client's own kernel resets the connection."""

import contextlib
import socket
import threading
from dataclasses import dataclass

from tcplab.experiment.on_host import play
from tcplab.kernel.counters import Counters, delta
from tcplab.kernel.sock_diag import SockDiag
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.testbed import crafted_host
from tests.links import PORT, Host, apart, every_version, on_link


class NoShield:
    """Chooses a port, as a shield does, and leaves it unguarded."""

    def __init__(self, ip: str, port: int = 0, *, link: int = 0) -> None:
        with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as chooser:
            chooser.bind((ip, port))
            self.port = chooser.getsockname()[1]

    def close(self) -> None:
        pass


@dataclass
class Aftermath:
    """What both kernels have to say after one crafted handshake."""

    resets_sent_by_client: int
    opened_at_server: int
    accepted: list[Address]
    left_at_server: State
    """The server's socket for the connection; LISTEN means that it has none but the listener."""


def handshake(version: int, *, shielded: bool) -> Aftermath:
    if not shielded:
        crafted_host.Shield = NoShield
    net = on_link()
    ip = net.server.ip[version]
    listener = net.server.listen(ip)
    accepted: list[Address] = []
    server = threading.Thread(target=serve, args=(listener, accepted), daemon=True)
    server.start()
    with _counted(net.client) as client_grew, _counted(net.server) as server_grew:
        with net.client.namespace.entered():
            timeline = play(ip, PORT, command=("handshake",))
        shown = timeline.host("client")
        with net.server.namespace.entered(), contextlib.closing(SockDiag()) as diag:
            left = diag.get(Address(ip, PORT), Address(shown.ip, shown.port))
        return Aftermath(
            resets_sent_by_client=client_grew().get("TcpOutRsts", 0),
            opened_at_server=server_grew().get("TcpPassiveOpens", 0),
            accepted=accepted,
            left_at_server=left.state,
        )


@contextlib.contextmanager
def _counted(host: Host):
    """A function that says how much the host's counters have grown since."""
    with host.namespace.entered():
        counters = Counters()
    before = counters.read()
    with contextlib.closing(counters):
        yield lambda: delta(before, counters.read())


def serve(listener: socket.socket, accepted: list[Address]) -> None:
    connection, peer = listener.accept()
    accepted.append(Address(peer[0], peer[1]))
    with connection:
        while connection.recv(1 << 16):
            pass


@every_version
def test_with_the_shield_the_kernel_sends_no_reset_and_the_connection_lives(version):
    after = apart(handshake_with_shield, version)

    assert after.resets_sent_by_client == 0
    assert after.opened_at_server == 1
    assert len(after.accepted) == 1


@every_version
def test_without_it_the_kernel_resets_once_and_the_connection_is_dead(version):
    after = apart(handshake_without, version)

    assert after == Aftermath(
        resets_sent_by_client=1, opened_at_server=0, accepted=[], left_at_server=State.LISTEN
    )


def handshake_with_shield(version: int) -> Aftermath:
    return handshake(version, shielded=True)


def handshake_without(version: int) -> Aftermath:
    return handshake(version, shielded=False)
