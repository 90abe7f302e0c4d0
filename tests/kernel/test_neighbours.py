"""What the kernel's neighbour table says of hosts that answer, and of one that does not."""

import errno
import time
from collections.abc import Callable
from contextlib import closing
from socket import AF_INET, AF_INET6, SOCK_DGRAM, socket

from tcplab.kernel import links
from tcplab.kernel.neighbours import NeighbourState, ask, ask_again, neighbour, next_hop
from tcplab.kernel.routes import route_to
from tests.links import PREFIX, apart, every_version, on_link, routed, until

NOBODY = {4: "192.0.2.77", 6: "2001:db8:1::77"}
BEYOND = {4: "203.0.113.9", 6: "2001:db8:7::9"}
ASKED_FOR_MS = 100
SILENCE = (NeighbourState.INCOMPLETE, NeighbourState.FAILED)
ANSWERED = (NeighbourState.REACHABLE, NeighbourState.STALE, NeighbourState.DELAY)


def state(ip: str) -> NeighbourState:
    return next_hop(ip, route_to(ip)).state


def address(ip: str) -> None:
    """Send something to it, so that the kernel asks for it."""
    with closing(socket(AF_INET6 if ":" in ip else AF_INET, SOCK_DGRAM)) as sender:
        sender.sendto(b"", (ip, 9))


def last_state(ip: str, true: Callable[[NeighbourState], bool]) -> NeighbourState:
    """The first state for which that is true; it may be forgotten soon."""
    found: list[NeighbourState] = []

    def look() -> bool:
        found.append(state(ip))
        return true(found[-1])

    until(look)
    return found[-1]


def states_of_a_silent_address(version) -> list[NeighbourState]:
    """Of the first one during whose question this process did not stand still."""
    net = on_link()
    # Asked once and no longer, so that the kernel gives up at once.
    for name in ("ucast_solicit", "mcast_solicit"):
        net.client.set(f"ipv{version}/neigh/eth0/{name}", "1")
    net.client.set(f"ipv{version}/neigh/eth0/retrans_time_ms", str(ASKED_FOR_MS))
    with net.client.namespace.entered():
        for nobody in (f"{NOBODY[version][:-2]}{number}" for number in range(10, 99)):
            before = state(nobody)
            began_ns = time.monotonic_ns()
            address(nobody)
            asked = state(nobody)
            if time.monotonic_ns() - began_ns < ASKED_FOR_MS * 1_000_000 / 2:
                break
        return [before, asked, last_state(nobody, lambda it: it is not NeighbourState.INCOMPLETE)]


@every_version
def test_address_that_nobody_has_is_incomplete_and_then_failed(version):
    found = apart(states_of_a_silent_address, version)
    assert found == [NeighbourState.NONE, NeighbourState.INCOMPLETE, NeighbourState.FAILED]
    assert [each.silent for each in found] == [False, True, True]


def states_of_a_host(version) -> NeighbourState:
    net = on_link()
    server = net.server.ip[version]
    with net.client.namespace.entered():
        address(server)
        until(lambda: state(server) not in (NeighbourState.NONE, *SILENCE))
        return state(server)


@every_version
def test_host_that_answers_is_not_silent(version):
    found = apart(states_of_a_host, version)
    assert found in ANSWERED
    assert not found.silent


def confirmations(version) -> list[bool]:
    """Has the host answered since before it was asked, and since after that? And asked again?"""
    net = on_link()
    server = net.server.ip[version]
    with net.client.namespace.entered():
        route = route_to(server)
        before_ns = time.monotonic_ns()
        address(server)
        until(lambda: next_hop(server, route).state is NeighbourState.REACHABLE)
        since = [next_hop(server, route).answered_since(before_ns)]
        later_ns = time.monotonic_ns() + 20_000_000
        until(lambda: time.monotonic_ns() >= later_ns)
        since += [next_hop(server, route).answered_since(later_ns)]
        ask_again(server, route)
        until(lambda: not next_hop(server, route).state.being_asked)
        return [*since, next_hop(server, route).answered_since(later_ns)]


@every_version
def test_kernel_remembers_when_a_host_was_there_last_and_asks_it_again(version):
    assert apart(confirmations, version) == [True, False, True]


def state_of_a_host_that_has_left(version) -> NeighbourState:
    net = on_link()
    server = net.server.ip[version]
    with net.client.namespace.entered():
        address(server)
        until(lambda: state(server) is NeighbourState.REACHABLE)
    net.server.tell(links.no_address(2, server, PREFIX[version]))
    net.client.set(f"ipv{version}/neigh/eth0/retrans_time_ms", "100")
    with net.client.namespace.entered():
        assert state(server).remembered
        ask_again(server, route_to(server))
        return last_state(server, lambda it: not it.being_asked)


@every_version
def test_host_that_has_left_is_silent_when_it_is_asked_again(version):
    assert apart(state_of_a_host_that_has_left, version) is NeighbourState.FAILED


def asked_for(version, there: bool) -> tuple[NeighbourState, NeighbourState]:
    """What is known of a host before it is asked for, and once it is known."""
    net = on_link()
    net.client.set(f"ipv{version}/neigh/eth0/retrans_time_ms", "100")
    ip = net.server.ip[version] if there else NOBODY[version]
    with net.client.namespace.entered():
        before = state(ip)
        ask(ip, route_to(ip))
        return before, last_state(ip, lambda it: not it.being_asked)


@every_version
def test_who_is_asked_for_answers_or_has_failed(version):
    there = apart(asked_for, version, True)
    assert there[0] is NeighbourState.NONE
    assert there[1] in ANSWERED
    assert apart(asked_for, version, False) == (NeighbourState.NONE, NeighbourState.FAILED)


def state_of_the_gateway(version) -> NeighbourState:
    net = routed()
    with net.client.namespace.entered():
        address(net.server.ip[version])
        until(lambda: state(net.server.ip[version]) not in (NeighbourState.NONE, *SILENCE))
        return state(net.server.ip[version])


@every_version
def test_host_behind_a_router_is_as_its_gateway(version):
    assert apart(state_of_the_gateway, version) in ANSWERED


def state_of_a_silent_gateway(version) -> NeighbourState:
    net = on_link()
    net.client.route(BEYOND[version], 32 if version == 4 else 128, via=NOBODY[version])
    with net.client.namespace.entered():
        address(BEYOND[version])
        return state(BEYOND[version])


@every_version
def test_gateway_that_nobody_is_is_silent(version):
    assert apart(state_of_a_silent_gateway, version).silent


def state_of_a_permanent_one(version) -> NeighbourState:
    net = on_link()
    net.client.tell(links.neighbour(2, NOBODY[version], "02:00:00:00:00:77"))
    with net.client.namespace.entered():
        return state(NOBODY[version])


@every_version
def test_entry_made_by_hand_is_permanent(version):
    found = apart(state_of_a_permanent_one, version)
    assert found is NeighbourState.PERMANENT
    assert not found.silent


def state_of_an_own_address(version) -> bool:
    net = on_link()
    with net.client.namespace.entered():
        return state(net.client.ip[version]).silent


@every_version
def test_own_address_is_not_silent(version):
    assert not apart(state_of_an_own_address, version)


def error_without_interface() -> int | None:
    try:
        neighbour(NOBODY[4], link_index=99)
    except OSError as refusal:
        return refusal.errno
    return None


def test_interface_that_is_not_there_is_refused():
    assert apart(error_without_interface) == errno.ENODEV
