"""`tcplab scan HOST`: what each port is, by either method, as a user runs it on a real link."""

import ctypes
import json
from pathlib import Path

import pytest

from tcplab.kernel.privilege import Capability
from tests.cli.shape import faults
from tests.cli.test_scan_options import SCAN
from tests.links import PROGRAM, apart, every_version, on_link, routed
from tests.scans import (
    FILTERED,
    OPEN,
    REJECTED,
    Scan,
    Scanned,
    Served,
    scanned,
    sockets_of,
    take_every_block,
)

METHODS = ("--syn", "--connect")
CODE = {4: (3, 13), 6: (1, 1)}  # administratively prohibited

every_method = pytest.mark.parametrize("method", METHODS)
every_network = pytest.mark.parametrize(
    "network", [on_link, routed], ids=lambda made: made.__name__
)


# --- what each port is --------------------------------------------------------------------------


def of_every_kind(network, version: int, method: str, *more: str) -> tuple[Scanned, list[int]]:
    served = Served(network(), version)
    served.firewall()
    done = scanned(served.net.client, served.ip, method, "-p", "1-300,443", "--json", *more)
    return done, served.log()


@every_network
@every_version
@every_method
def test_every_kind_of_port_is_told_apart(network, version, method):
    done, log = apart(of_every_kind, network, version, method)

    assert (done.status, done.err) == (0, "")
    assert faults(done.document, SCAN) == []
    assert done.ports == {
        "open": [*OPEN],
        "closed": "1-21,23-79,81-99,105-199,204-300",
        "filtered": f"{FILTERED[0]}-{FILTERED[-1]}",
        "rejected": f"{REJECTED[0]}-{REJECTED[-1]}",
    }
    assert done.document["rejections"] == [
        {
            "version": version,
            "type": CODE[version][0],
            "code": CODE[version][1],
            "from": done.document["address"],
            "ports": "200-203",
        }
    ]
    assert (done.document["rate"], done.document["authorized"]) == (1000, None)
    # Ports that answer may be asked again, to learn what is lost: so more than once, perhaps.
    assert set(log) == (set(OPEN) if method == "--connect" else set())


def closed_alone(version: int, method: str) -> tuple[Scanned, list[int]]:
    served = Served(on_link(), version)
    return scanned(served.net.client, served.ip, method, "-p", "-500", "--json"), served.log()


@every_version
@every_method
def test_where_all_answer_each_port_is_asked_once(version, method):
    done, log = apart(closed_alone, version, method)

    assert done.ports["open"] == [*OPEN]
    assert log == ([*OPEN] if method == "--connect" else [])
    timed = len(OPEN) if method == "--syn" else 0
    assert (done.document["sent"], done.document["rounds"]) == (500 + timed, 1)


def left_behind(method: str) -> tuple[Scanned, list[str], list[str]]:
    served = Served(on_link(), 4)
    listening = sockets_of(served.net.server)
    done = scanned(served.net.client, served.ip, method, "-p", "-500", "--json")
    served.log()
    after = sockets_of(served.net.server)
    return done, sockets_of(served.net.client), after[len(listening) :]


@every_method
def test_no_socket_is_left_at_either_end(method):
    done, here, there = apart(left_behind, method)

    assert done.status == 0
    assert (here, there) == ([], [])


# --- for people ---------------------------------------------------------------------------------


def shown(method: str, *more: str) -> Scanned:
    served = Served(on_link(), 4)
    served.firewall()
    return scanned(served.net.client, served.ip, method, "-p", "20-25,80,100,200", *more)


@every_method
def test_the_table_has_the_reasons(method):
    done = apart(shown, method, "--all")

    assert done.status == 0
    assert "SYN scan of 192.0.2.2" in done.out or "Connect scan of 192.0.2.2" in done.out
    for words in ("open", "closed", "filtered", "rejected"):
        assert words in done.out
    assert "ICMP" in done.out


# --- the exchange with one port -----------------------------------------------------------------


def laddered(port: int, method: str, version: int) -> Scanned:
    served = Served(on_link(), version)
    served.firewall()
    arguments = ("-p", "20-25,100,200", "--ladder", str(port), "--json")
    return scanned(served.net.client, served.ip, method, *arguments)


FLAGS = {
    ("--syn", 22): ["S", "SA", "R"],
    ("--syn", 23): ["S", "RA"],
    ("--syn", 200): ["S"],
    ("--connect", 22): ["S", "SA", "A", "RA"],
    ("--connect", 23): ["S", "RA"],
    ("--connect", 200): ["S"],
    ("--syn", 100): ["S"],
}


@every_version
@pytest.mark.parametrize(("method", "port"), FLAGS)
def test_ladder_of_a_port_of_a_host(method, port, version):
    done = apart(laddered, port, method, version)

    assert (done.status, done.err) == (0, "")
    ladder = done.document["ladder"]
    assert ladder["schema"] == "tcplab.timeline/1"
    segments = [event for event in ladder["events"] if event["kind"] == "segment"]
    first = [event["flags"] for event in segments if event["conn"] == "round-1"]
    assert first == FLAGS[method, port]
    timed = [event["flags"] for event in segments if event["conn"] == "timing-1"]
    assert timed == (FLAGS[method, port] if (method, port) == ("--syn", 22) else [])
    errors = [event for event in ladder["events"] if event["kind"] == "icmp"]
    assert bool(errors) == (port == 200)
    # Of a port from which nothing came nobody can say in which state it is.
    silent = port in (100, 200)
    assert {("server" in event["lanes"]) for event in segments} == {not silent}


# --- without privilege --------------------------------------------------------------------------


def without_net_raw() -> None:
    """The program is started without CAP_NET_RAW, which even root then cannot have."""
    assert ctypes.CDLL(None).prctl(24, int(Capability.NET_RAW), 0, 0, 0) == 0  # PR_CAPBSET_DROP


def unprivileged(version: int, *arguments: str) -> tuple[Scanned, int]:
    served = Served(on_link(), version)
    served.firewall()
    common = (served.ip, "-p", "1-300,443", *arguments)
    done = scanned(served.net.client, *common, before_exec=without_net_raw)
    return done, served.counted("TcpInSegs")


@every_version
def test_a_connect_scan_needs_no_privilege(version):
    done, _segments = apart(unprivileged, version, "--connect", "--json")

    assert (done.status, done.err) == (0, "")
    assert done.ports["open"] == [*OPEN]
    assert (done.ports["filtered"], done.ports["rejected"]) == ("100-104", "200-203")


@every_version
def test_a_syn_scan_without_privilege_offers_connect(version):
    done, segments = apart(unprivileged, version)

    assert (done.status, done.out, segments) == (3, "", 0)
    what, remedy = done.err.splitlines()
    assert "CAP_NET_RAW" in what
    assert f"sudo {PROGRAM} scan" in remedy
    assert "--connect" in remedy


@pytest.mark.parametrize("more", [("--pcap", "scan.pcapng"), ("--ladder", "22")], ids=" ".join)
def test_hearing_what_a_connect_scan_does_needs_privilege(more, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done, segments = apart(unprivileged, 4, "--connect", *more)

    assert (done.status, done.out, segments) == (3, "", 0)
    assert "sudo" in done.err
    assert "omit --pcap and --ladder" in done.err
    assert [*Path(tmp_path).iterdir()] == []


# --- several at once ----------------------------------------------------------------------------


def two_at_once(methods: tuple[str, str], version: int) -> list[Scanned]:
    """The second one begins while the first one is under way, and that one goes on meanwhile."""
    served = Served(on_link(), version)
    served.firewall()
    arguments = (served.ip, "-p", "1-2000", "--json")
    one = Scan(served.net.client, methods[0], *arguments)
    one.wait_for(lambda: served.counted() >= 10)
    other = Scan(served.net.client, methods[1], *arguments)
    before = served.counted()
    other.wait_for(lambda: served.counted() >= before + 100)
    assert one.process.poll() is None
    return [one.result(), other.result()]


@every_version
@pytest.mark.parametrize(
    "methods",
    [("--syn", "--syn"), ("--syn", "--connect"), ("--connect", "--connect")],
    ids=" ".join,
)
def test_two_scans_at_once_do_not_mix_up_their_answers(methods, version):
    for done in apart(two_at_once, methods, version):
        assert (done.status, done.err) == (0, "")
        assert done.document["forged"] == 0
        assert done.ports == {
            "open": [22, 80, 443],
            "closed": "1-21,23-79,81-99,105-199,204-442,444-2000",
            "filtered": "100-104",
            "rejected": "200-203",
        }


def no_block_left(version: int) -> tuple[Scanned, Scanned, int]:
    served = Served(on_link(), version)
    taken = take_every_block(served.net.client, served.net.client.ip[version])
    by_syn = scanned(served.net.client, served.ip, "-p", "20-30")
    segments = served.counted("TcpInSegs")
    by_connect = scanned(served.net.client, served.ip, "--connect", "-p", "20-30", "--json")
    del taken
    return by_syn, by_connect, segments


@every_version
def test_where_every_block_of_own_ports_is_taken_nothing_is_sent(version):
    by_syn, by_connect, segments = apart(no_block_left, version)

    assert (by_syn.status, by_syn.out, segments) == (4, "", 0)
    assert "other scans may be running" in by_syn.err
    assert by_connect.status == 0  # the kernel has other ports for those
    assert json.loads(by_connect.out)["ports"]["open"] == [22]
