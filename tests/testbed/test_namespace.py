"""The default testbed: what it is made of, that it is closed, and that it goes away whole."""

import contextlib
import errno
import os
import socket
import time
from dataclasses import replace

import pytest

from tcplab.experiment.on_testbed import play
from tcplab.kernel import counters, offloads, sock_diag
from tcplab.kernel.netlink import Netlink
from tcplab.kernel.routes import route_to
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.shipped import handshake
from tcplab.scenario.steps import Connection
from tcplab.testbed import home
from tcplab.testbed import namespace as module
from tcplab.testbed.flows import UNCHOSEN
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import SEATS, Family
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.pump import Arrival
from tcplab.wire.raw_socket import RawSocket
from tests.links import until
from tests.live import forked

ALL = tuple(HostSettings(name=name) for name in ("client", "server", "attacker"))
CRAFTED = tuple(replace(each, crafted=each.name == "client") for each in ALL)
NAMES = [each.name for each in ALL]
PORT = 80
ELSEWHERE = {Family.IPV4: "198.51.100.9", Family.IPV6: "2001:db8:9::9"}
MTU_OCTETS = 1500
PATIENCE_S = 40.0

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


class Recorded(NamespaceTestbed):
    """A testbed that keeps what passes on its wire, and lets its namespaces be entered."""

    def __init__(self, **how) -> None:
        made: list[Namespace] = []

        class Kept(Namespace):
            def __init__(self) -> None:
                super().__init__()
                made.append(self)

        module.Namespace = Kept
        super().__init__(rootless=True, **how)
        self.wire, *homes = made
        self.homes = dict(zip(self.hosts, homes, strict=True))
        self.carried: list[Arrival] = []

    def deliver(self, arrival: Arrival) -> bool:
        self.carried.append(arrival)
        return super().deliver(arrival)

    def run(self) -> None:
        """Carry what has been sent, until the wire is quiet."""
        while arrivals := self.arrivals(0):
            for arrival in arrivals:
                self.deliver(arrival)

    def socket(self, host: str) -> socket.socket:
        """A TCP socket of that host, that never blocks."""
        ip = SEATS[host].ip(self._family)
        with self.homes[host].entered():
            made = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
        made.setblocking(False)
        return made


def descriptors() -> set[str]:
    """The numbers of the open descriptors of this process, and what they are."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found.add(f"{number} {os.readlink(f'/proc/self/fd/{number}')}")
    return found


def still_open(before: set[str]) -> set[str]:
    """What is open and was not. Packet sockets are closed in the background: they get some time."""
    deadline_s = time.monotonic() + PATIENCE_S
    while (left := descriptors() - before) and time.monotonic() < deadline_s:
        time.sleep(0.001)
    return left


# --- closed to the outside ----------------------------------------------------------------------


def ways_out(family) -> dict[str, str]:
    """What each host's kernel says of the way to an address that is not in the testbed."""
    said = {}
    with contextlib.closing(Recorded(family=family, settings=ALL)) as testbed:
        for name, home in testbed.homes.items():
            with home.entered():
                try:
                    route_to(ELSEWHERE[family])
                except OSError as refusal:
                    said[name] = errno.errorcode[refusal.errno]
    return said


@every_family
def test_no_host_has_a_way_out(family):
    assert forked(ways_out, family) == dict.fromkeys(NAMES, "ENETUNREACH")


def interfaces() -> dict[str, list[str]]:
    with contextlib.closing(Recorded(settings=ALL)) as testbed:
        found = {}
        for name, home in {"wire": testbed.wire, **testbed.homes}.items():
            with home.entered():
                found[name] = [interface for _index, interface in socket.if_nameindex()]
    return found


def test_there_are_no_interfaces_but_the_cables_and_their_ends():
    found = forked(interfaces)

    cables = [SEATS[name].cable for name in NAMES]
    assert sorted(found.pop("wire")) == sorted(["lo", *cables])
    assert {tuple(sorted(names)) for names in found.values()} == {("eth0", "lo")}


def test_every_address_is_one_for_documentation():
    for seat in SEATS.values():
        assert seat.ip4.startswith("192.0.2.")  # RFC 5737
        assert seat.ip6.startswith("2001:db8:")  # RFC 3849


MULTICAST_REPORT = "86dd"  # IPv6 without TCP: hosts join groups whenever the kernel gets to it

# --- what passes on the wire --------------------------------------------------------------------


def connected(family, client: str) -> tuple[str, list[tuple[str, str]], int]:
    """(whom the server accepted, every frame's (sender, what it carries), frames lost)."""
    with contextlib.closing(Recorded(family=family, settings=ALL)) as testbed:
        listener = testbed.socket("server")
        address = SEATS["server"].ip(family), PORT
        listener.bind(address)
        listener.listen()
        opener = testbed.socket(client)
        opener.connect_ex(address)
        testbed.run()
        accepted, peer = listener.accept()
        accepted.close()
        testbed.run()
        carried = [
            (
                arrival.sender,
                arrival.frame.segment.flags.letters
                if arrival.frame.segment
                else arrival.frame.octets[12:14].hex(),
            )
            for arrival in testbed.carried
        ]
        return peer[0], carried, testbed.drops()


@every_family
@pytest.mark.parametrize("client", ["client", "attacker"])
def test_every_two_hosts_can_connect(family, client):
    peer, carried, drops = forked(connected, family, client)

    assert peer == SEATS[client].ip(family)
    said = [(sender, what) for sender, what in carried if what != MULTICAST_REPORT]
    assert [flags for sender, flags in said if sender == client][:2] == ["S", "A"]
    assert next(flags for sender, flags in said if sender == "server") == "SA"
    assert drops == 0


def test_ipv4_hosts_say_nothing_that_is_not_asked_of_them():
    _peer, carried, _drops = forked(connected, Family.IPV4, "client")

    assert {flags for _sender, flags in carried} <= {"S", "SA", "A", "FA"}


def overheard(family) -> list[bytes]:
    """What a third host sees of a connection between the two others."""
    with contextlib.closing(Recorded(family=family, settings=ALL)) as testbed:
        with testbed.homes["attacker"].entered():
            ear = PacketSocket("eth0", testbed._permit)
        listener = testbed.socket("server")
        address = SEATS["server"].ip(family), PORT
        listener.bind(address)
        listener.listen()
        testbed.socket("client").connect_ex(address)
        testbed.run()
        assert any(arrival.sender == "server" for arrival in testbed.carried)
        heard = [seen.frame.octets for seen in ear.take() if seen.frame.segment is not None]
        ear.close()
    return heard


@every_family
def test_a_third_host_does_not_hear_what_is_not_addressed_to_it(family):
    assert forked(overheard, family) == []


NEIGHBOUR_DISCOVERY = range(133, 138)  # ICMPv6 types (RFC 4861)


def icmpv6_types() -> set[int]:
    with contextlib.closing(Recorded(family=Family.IPV6)) as testbed:
        testbed.run()
        listener = testbed.socket("server")
        listener.bind((SEATS["server"].ip6, PORT))
        listener.listen()
        testbed.socket("client").connect_ex((SEATS["server"].ip6, PORT))
        testbed.run()
        frames = [arrival.frame for arrival in testbed.carried if not arrival.frame.segment]
        return {frame.octets[54] for frame in frames if frame.octets[20] == 58}


def test_ipv6_hosts_need_no_neighbour_discovery():
    assert forked(icmpv6_types).isdisjoint(NEIGHBOUR_DISCOVERY)


LOT = bytes(20_000)


def big_send(family) -> tuple[int, set[int], set[bool | None], int]:
    """(octets read by the server, the lengths of frames, their checksums, frames lost)."""
    with contextlib.closing(Recorded(family=family)) as testbed:
        listener, opener = testbed.socket("server"), testbed.socket("client")
        address = SEATS["server"].ip(family), PORT
        listener.bind(address)
        listener.listen()
        opener.connect_ex(address)
        testbed.run()
        accepted, _peer = listener.accept()
        accepted.setblocking(False)
        opener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert opener.send(LOT) == len(LOT)
        read = 0

        def all_read() -> bool:
            nonlocal read
            testbed.run()
            with contextlib.suppress(BlockingIOError):
                while octets := accepted.recv(1 << 16):
                    read += len(octets)
            return read == len(LOT)

        until(all_read)
        frames = [arrival.frame for arrival in testbed.carried if arrival.frame.segment]
        return (
            read,
            {len(frame.octets) for frame in frames},
            {frame.segment.checksum_ok for frame in frames},
            testbed.drops(),
        )


@every_family
def test_frames_are_real_ones_however_much_is_sent(family):
    read, lengths, checksums, drops = forked(big_send, family)

    assert read == len(LOT)
    assert max(lengths) == 14 + MTU_OCTETS  # full, and not beyond
    assert checksums == {True}
    assert drops == 0


def other_run_seen(family) -> tuple[int, int]:
    """(frames that this testbed saw, segments of a whole run beside it)."""
    with contextlib.closing(Recorded(family=family)) as testbed:
        testbed.run()  # what IPv6 says of its own accord
        testbed.carried.clear()
        beside = forked(play, handshake(), command=(), family=family, rootless=True)
        testbed.run()
        return (
            len([arrival for arrival in testbed.carried if arrival.frame.segment]),
            len(list(beside.segments())),
        )


@every_family
def test_two_testbeds_at_once_do_not_hear_each_other(family):
    mine, theirs = forked(other_run_seen, family)

    assert mine == 0
    assert theirs > 0


def test_a_flow_has_a_port_of_its_own_in_linux_s_range():
    flows = forked(reserved)

    assert {flow.server.port for flow in flows} == {PORT}
    assert all(32768 <= flow.client.port < 61000 for flow in flows)
    assert len({flow.client.port for flow in flows}) > 1


def reserved():
    with contextlib.closing(NamespaceTestbed(rootless=True)) as testbed:
        return [testbed.reserve(PORT) for _ in range(20)]


def unchosen():
    with contextlib.closing(NamespaceTestbed(rootless=True)) as testbed:
        conns = [Connection(name=name, server_port=PORT) for name in "ab"]
        return [testbed.flow(conn, chosen=False).client.port for conn in conns]


def test_no_port_is_made_up_for_a_connection_whose_port_the_kernel_will_choose():
    """It might be the one that the kernel gives to another."""
    assert forked(unchosen) == [UNCHOSEN, UNCHOSEN]


# --- whose privilege ----------------------------------------------------------------------------


def user_namespaces(rootless: bool | None) -> tuple[bool, bool]:
    """(does the testbed say that it is rootless, did this process change its user namespace)."""
    before = os.readlink("/proc/self/ns/user")
    with contextlib.closing(NamespaceTestbed(rootless=rootless)) as testbed:
        return testbed.facts.rootless, os.readlink("/proc/self/ns/user") != before


def test_rootless_takes_a_user_namespace_whoever_asks():
    assert forked(user_namespaces, True) == (True, True)


@pytest.mark.root
def test_root_takes_no_user_namespace_unless_asked():
    assert forked(user_namespaces, None) == (False, False)


@pytest.mark.root
def test_root_can_insist_on_taking_none():
    assert forked(user_namespaces, False) == (False, False)


# --- giving back --------------------------------------------------------------------------------


def opened_and_closed(times: int, **how) -> set[str]:
    """Descriptors that stay open after so many closes."""
    NamespaceTestbed(rootless=True).close()  # imports and caches are done with
    before = descriptors()
    testbed = NamespaceTestbed(rootless=None, **how)
    assert descriptors() != before
    for _ in range(times):
        testbed.close()
    return still_open(before)


@every_family
@pytest.mark.parametrize("settings", [ALL, CRAFTED], ids=["kernel", "crafted"])
def test_close_gives_every_descriptor_back(family, settings):
    assert forked(opened_and_closed, 1, family=family, settings=settings) == set()


def test_closing_twice_is_fine():
    assert forked(opened_and_closed, 2) == set()


class PlantedError(Exception):
    """What the testbed stumbles over."""


STEPS = {
    "namespace": (Namespace, "__init__"),
    "netlink": (Netlink, "__init__"),
    "request": (Netlink, "tell"),
    "wire": (PacketSocket, "_prepare"),
    "offload": (offloads, "turn_off"),
    "sock_diag": (sock_diag.SockDiag, "__init__"),
    "counters": (counters.Counters, "__init__"),
    "raw socket": (RawSocket, "__init__"),
    "address": (home, "_wait_for_address"),
}


def failing_at(step: str) -> list[set[str]]:
    """Make the step fail at its first, second … call; what stays open after each failure.

    The exception is kept while we look: garbage collection is no way to close a socket.
    """
    how = {"family": Family.IPV6, "settings": CRAFTED}
    NamespaceTestbed(rootless=True, **how).close()
    before = descriptors()
    owner, name = STEPS[step]
    real = getattr(owner, name)
    left = []
    while True:
        calls_left = len(left)

        def stumbles(*args, **kwargs):
            nonlocal calls_left
            if calls_left == 0:
                raise PlantedError
            calls_left -= 1
            return real(*args, **kwargs)

        setattr(owner, name, stumbles)
        try:
            NamespaceTestbed(rootless=None, **how).close()
        except PlantedError as kept:
            left.append(still_open(before))
            del kept
        else:
            return left
        finally:
            setattr(owner, name, real)


@pytest.mark.parametrize("step", STEPS)
def test_a_testbed_that_fails_half_way_leaves_nothing_open(step):
    left = forked(failing_at, step)

    assert len(left) > 0
    assert left == [set()] * len(left)
