"""`tcplab handshake HOST` for real: the installed program against servers that answer."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address
from tcplab.wire.frame import Link
from tests.actors import Tun, play, server
from tests.links import DEADLINE_S, PORT, Result, Run, apart, every_version, on_link, routed

pytestmark = pytest.mark.xdist_group("host")  # what all of it waits for it waits for once
NETWORKS = (on_link, routed)
LINE = "hello"

every_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda made: made.__name__)


def served(run: Run, listener: socket.socket) -> tuple[Address, bytes]:
    """What a server's log would hold: who connected, and what it sent before its end of data."""
    accepted, peer = run.accepted_by(listener)
    said = b""
    with accepted:
        while octets := accepted.recv(1 << 16):
            said += octets
    return peer, said


def nobody_else(listener: socket.socket) -> bool:
    """Is nothing left in the accept queue?"""
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        listener.accept()
        return False
    return True


def client_of(result: Result) -> Address:
    shown = result.document["hosts"]["client"]
    return Address(shown["ip"], shown["port"])


# --- an open port -------------------------------------------------------------------------------


def open_port(network, version, *arguments: str) -> tuple[Result, Address, bytes, bool]:
    net = network()
    ip = net.server.ip[version]
    listener = net.server.listen(ip)
    run = Run(net.client, "handshake", ip, "--json", *arguments)
    peer, said = served(run, listener)
    return run.result(), peer, said, nobody_else(listener)


@pytest.fixture(scope="module")
def visit() -> Iterator:
    """`open_port` with --send, run once for each network and version."""
    known: dict = {}

    def get(network, version):
        if (network, version) not in known:
            known[network, version] = apart(open_port, network, version, "--send", LINE)
        return known[network, version]

    return get


@every_network
@every_version
def test_the_server_accepts_just_the_connection_that_is_shown(network, version, visit):
    result, peer, said, alone = visit(network, version)

    assert result.status == 0, result.err
    assert peer == client_of(result)
    assert said == LINE.encode() + b"\n"
    assert alone


@every_network
@every_version
def test_every_finding_about_an_open_port_is_yes(network, version, visit):
    result = visit(network, version)[0]

    found = {name: finding["verdict"] for name, finding in result.findings.items()}
    assert found.keys() >= {"open.three-way", "open.states", "open.shield", "close.time-wait"}
    assert set(found.values()) == {"yes"}


@every_version
def test_the_ladder_says_where_it_was_captured(version, visit):
    near, far = visit(on_link, version)[0].document, visit(routed, version)[0].document

    assert near["testbed"] | {"kernel": ""} == {
        "kind": "nic",
        "kernel": "",
        "rootless": False,
        "interface": "eth0",
        "gateway": None,
    }
    assert far["testbed"]["gateway"] == {4: "192.0.2.254", 6: "2001:db8:1::254"}[version]


@every_network
@every_version
def test_the_far_lane_is_inferred_and_the_near_one_crafted(network, version, visit):
    result = visit(network, version)[0]

    assert {name: host["stack"] for name, host in result.document["hosts"].items()} == {
        "client": "crafted",
        "server": "remote",
    }
    assert {
        (host, lane["source"])
        for event in result.told("segment")
        for host, lane in event["lanes"].items()
    } == {("client", "crafted"), ("server", "inferred")}


@every_network
@every_version
def test_the_far_lane_begins_in_listen_as_the_finding_says(network, version, visit):
    result = visit(network, version)[0]

    states = [event for event in result.told("state") if event["host"] == "server"]
    path = [states[0]["old"], *(event["new"] for event in states)]
    syn = result.told("segment")[0]
    assert path[:3] == ["LISTEN", "SYN-RECEIVED", "ESTABLISHED"]
    assert states[0]["cause"] == syn["i"]
    assert " → ".join(path[:3]) in result.findings["open.states"]["sentence"]


@every_network
@every_version
def test_every_segment_was_captured_not_carried(network, version, visit):
    result = visit(network, version)[0]

    assert {event["fate"] for event in result.told("segment")} == {"captured"}
    assert result.document["drops"] == 0


@every_network
@every_version
def test_what_is_told_is_what_left_the_interface(network, version, visit):
    result = visit(network, version)[0]

    shown = [
        (event["flags"], event["seq"], event["ack"], event["len"])
        for event in result.told("segment")
        if event["from"] == "client"
    ]
    assert shown == [
        (each.flags.letters, int(each.seq), int(each.ack), each.data_octets) for each in result.sent
    ]
    assert all(each.checksum_ok for each in result.sent)


@pytest.mark.parametrize(
    ("network", "hops"), [(on_link, 0), (routed, 1)], ids=["on_link", "routed"]
)
@every_version
def test_the_ttl_counts_the_routers(network, hops, version, visit):
    result = visit(network, version)[0]

    assert {event["ttl"] for event in result.told("segment") if event["from"] == "server"} == {
        64 - hops
    }


@every_version
def test_without_send_no_data_is_sent(version):
    result, _peer, said, _alone = apart(open_port, on_link, version)

    assert result.status == 0
    assert said == b""
    assert [event["len"] for event in result.told("segment") if event["len"]] == []


def greeting(version: int) -> Result:
    net = on_link()
    ip = net.server.ip[version]
    listener = net.server.listen(ip)
    run = Run(net.client, "handshake", ip, "--json")
    accepted, _peer = run.accepted_by(listener)
    accepted.sendall(b"220 at your service\r\n")
    assert accepted.recv(1) == b""
    accepted.close()
    return run.result()


@every_version
def test_a_server_that_speaks_first_is_heard_out_and_left_politely(version):
    result = apart(greeting, version)

    assert result.status == 0, result.err
    assert [each for each in result.sent if each.has(Flags.RST)] == []
    assert result.findings["close.time-wait"]["verdict"] == "yes"
    states = [event["new"] for event in result.told("state") if event["host"] == "client"]
    assert states[-1] == "TIME-WAIT"


LINK_LOCAL = "fe80::ff:fe00:2{:02x}"
"""What eth0's hardware address makes (RFC 4291, appendix A), by the host's number."""


def link_local(number: int, interface: str) -> tuple[Result, bytes]:
    net = on_link()
    host, ip = {1: net.client, 2: net.server}[number], LINK_LOCAL.format(number)
    with host.namespace.entered():
        listener = socket.socket(socket.AF_INET6)
        listener.bind((ip, PORT, 0, socket.if_nametoindex("eth0")))
    listener.settimeout(DEADLINE_S)
    listener.listen()
    arguments = ("handshake", f"{ip}%eth0", "--json", "--send", LINE)
    run = Run(net.client, *arguments, interface=interface)
    _peer, said = served(run, listener)
    return run.result(), said


@pytest.mark.parametrize(("number", "interface"), [(2, "eth0"), (1, "lo")], ids=["peer", "own"])
def test_a_link_local_address_with_its_interface_works(number, interface):
    result, said = apart(link_local, number, interface)

    assert (result.status, said) == (0, LINE.encode() + b"\n")
    assert result.document["testbed"]["interface"] == interface


def own_address(ip: str) -> tuple[Result, Address, bytes]:
    net = on_link()
    listener = net.client.listen(ip)
    run = Run(net.client, "handshake", ip, "--json", "--send", LINE, interface="lo")
    peer, said = served(run, listener)
    return run.result(), peer, said


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1", "192.0.2.1", "2001:db8:1::1"])
def test_loopback_and_own_addresses_work(ip):
    result, peer, said = apart(own_address, ip)

    assert result.status == 0, result.err
    assert (peer, said) == (client_of(result), LINE.encode() + b"\n")
    assert result.document["testbed"]["interface"] == "lo"
    syns = [event for event in result.told("segment") if event["flags"] == "S"]
    assert len(syns) == 1  # each packet is told once, though loopback shows it twice


def own_address_drawn() -> Result:
    net = on_link()
    listener = net.client.listen("127.0.0.1")
    run = Run(net.client, "handshake", "127.0.0.1", interface="lo")
    served(run, listener)
    return run.result()


def test_an_own_address_is_not_called_a_remote_host():
    drawn = apart(own_address_drawn).out
    assert "this machine itself" in drawn
    assert "remote host" not in drawn


LONGEST = 7 * (1500 - 40) - 1
"""Octets that can be typed: seven segments, and the end of the line is one of the octets."""


def echoing(octets: int) -> Result:
    net = on_link()
    listener = net.server.listen(net.server.ip[4])
    line = "x" * octets
    run = Run(net.client, "handshake", net.server.ip[4], "--json", "--send", line)
    if octets <= LONGEST:
        accepted, _peer = run.accepted_by(listener)
        with accepted:
            while said := accepted.recv(1 << 16):
                accepted.sendall(said)
    return run.result()


def test_the_longest_line_that_is_allowed_fits_even_if_it_comes_back():
    result = apart(echoing, LONGEST)
    assert result.status == 0, result.err
    assert sum(event["len"] for event in result.told("segment") if event["from"] == "client") == (
        LONGEST + 1
    )


def test_a_longer_line_is_refused_with_the_number_that_fits():
    result = apart(echoing, LONGEST + 1)
    assert (result.status, result.sent) == (2, [])
    assert f"Send at most {LONGEST} octets" in result.err


def test_a_checksum_that_was_left_to_a_nic_is_unknown_not_wrong():
    """Nothing fills in the kernel's checksums on loopback."""
    result = apart(own_address, "127.0.0.1")[0]

    assert {(event["from"], event["checksum_ok"]) for event in result.told("segment")} == {
        ("client", True),
        ("server", None),
    }


# --- a link without Ethernet headers ------------------------------------------------------------


needs_tun = pytest.mark.skipif(
    not os.access("/dev/net/tun", os.R_OK | os.W_OK)
    and not (os.geteuid() == 0 and os.environ.get("CI") == "true"),
    reason="this user may not open /dev/net/tun; CI does it as root, and fails if it cannot",
)
FAR_END = {4: "198.51.100.2", 6: "2001:db8:2::2"}


def through_tun(version: int, *arguments: str, hardware_type: int | None = None) -> Result:
    net = on_link()
    near = {4: "198.51.100.1", 6: "2001:db8:2::1"}
    tun = Tun(net.client, near, hardware_type=hardware_type)
    run = Run(
        net.client, "handshake", FAR_END[version], *arguments, interface="tun0", link=Link.NONE
    )
    play(run, tun, server(FAR_END[version]))
    return run.result()


@needs_tun
@every_version
def test_a_link_without_ethernet_headers_works(version):
    result = apart(through_tun, version, "--json", "--send", LINE)

    assert result.status == 0, result.err
    assert [event["flags"] for event in result.told("segment")] == [
        "S", "SA", "A", "PA", "A", "FA", "A", "FA", "A",
    ]  # fmt: skip
    assert {event["link_octets"] for event in result.told("segment")} == {0}
    assert result.document["testbed"]["interface"] == "tun0"


INFINIBAND = 32  # ARPHRD_INFINIBAND


def through_unknown_link() -> Result:
    return through_tun(4, hardware_type=INFINIBAND)


@needs_tun
def test_a_link_whose_headers_are_unknown_is_not_available():
    result = apart(through_unknown_link)

    assert (result.status, result.sent) == (4, [])
    assert "tun0" in result.err
    assert str(INFINIBAND) in result.err


# --- files --------------------------------------------------------------------------------------


def told_by(tshark: str, file) -> tuple[list[str], str]:
    """(TCP flags of each packet as tshark names them, the warnings of its expert)."""
    read = [tshark, "-r", str(file), "-o", "tcp.check_checksum:TRUE"]
    fields = subprocess.run(
        [*read, "-T", "fields", "-e", "tcp.flags.str"], capture_output=True, text=True, check=True
    )
    # 0xFFFF is what Linux writes for a sum of 0: right, though Wireshark calls it bad.
    expert = subprocess.run(
        [*read, "-Y", "_ws.malformed || tcp.checksum.status == 0 && tcp.checksum != 0xffff"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.replace("·", "") for line in fields.stdout.split()], expert.stdout


def saved(network, version, pcap) -> Result:
    return open_port(network, version, "--pcap", str(pcap))[0]


@every_version
def test_tshark_reads_the_packets_of_an_ethernet_link(version, tmp_path, tshark):
    result = apart(saved, on_link, version, tmp_path / "run.pcapng")

    flags, wrong = told_by(tshark, tmp_path / "run.pcapng")
    assert flags[:3] == ["S", "AS", "A"]
    assert len(flags) == len(result.told("segment"))
    assert wrong == ""


@needs_tun
@every_version
def test_tshark_reads_the_packets_of_a_link_without_headers(version, tmp_path, tshark):
    apart(through_tun, version, "--pcap", str(tmp_path / "run.pcapng"))

    flags, wrong = told_by(tshark, tmp_path / "run.pcapng")
    assert flags == ["S", "AS", "A", "AF", "A", "AF", "A"]
    assert wrong == ""
