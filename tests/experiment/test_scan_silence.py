"""`tcplab scan HOST` of hosts that say nothing at all: why, as far as this machine can know."""

import ctypes
import subprocess
from collections.abc import Callable

import pytest

from tcplab.kernel import links, neighbours
from tcplab.kernel.neighbours import NeighbourState, next_hop
from tcplab.kernel.netlink import ACK, REPLACE
from tcplab.kernel.privilege import Capability
from tcplab.kernel.routes import route_to
from tests.kernel.test_neighbours import address
from tests.links import (
    BLACKHOLE,
    PREFIX,
    UNREACHABLE,
    Network,
    apart,
    every_version,
    on_link,
    routed,
    until,
)
from tests.scans import Scan, Scanned, Served, scanned
from tests.testbed import nft

pytestmark = pytest.mark.xdist_group("silence")  # what all of it waits for it waits for once
METHODS = ("--syn", "--connect")
NOBODY = {4: "192.0.2.77", 6: "2001:db8:1::77"}
ROUTER = {4: "192.0.2.254", 6: "2001:db8:1::254"}
FAR = {4: "198.51.100.2", 6: "2001:db8:2::2"}
PORTS = "20-29"

Case = Callable[[int], tuple[Network, str]]

every_method = pytest.mark.parametrize("method", METHODS)


def nobody(version: int) -> tuple[Network, str]:
    """On the own link nobody has the address."""
    return on_link(), NOBODY[version]


def deaf(version: int) -> tuple[Network, str]:
    """A neighbour that drops everything."""
    served = Served(on_link(), version, ports=())
    served.drop_all()
    return served.net, served.ip


def remembered(net: Network, version: int) -> str:
    """The server has just told the client its link address. Returns the server's."""
    ip = net.server.ip[version]
    with net.client.namespace.entered():
        address(ip)
        until(lambda: next_hop(ip, route_to(ip)).state is NeighbourState.REACHABLE)
    return ip


def deaf_and_remembered(version: int) -> tuple[Network, str]:
    net, ip = deaf(version)
    remembered(net, version)
    return net, ip


def deaf_and_stale(version: int) -> tuple[Network, str]:
    """To the first packet the kernel gives five seconds before it asks anybody."""
    net, ip = deaf_and_remembered(version)
    stale = neighbours._entry(ip, 2, NeighbourState.STALE)
    net.client.tell((neighbours._NEW_NEIGHBOUR, REPLACE | ACK, stale))
    return net, ip


def left(version: int) -> tuple[Network, str]:
    """It was there a moment ago, and the kernel remembers it for longer than any scan lasts."""
    net = on_link()
    net.client.set(f"ipv{version}/neigh/eth0/base_reachable_time_ms", "3600000")
    ip = remembered(net, version)
    net.server.tell(links.no_address(2, ip, PREFIX[version]))
    return net, ip


def deaf_behind_router(version: int) -> tuple[Network, str]:
    served = Served(routed(), version, ports=())
    served.drop_all()
    return served.net, served.ip


def unreachable(version: int) -> tuple[Network, str]:
    """The router reports that it knows no way."""
    net = routed()
    net.router.reject(net.server.ip[version], UNREACHABLE)
    return net, net.server.ip[version]


def blackhole(version: int) -> tuple[Network, str]:
    """The router drops it."""
    net = routed()
    net.router.reject(net.server.ip[version], BLACKHOLE)
    return net, net.server.ip[version]


def router_down(version: int) -> tuple[Network, str]:
    """Nobody has the router's address."""
    net = on_link()
    net.client.route(FAR[version], {4: 32, 6: 128}[version], via=NOBODY[version])
    return net, FAR[version]


def itself_deaf(version: int) -> tuple[Network, str]:
    """This machine asks itself, and drops everything."""
    net = on_link()
    served = Served(Network(client=net.client, server=net.client), version, ports=())
    served.drop_all()
    return net, served.ip


def one_port_speaks(version: int) -> tuple[Network, str]:
    """A firewall lets one closed port through."""
    served = Served(on_link(), version, ports=())
    with served.net.server.namespace.entered():
        nft.only_open([25])
    return served.net, served.ip


SILENT = {
    nobody: ("down", "seems down: on its own link nobody answers"),
    left: ("down", "seems down: on its own link nobody answers"),
    deaf: ("filtered", "is up, and everything is filtered"),
    deaf_and_remembered: ("filtered", "is up, and everything is filtered"),
    deaf_and_stale: ("filtered", "is up, and everything is filtered"),
    deaf_behind_router: ("down or filtered", "seems down or filtered: nothing at all came back"),
    unreachable: ("unreachable", "cannot be reached: a router says so"),
    blackhole: ("down or filtered", "seems down or filtered: nothing at all came back"),
    router_down: ("unreachable", "cannot be reached"),
    itself_deaf: ("filtered", "is this machine itself, so it is up"),
}
CASES = (*SILENT, one_port_speaks)


def side_by_side(version: int) -> dict[tuple[str, str], tuple[Scanned, Scanned]]:
    """What each came to, for people and for machines: the longest wait is the whole wait.

    Each has a network of its own, for a router limits what it says to one host.
    """

    def begun(case: Case, method: str, *more: str) -> Scan:
        net, host = case(version)
        return Scan(net.client, host, method, "-p", PORTS, *more)

    runs = {
        (case.__name__, method): (begun(case, method), begun(case, method, "--json"))
        for case in CASES
        for method in METHODS
    }
    return {name: (one.result(), other.result()) for name, (one, other) in runs.items()}


@pytest.fixture(scope="module")
def silences():
    return {version: apart(side_by_side, version) for version in (4, 6)}


@every_version
@every_method
@pytest.mark.parametrize("case", SILENT, ids=lambda case: case.__name__)
def test_what_is_said_of_a_silent_host(case, method, version, silences):
    shown, told = silences[version][case.__name__, method]
    silence, words = SILENT[case]

    assert (shown.status, shown.err, told.status, told.err) == (1, "", 1, "")
    assert words in " ".join(shown.out.split())
    assert "closed" not in shown.out
    assert "No open port" not in shown.out
    assert (told.document["silence"], told.document["doubt"]) == (silence, None)
    assert (told.ports["open"], told.ports["closed"]) == ([], "")
    assert told.document["partial"] is False


@every_version
@every_method
def test_a_router_that_reports_is_named(method, version, silences):
    _shown, told = silences[version]["unreachable", method]

    kinds = {(each["type"], each["code"], each["from"]) for each in told.document["rejections"]}
    assert kinds == {(*{4: (3, 1), 6: (1, 0)}[version], ROUTER[version])}


def without_net_admin() -> None:
    """The program is started without CAP_NET_ADMIN, which even root then cannot have."""
    assert ctypes.CDLL(None).prctl(24, int(Capability.NET_ADMIN), 0, 0, 0) == 0  # PR_CAPBSET_DROP


def left_and_not_asked(version: int, method: str) -> Scanned:
    net, ip = left(version)
    arguments = (ip, method, "-p", PORTS, "--json")
    return scanned(net.client, *arguments, before_exec=without_net_admin)


@every_version
@every_method
def test_who_may_not_have_a_host_asked_again_does_not_say_that_it_is_up(method, version):
    done = apart(left_and_not_asked, version, method)

    assert (done.status, done.document["silence"]) == (1, "down or filtered")


def far_too_many(version: int, method: str) -> Scanned:
    """A router says of a few ports a second only that it knows no way (ICMP is limited)."""
    net, host = unreachable(version)
    return scanned(net.client, host, method, "-p", "1-500", "--json")


@every_version
@every_method
def test_a_host_that_a_router_cannot_reach_is_not_asked_for_ever(method, version):
    done = apart(far_too_many, version, method)

    assert (done.status, done.document["silence"]) == (1, "unreachable")
    assert (done.document["rounds"], done.document["doubt"]) == (2, None)


@every_version
@every_method
def test_one_answer_is_enough_for_the_others_to_be_filtered(method, version, silences):
    shown, told = silences[version]["one_port_speaks", method]

    assert (shown.status, told.status, told.document["silence"]) == (0, 0, None)
    assert told.ports == {"open": [], "closed": "25", "filtered": "20-24,26-29", "rejected": ""}
    assert "9 filtered (no answer)" in shown.out


def own_firewall(version: int, method: str) -> Scanned:
    served = Served(on_link(), version)
    table = (
        "table inet t { chain out { type filter hook output priority 0; tcp dport 20-29 drop; }; }"
    )
    with served.net.client.namespace.entered():
        subprocess.run(["nft", table], check=True, capture_output=True)
    return scanned(served.net.client, served.ip, method, "-p", PORTS)


@every_version
@every_method
def test_an_own_firewall_that_lets_nothing_out_is_not_called_silence(method, version):
    done = apart(own_firewall, version, method)

    assert (done.status, done.out) == (4, "")
    assert "own firewall" in done.err


def own_end_down(version: int, method: str) -> Scanned:
    served = Served(on_link(), version)
    served.net.client.tell(links.set_up(2, up=False))
    return scanned(served.net.client, served.ip, method, "-p", PORTS)


@every_version
@every_method
def test_a_link_that_is_down_from_the_beginning_is_not_available(method, version):
    done = apart(own_end_down, version, method)

    assert (done.status, done.out) == (4, "")
    assert len(done.err.splitlines()) == 2
