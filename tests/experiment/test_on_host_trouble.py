"""`tcplab handshake HOST` where somebody says no, says something odd, or says nothing at all."""

import contextlib
import socket
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tcplab.kernel import links
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tests.actors import OnLink, play, server
from tests.links import (
    BLACKHOLE,
    BUDGET,
    DEADLINE_S,
    PORT,
    PROHIBIT,
    UNREACHABLE,
    VERSIONS,
    Result,
    Run,
    apart,
    every_version,
    on_link,
    routed,
)

pytestmark = pytest.mark.xdist_group("trouble")  # what all of it waits for it waits for once
NETWORKS = (on_link, routed)
NOBODY = {4: "192.0.2.77", 6: "2001:db8:1::77"}
LINE = "hello"
PATIENCE_S = 120.0

every_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda made: made.__name__)


# --- a closed one -------------------------------------------------------------------------------


def closed_port(network, version, *arguments: str) -> Result:
    net = network()
    return Run(net.client, "handshake", net.server.ip[version], "--json", *arguments).result()


@every_network
@every_version
def test_a_closed_port_is_told_by_its_reset(network, version):
    result = apart(closed_port, network, version)

    assert result.status == 1
    assert [event["flags"] for event in result.told("segment")] == ["S", "RA"]
    assert result.findings["open.closed"]["verdict"] == "no"
    assert "open.middle-reset" not in result.findings


def test_nothing_is_sent_or_closed_once_the_port_was_refused():
    result = apart(closed_port, on_link, 4, "--send", LINE)

    assert result.status == 1
    assert [call["name"] for call in result.told("call")] == ["connect"]


# --- nobody there, or somebody in between -------------------------------------------------------


def rejected(kind: int, version: int) -> Result:
    net = routed()
    net.router.reject(net.server.ip[version], kind)
    return Run(net.client, "handshake", net.server.ip[version], "--json").result()


ROUTER = {4: "192.0.2.254", 6: "2001:db8:1::254"}


@every_version
def test_a_prohibiting_router_is_named(version):
    result = apart(rejected, PROHIBIT, version)

    assert result.status == 1
    (error,) = result.told("icmp")
    assert (error["reporter"], error["type"], error["code"]) == {
        4: (ROUTER[4], 3, 13),
        6: (ROUTER[6], 1, 1),
    }[version]
    assert result.findings["open.prohibited"]["verdict"] == "no"
    assert ROUTER[version] in result.findings["open.prohibited"]["sentence"]
    assert len(result.sent) == 1


@every_version
def test_a_router_without_a_route_is_named(version):
    result = apart(rejected, UNREACHABLE, version)

    assert result.status == 1
    (error,) = result.told("icmp")
    assert (error["reporter"], error["type"], error["code"]) == {
        4: (ROUTER[4], 3, 1),
        6: (ROUTER[6], 1, 0),
    }[version]
    assert ROUTER[version] in result.findings["open.unreachable"]["sentence"]


def reset_by_router(version: int) -> Result:
    net = routed()
    ip = net.server.ip[version]
    net.router.reject(ip, BLACKHOLE)
    run = Run(net.client, "handshake", ip, "--json")
    play(run, OnLink(net.router, ip), refusal)
    return run.result()


def refusal(syn: Segment) -> list[Segment]:
    """The RST of a closed port (RFC 9293 §3.5.2), in the name of whoever was meant."""
    return [Segment(src=syn.dst, dst=syn.src, seq=syn.ack, ack=syn.next_seq, flags=RST_ACK)]


RST_ACK = Flags.RST | Flags.ACK


@every_version
def test_a_reset_from_in_between_is_told_by_its_ttl(version):
    result = apart(reset_by_router, version)

    assert result.status == 1
    assert result.findings["open.middle-reset"]["verdict"] == "no"
    assert "open.closed" not in result.findings


@every_version
def test_a_played_refusal_of_the_host_itself_is_no_middle_reset(version):
    """The counter-proof: the same segment, from where the host is."""
    result = apart(reset_by_host, version)

    assert result.status == 1
    assert "open.middle-reset" not in result.findings
    assert "open.closed" in result.findings


def reset_by_host(version: int) -> Result:
    net = on_link()
    ip = net.server.ip[version]
    run = Run(net.client, "handshake", ip, "--json")
    play(run, OnLink(net.server, ip), refusal)
    return run.result()


# --- what takes seconds: all of it at once ------------------------------------------------------


def filtered(version: int) -> Run:
    net = routed()
    net.router.reject(net.server.ip[version], BLACKHOLE)
    return Run(net.client, "handshake", net.server.ip[version], "--json")


def unanswered_on_link(version: int) -> Run:
    return Run(on_link().client, "handshake", NOBODY[version], "--json")


def never_closed(version: int) -> Run:
    net = on_link()
    listener = net.server.listen(net.server.ip[version])
    run = Run(net.client, "handshake", net.server.ip[version], "--json")
    run.kept = run.accepted_by(listener)  # for as long as the program runs
    return run


def half_open(version: int) -> Run:
    """The server still holds a connection from the port that the program will get."""
    net = on_link()
    net.client.set("ipv4/ip_local_port_range", "40000 40000")
    ip = net.server.ip[version]
    listener = net.server.listen(ip)
    with net.client.namespace.entered():
        forgotten = socket.create_connection((ip, PORT), DEADLINE_S)
    _forget(forgotten)
    stale, _peer = listener.accept()
    run = Run(net.client, "handshake", ip, "--json")
    run.kept = stale
    accepted, _peer = run.accepted_by(listener)
    assert accepted.recv(1) == b""
    accepted.close()
    return run


def _forget(connection: socket.socket) -> None:
    """Close it without a word to the peer, as a crash does (TCP_REPAIR, needs CAP_NET_ADMIN)."""
    connection.setsockopt(socket.IPPROTO_TCP, 19, 1)
    connection.close()


SLOW = (filtered, unanswered_on_link, never_closed, half_open)


def all_slow() -> dict:
    runs = {(case, version): case(version) for case in SLOW for version in VERSIONS}
    return {name: run.result() for name, run in runs.items()}


@pytest.fixture(scope="module")
def slow():
    """What `SLOW` came to; they run side by side, so the longest wait is the whole wait."""
    return apart(all_slow)


def gaps_ns(result: Result) -> list[int]:
    """From each segment to the next."""
    return [after["at_ns"] - before["at_ns"] for before, after in pairwise(result.told("segment"))]


def alone(version: int) -> Result:
    return filtered(version).result()


def on_time(version: int, first: Result) -> Result:
    """This run, or one played again: no timer is early, but a machine that stands still is late."""
    result, until_s = first, time.monotonic() + PATIENCE_S
    while any(gap > 1.2 * (10**9 << n) for n, gap in enumerate(gaps_ns(result))):
        assert time.monotonic() < until_s, "the machine stood still in every run"
        result = apart(alone, version)
    return result


@every_version
def test_silence_is_four_syns_each_after_twice_the_wait(version, slow):
    result = on_time(version, slow[filtered, version])

    assert result.status == 1
    syns = result.told("segment")
    assert [event["flags"] for event in syns] == ["S"] * 4
    assert len({event["seq"] for event in syns}) == 1
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps_ns(result)))
    assert result.findings["open.silent"]["verdict"] == "no"


@every_version
def test_of_a_silent_host_no_state_is_told(version, slow):
    """It may be in LISTEN behind a firewall, or not exist."""
    result = slow[filtered, version]

    acts = [*result.told("segment"), *result.told("call")]
    assert {tuple(act["lanes"]) for act in acts} == {("client",)}
    assert {change["host"] for change in result.told("state")} == {"client"}


@every_version
def test_where_no_neighbour_answers_the_own_kernel_reports_it(version, slow):
    result = slow[unanswered_on_link, version]

    assert result.status == 1
    errors = result.told("icmp")
    own = {4: "192.0.2.1", 6: "2001:db8:1::1"}[version]
    assert {(each["reporter"], each["type"], each["code"]) for each in errors} == {
        (own, *{4: (3, 1), 6: (1, 3)}[version])
    }
    assert result.findings["open.unreachable"]["verdict"] == "no"
    assert "run.empty" not in result.findings
    assert result.sent == []


@every_version
def test_a_peer_that_never_closes_is_not_waited_for_for_ever(version, slow):
    result = slow[never_closed, version]

    assert result.status == 1
    assert result.findings["close.unfinished"]["verdict"] == "no"
    states = [event["new"] for event in result.told("state") if event["host"] == "client"]
    assert states[-2:] == ["FIN-WAIT-2", "CLOSED"]


@every_version
def test_the_reset_that_a_peer_gets_that_never_closes_is_told_like_all_else(version, slow):
    result = slow[never_closed, version]

    *_, last = result.told("segment")
    assert (last["from"], last["flags"], last["step"]) == ("client", "RA", "reset")
    assert {host: lane["after"] for host, lane in last["lanes"].items()} == {
        "client": "CLOSED",
        "server": "CLOSED",
    }
    assert result.flags_told == [each.flags.letters for each in result.sent]
    assert result.told("call")[-1]["name"] == "abort"
    assert result.findings["close.abort"]["verdict"] == "yes"
    assert "outside the testbed" in result.findings["reset.reason"]["sentence"]
    assert result.findings["open.shield"]["verdict"] == "yes"


@every_version
def test_a_plain_ack_is_told_as_a_half_open_connection_and_got_over(version, slow):
    result = slow[half_open, version]

    assert result.status == 0, result.err
    assert [event["flags"] for event in result.told("segment")][:6] == [
        "S",
        "A",
        "R",
        "S",
        "SA",
        "A",
    ]
    assert result.findings["open.plain-ack"]["verdict"] == "yes"
    lanes = [event["lanes"]["server"] for event in result.told("segment")][:6]
    assert [(lane["before"], lane["after"]) for lane in lanes] == [
        ("ESTABLISHED", "ESTABLISHED"),
        ("ESTABLISHED", "ESTABLISHED"),
        ("ESTABLISHED", "CLOSED"),
        ("CLOSED", "CLOSED"),
        ("CLOSED", "SYN-RECEIVED"),
        ("SYN-RECEIVED", "ESTABLISHED"),
    ]
    assert result.findings["open.three-way"]["verdict"] == "yes"


def unplugged() -> Result:
    net = on_link()
    silent = OnLink(net.server, net.server.ip[4])
    run = Run(net.client, "handshake", net.server.ip[4], "--json")
    run.wait_for(Flags.SYN)
    net.server.tell(links.set_up(2, up=False))
    run.kept = silent
    return run.result()


def test_a_cable_that_is_pulled_in_mid_run_is_a_link_that_is_down():
    result = apart(unplugged)

    assert result.status == 4
    assert "eth0, which is down" in result.err
    assert result.told("segment")[0]["flags"] == "S"
    assert "open.unreachable" not in result.findings


# --- servers that misbehave ---------------------------------------------------------------------


def chatty(version: int, *arguments: str) -> Result:
    net = on_link()
    ip = net.server.ip[version]
    listener = net.server.listen(ip)
    run = Run(net.client, "handshake", ip, *arguments)
    accepted, _peer = run.accepted_by(listener)
    accepted.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionError):
        accepted.sendall(b"x" * 200_000)
    return run.result()


@every_version
def test_a_chatty_server_is_left_after_the_last_packet_allowed(version):
    result = apart(chatty, version)

    assert result.status == 6
    assert len(result.sent) == BUDGET
    assert "[SYN, ACK]" in result.out  # the ladder is shown all the same
    assert str(BUDGET) in result.err
    assert "held" not in result.out  # nobody holds anything up on a real link


@every_version
def test_the_last_packet_allowed_is_a_reset_and_is_told(version):
    result = apart(chatty, version, "--json")

    assert result.status == 6
    assert result.flags_told == [each.flags.letters for each in result.sent]
    assert result.sent[-1].has(Flags.RST)


def reset_instead_of_ack(version: int) -> Result:
    net = on_link()
    ip = net.server.ip[version]
    listening = server(ip)

    def answer(segment: Segment) -> Iterator[Segment]:
        if segment.payload:
            yield Segment(src=segment.dst, dst=segment.src, seq=segment.ack, flags=Flags.RST)
        else:
            yield from listening(segment)

    run = Run(net.client, "handshake", ip, "--json", "--send", LINE)
    play(run, OnLink(net.server, ip), answer)
    return run.result()


@every_version
def test_a_reset_in_the_middle_is_told_as_an_abort(version):
    result = apart(reset_instead_of_ack, version)

    assert result.findings["close.abort"]["sentence"].startswith("Abort: the server sent RST")
    *_, last = result.told("segment")
    assert (last["from"], last["flags"]) == ("server", "R")
    assert {host: lane["after"] for host, lane in last["lanes"].items()} == {
        "client": "CLOSED",
        "server": "CLOSED",
    }
