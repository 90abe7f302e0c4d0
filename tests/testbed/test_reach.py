"""The way to a named host for a scan: resolved once, and within its tier."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from tcplab.errors import Exit, RefusedError, TcplabError, UsageError
from tcplab.kernel import links
from tcplab.testbed import reach as module
from tcplab.testbed.reach import Reached, TierRate, find_way, reach
from tcplab.wire.burst.path import Path
from tests.links import Network, apart, every_version, on_link, routed

FAR = {4: "198.51.100.2", 6: "2001:db8:2::2"}
GLOBAL = {4: "8.8.8.8", 6: "2606:4700::1111"}
SAID = "the owner, by mail of 1 May"


@dataclass(frozen=True)
class Told:
    """What `reach` returned or raised, without what cannot be sent between processes."""

    address: str = ""
    name: str = ""
    gateway: str | None = None
    rate_pps: int | None = 0
    authorized: str | None = None
    path: Path | None = None
    leaves: tuple[str, int | None] = ("", 0)
    status: int = 0
    what: str = ""
    remedy: str = ""


def told(net: Network, host: str, **how) -> Told:
    with net.client.namespace.entered():
        try:
            reached = reach(host, **how)
        except TcplabError as error:
            return Told(status=error.status, what=str(error.what), remedy=str(error.remedy))
    return _described(reached)


def _described(reached: Reached) -> Told:
    permit = reached.path.permit
    return Told(
        address=reached.address,
        name=reached.name,
        gateway=reached.route.gateway,
        rate_pps=reached.rate_pps,
        authorized=reached.authorized,
        path=replace(reached.path, permit=None, inside=None),
        leaves=(permit.destination, permit.rate_pps),
    )


def reaching(network: Callable[[], Network], host: str, **how) -> Told:
    return told(network(), host, **how)


def ways(version: int) -> dict[str, Told]:
    """To a neighbour, to itself, and by loopback."""
    net = on_link()
    hosts = {
        "neighbour": net.server.ip[version],
        "own": net.client.ip[version],
        "loopback": {4: "127.0.0.1", 6: "::1"}[version],
    }
    return {name: told(net, host) for name, host in hosts.items()}


@every_version
def test_to_a_neighbour(version):
    way = apart(ways, version)["neighbour"]

    source, there = {
        4: ("192.0.2.1", "192.0.2.2"),
        6: ("2001:db8:1::1", "2001:db8:1::2"),
    }[version]
    assert way == Told(
        address=there,
        name=there,
        rate_pps=1000,
        path=Path(
            source=source,
            destination=there,
            interface="eth0",
            link_index=2,
            local=False,
            inside=None,
            permit=None,
            mtu_octets=1500,
        ),
        leaves=(there, 1000),
    )


@every_version
@pytest.mark.parametrize("name", ["own", "loopback"])
def test_to_this_machine_itself_it_is_loopback(version, name):
    way = apart(ways, version)[name]

    assert (way.path.interface, way.path.link_index, way.path.local) == ("lo", 1, True)
    assert way.path.source == way.path.destination == way.address
    assert way.path.mtu_octets <= 65535
    assert way.rate_pps == 1000


@every_version
def test_behind_a_router(version):
    way = apart(reaching, routed, FAR[version])

    assert (way.address, way.path.interface, way.path.local) == (FAR[version], "eth0", False)
    assert way.gateway == {4: "192.0.2.254", 6: "2001:db8:1::254"}[version]


def link_local() -> tuple[Told, Told, str]:
    net = on_link()
    with net.server.namespace.entered(), open("/proc/thread-self/net/if_inet6") as table:
        octets = next(line.split()[0] for line in table if line.split()[3] == "20")
    there = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(octets))
    return told(net, f"{there}%eth0"), told(net, there), there


def test_a_link_local_address_needs_its_link():
    with_link, without, there = apart(link_local)

    assert (with_link.address, with_link.path.destination) == (there, there)
    assert with_link.path.scope == with_link.path.link_index == 2
    assert with_link.path.source.startswith("fe80:")
    assert without.status == Exit.USAGE
    assert f"{there}%eth0" in without.remedy


@pytest.mark.parametrize("link", ["nope", "9999", ""])
def test_a_link_that_is_not_there_is_what_is_missing(link):
    with pytest.raises(UsageError) as refused:
        find_way(f"fe80::1%{link}")
    assert str(refused.value.what) == f"There is no interface {link!r}."
    assert "lo" in str(refused.value.remedy)


@pytest.mark.parametrize("ip", ["fe80::1", "fe90::1", "febf:ffff::1"])
def test_all_of_the_block_is_link_local(ip):
    with pytest.raises(UsageError) as refused:
        find_way(ip)
    assert f"{ip}%eth0" in str(refused.value.remedy)


def mapped() -> tuple[Told, Told]:
    net = on_link()
    return told(net, "::ffff:192.0.2.2"), told(net, "::ffff:192.0.2.2", version=6)


def test_a_mapped_address_is_an_ipv4_address():
    way, as_ipv6 = apart(mapped)

    assert (way.address, way.path.source) == ("192.0.2.2", "192.0.2.1")
    assert as_ipv6.status == Exit.USAGE
    assert "IPv6" in as_ipv6.what


# --- the tier -----------------------------------------------------------------------------------


def global_host(version: int, **how) -> Told:
    """A global address that is the neighbour's, in a network that leads nowhere."""
    net = on_link()
    net.client.route(GLOBAL[version], {4: 32, 6: 128}[version], via=net.server.ip[version])
    return told(net, GLOBAL[version], **how)


@every_version
def test_a_global_address_needs_somebody_s_leave(version):
    way = apart(global_host, version)

    assert way.status == Exit.REFUSED
    assert GLOBAL[version] in way.what
    assert "--authorized" in way.remedy


@every_version
@pytest.mark.parametrize(
    ("asked", "rate_pps"), [(TierRate.DEFAULT, 100), (5000, 5000), (None, None)]
)
def test_with_leave_it_is_asked_slowly_unless_told_otherwise(version, asked, rate_pps):
    way = apart(partial(global_host, version, authorized=SAID, rate_pps=asked))

    assert (way.rate_pps, way.authorized) == (rate_pps, SAID)
    assert way.leaves == (GLOBAL[version], rate_pps)


def own_global() -> Told:
    net = on_link()
    net.client.tell(links.address(2, GLOBAL[4], 32))
    return told(net, GLOBAL[4])


def test_an_own_global_address_needs_nobody_s_leave():
    way = apart(own_global)

    assert (way.status, way.rate_pps, way.path.local) == (0, 1000, True)


@pytest.mark.parametrize("rate_pps", [1001, None])
def test_a_higher_rate_needs_somebody_s_leave(rate_pps):
    refused = apart(partial(reaching, on_link, "192.0.2.2", rate_pps=rate_pps))
    allowed = apart(partial(reaching, on_link, "192.0.2.2", rate_pps=rate_pps, authorized=SAID))

    assert refused.status == Exit.REFUSED
    assert "--rate 1000" in refused.remedy
    assert allowed.leaves == ("192.0.2.2", rate_pps)


@pytest.mark.parametrize("host", ["192.0.2.255", "224.0.0.1", "169.254.169.254", "ff02::1%eth0"])
def test_what_is_not_one_host_is_refused_whoever_allows_it(host):
    way = apart(partial(reaching, on_link, host, authorized=SAID))

    assert way.status == Exit.REFUSED


# --- the name -----------------------------------------------------------------------------------


def resolved_twice() -> tuple[list[str], str]:
    """A name server that says something else each time it is asked."""
    net = on_link()
    asked: list[str] = []

    def answer(host, *_arguments, **_how):
        asked.append(host)
        ip = ["192.0.2.2", "192.0.2.77"][len(asked) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0))]

    module.socket.getaddrinfo = answer  # in this process, which is the test's own
    with net.client.namespace.entered():
        reached = reach("server.test")
    with pytest.raises(RefusedError):
        reached.path.permit.check("192.0.2.77")
    return asked, f"{reached.name} {reached.path.destination}"


def test_a_name_is_resolved_once():
    asked, reached = apart(resolved_twice)

    assert asked == ["server.test"]
    assert reached == "server.test 192.0.2.2"
