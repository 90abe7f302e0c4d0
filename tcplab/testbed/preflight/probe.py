"""Finds the facts, by trying whatever can be tried."""

import errno
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from select import select

from tcplab.errors import TcplabError
from tcplab.kernel import links, offloads
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.kernel.sock_diag import SockDiag
from tcplab.kernel.tracefs import Tracing, leftovers
from tcplab.tcp.segment import Address
from tcplab.testbed.netns import Namespace, enter_user_namespace
from tcplab.testbed.preflight.facts import Facts, Rehearsal, Step
from tcplab.wire.shield import Shield

_PATIENCE_S = 10.0
_PROGRAMS = ("qemu-system-x86_64", "tshark")


def facts_of_this_machine(*, ascii_only: bool = False) -> Facts:
    """Try everything. Takes some tens of milliseconds, and leaves the process as it was.

    Only the caller knows whether its terminal is `ascii_only`.
    """
    tracefs, left = _tracefs() if _on_linux() else (None, None)
    return Facts(
        platform=sys.platform,
        kernel=os.uname().release,
        rootless=_rehearsed(enter_user_namespace) if _on_linux() else {},
        direct=_rehearsed(_stay) if _on_linux() else {},
        unprivileged_userns_clone=_sysctl("kernel/unprivileged_userns_clone"),
        max_user_namespaces=_sysctl("user/max_user_namespaces"),
        max_net_namespaces=_sysctl("user/max_net_namespaces"),
        apparmor_restrict_unprivileged_userns=_sysctl(
            "kernel/apparmor_restrict_unprivileged_userns"
        ),
        container=any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")),
        seccomp="\nSeccomp:\t2\n" in _text("/proc/self/status"),
        raw_socket=_tried(_raw_socket),
        shield=_tried(_shield),
        tracefs=tracefs,
        leftovers=left,
        scapy=metadata.version("scapy") if find_spec("scapy") else None,
        programs={name: path for name in _PROGRAMS if (path := shutil.which(name))},
        distributions=_distributions(),
        ascii_only=ascii_only,
    )


def _on_linux() -> bool:
    return sys.platform == "linux"


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _sysctl(name: str) -> int | None:
    value = _text(f"/proc/sys/{name}").strip()
    return int(value) if value.isdigit() else None


def _distributions() -> tuple[str, ...]:
    """The system and those it derives from, nearest first (man 5 os-release)."""
    lines = (line.partition("=") for line in _text("/etc/os-release").splitlines())
    values = {name: value.strip("\"'") for name, _, value in lines}
    return (*values.get("ID", "").split(), *values.get("ID_LIKE", "").split())


def _tracefs() -> tuple[TcplabError | None, tuple[str, ...] | None]:
    """(what it raised, instances of dead runs). Sweeps nothing: a check changes nothing."""
    try:
        found = tuple(leftovers())
        Tracing(frozenset({1})).close()
    except TcplabError as refusal:
        return refusal, None
    return None, found


def _raw_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()


def _shield() -> None:
    Shield("127.0.0.1").close()


def _tried(attempt: Callable[[], object]) -> str:
    """Nothing if it worked, else the errno's name."""
    try:
        attempt()
    except OSError as refusal:
        return errno.errorcode.get(refusal.errno or 0, str(refusal))
    return ""


def _rehearsed(enter: Callable[[], None]) -> Rehearsal:
    """Build a small testbed in a child process, for entering namespaces cannot be undone."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _rehearse(enter, writing)
        finally:
            os._exit(0)
    os.close(writing)
    try:
        report = _report(reading)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)  # it is done, or it hangs
        os.waitpid(child, 0)
    lines = (line.split() for line in report.splitlines())
    return {Step(words[0]): "".join(words[1:]) for words in lines}


def _report(reading: int) -> str:
    """What the child writes until it ends or is out of time."""
    end_s = time.monotonic() + _PATIENCE_S
    report = b""
    while (left_s := end_s - time.monotonic()) > 0 and select([reading], [], [], left_s)[0]:
        words = os.read(reading, 4096)
        if not words:
            break
        report += words
    return report.decode()


def _stay() -> None:
    """The direct way: root, or a container with CAP_SYS_ADMIN."""


def _rehearse(enter: Callable[[], None], report: int) -> None:
    """Try step after step; the later ones only if namespaces can be made at all."""

    def note(step: Step, attempt: Callable[[], object]) -> bool:
        outcome = _tried(attempt)
        os.write(report, f"{step.value} {outcome}\n".encode())
        return not outcome

    if not note(Step.USER_NAMESPACE, enter):
        return
    made: list[Namespace] = []
    if not note(Step.NETWORK_NAMESPACE, lambda: made.append(Namespace())):
        return
    with ExitStack() as inside:
        inside.enter_context(made[0].entered())
        control = inside.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        if note(Step.VETH, lambda: _make_veth(made[0].fd)):
            note(Step.OFFLOADS, lambda: offloads.turn_off(control, "probe"))
        note(Step.PACKET_SOCKET, _packet_socket)
        note(Step.SOCK_DIAG, _find_a_listener)
        note(Step.IPV6, _bind_ipv6)


def _make_veth(netns: int) -> None:
    pair = links.veth(
        name="probe",
        mac="02:00:00:00:00:01",
        index=2,
        peer="peer",
        peer_mac="02:00:00:00:00:02",
        peer_index=3,
        peer_netns=netns,
    )
    with closing(Netlink(ROUTE)) as netlink:
        netlink.tell([links.set_up(1), pair])


def _packet_socket() -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as packet:
        packet.bind(("lo", 0))


def _find_a_listener() -> None:
    """Without a handler for TCP the kernel says "no such socket", so there has to be one."""
    with closing(SockDiag()) as diag, socket.create_server(("127.0.0.1", 0)) as listener:
        here = Address("127.0.0.1", listener.getsockname()[1])
        if diag.get(here, Address("127.0.0.1", 1)) is None:
            raise FileNotFoundError(errno.ENOENT, "a listener that was not found")


def _bind_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as endpoint:
        endpoint.bind(("::1", 0))
