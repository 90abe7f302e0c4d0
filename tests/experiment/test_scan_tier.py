"""What `tcplab scan HOST` may reach and how fast, on the wire: the safety tiers of a probe.

Global addresses are those of hosts in namespaces that lead nowhere.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tcplab.analysis.scanning.report import Method
from tcplab.experiment.scan import scan_host
from tcplab.kernel import links
from tests.experiment.test_scan_host import without_net_raw
from tests.links import Network, apart, every_version, is_own, on_link, until
from tests.scans import OPEN, Scan, Scanned, Served, frames_left, scanned
from tests.wire.burst.test_recording import packets_in

GLOBAL = {4: "8.8.8.8", 6: "2606:4700::1111"}
SAID = "the owner, by mail of 1 May"
METHODS = ("--syn", "--connect")
SECOND_NS = 10**9

every_method = pytest.mark.parametrize("method", METHODS)


# --- the rate -----------------------------------------------------------------------------------


def recorded(version: int, method: str, pcap: str, *more: str) -> Scanned:
    served = Served(on_link(), version)
    return scanned(served.net.client, served.ip, method, "--pcap", pcap, "--json", *more)


def departures(pcap: Path, version: int) -> list[int]:
    """When each SYN passed the kernel's tap, in nanoseconds."""
    tcp = 20 if version == 4 else 40
    packets = packets_in(pcap.read_bytes())
    return [at for at, octets, _length in packets if octets[tcp + 13] == 0x02]


def most_in_a_second(moments: list[int]) -> int:
    """The largest number of them in any second, wherever it begins."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= SECOND_NS:
            first += 1
        most = max(most, last - first + 1)
    return most


@every_version
@every_method
def test_the_default_rate_is_never_exceeded(method, version, tmp_path):
    file = tmp_path / "scan.pcapng"
    done = apart(recorded, version, method, str(file), "-p", "1-2500")

    assert (done.status, done.document["rate"]) == (0, 1000)
    moments = departures(file, version)
    assert len(moments) == done.document["sent"] >= 2500
    # A busy machine falls behind, and does not make up for it.
    assert 100 < most_in_a_second(moments) <= 1000


@pytest.mark.parametrize("rate", [50, 300])
@every_method
def test_a_lower_rate_is_kept(method, rate, tmp_path):
    file = tmp_path / "scan.pcapng"
    more = ("-p", f"1-{rate * 3 // 2}", "--rate", str(rate))
    done = apart(recorded, 4, method, str(file), *more)

    assert (done.status, done.document["rate"]) == (0, rate)
    assert rate // 10 < most_in_a_second(departures(file, 4)) <= rate


def test_a_second_full_of_packets_would_be_seen():
    """Counter-proof of the counting."""
    moments = [SECOND_NS // 1000 * number for number in range(3000)]
    assert most_in_a_second(moments) == 1000
    assert most_in_a_second(sorted([*moments, *range(SECOND_NS, SECOND_NS + 11)])) == 1011
    assert min(after - before for before, after in pairwise(moments)) == SECOND_NS // 1000


# --- who allowed it -----------------------------------------------------------------------------


def global_host(version: int) -> Served:
    """The server has a global address, and the client a route to it; nothing leads further."""
    net = on_link()
    _give_global(net, version)
    served = Served(net, version, ports=())
    served.listeners = {port: net.server.listen(GLOBAL[version], port) for port in OPEN}
    return served


def _give_global(net: Network, version: int) -> None:
    ip, octets = GLOBAL[version], {4: 32, 6: 128}[version]
    net.client.route(ip, octets, via=net.server.ip[version])
    net.server.tell(links.address(2, ip, octets))
    with net.server.namespace.entered():
        until(lambda: is_own(ip))


def to_global(version: int, *arguments: str, **how: Any) -> tuple[Scanned, list[str]]:
    served = global_host(version)  # for as long as the scan runs
    client = served.net.client
    return frames_left(client, lambda: scanned(client, GLOBAL[version], *arguments, **how))


@every_version
@every_method
def test_a_global_address_is_not_sent_a_packet_without_leave(method, version):
    done, left = apart(to_global, version, method, "-p", "80")

    assert (done.status, done.out, left) == (6, "", [])
    what, remedy = done.err.splitlines()
    assert GLOBAL[version] in what
    assert '--authorized "who said so"' in remedy


def without_privilege(version: int, *arguments: str) -> tuple[Scanned, list[str]]:
    return to_global(version, *arguments, before_exec=without_net_raw)


@every_version
@pytest.mark.parametrize("more", [(), ("--authorized", SAID, "--rate", "max")], ids=len)
def test_who_may_not_scan_it_is_not_told_to_try_as_root(more, version):
    done, left = apart(without_privilege, version, "-p", "80", *more)

    assert (done.status, done.out, left) == (3 if more else 6, "", [])
    assert ("sudo" in done.err) is bool(more)


@every_version
@every_method
def test_with_leave_a_global_address_is_scanned_slowly_and_who_gave_it_is_told(method, version):
    done, left = apart(to_global, version, method, "-p", "79-82", "--authorized", SAID, "--json")

    assert (done.status, done.err) == (0, "")
    assert (done.document["rate"], done.document["authorized"]) == (100, SAID)
    assert done.ports["open"] == [80]
    assert {packet.rpartition(" > ")[2] for packet in left} == {GLOBAL[version]}


def test_who_gave_leave_is_in_the_output():
    done, _left = apart(to_global, 4, "-p", "80", "--authorized", SAID)

    assert f"Authorized by: {SAID}" in done.out
    assert "At most 100 packets a second" in done.out


def to_neighbour(*arguments: str) -> tuple[Scanned, list[str]]:
    served = Served(on_link(), 4)
    client = served.net.client
    return frames_left(client, lambda: scanned(client, served.ip, *arguments))


@every_method
@pytest.mark.parametrize("rate", ["1001", "max"])
def test_a_higher_rate_is_not_begun_without_leave(method, rate):
    done, left = apart(to_neighbour, method, "-p", "80", "--rate", rate)

    assert (done.status, done.out, left) == (6, "", [])
    assert "--rate 1000" in done.err


@every_method
@pytest.mark.parametrize(("rate", "told"), [("5000", 5000), ("max", "max")])
def test_with_leave_a_higher_rate_is_kept_and_told(method, rate, told):
    arguments = ("-p", "1-2000", "--rate", rate, "--authorized", SAID, "--json")
    done, _left = apart(to_neighbour, method, *arguments)

    assert (done.status, done.err) == (0, "")
    assert (done.document["rate"], done.document["authorized"]) == (told, SAID)
    assert done.ports["open"] == [*OPEN]


GROUPS = ("224.0.0.1", "255.255.255.255", "192.0.2.255", "0.0.0.0", "ff02::1%eth0", "::")
METADATA = ("169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254")


@every_method
@pytest.mark.parametrize("host", [*GROUPS, *METADATA])
def test_what_is_not_one_host_is_refused_whoever_allows_it(host, method):
    done, left = apart(refused, host, method, "-p", "80", "--authorized", SAID)

    assert (done.status, done.out, left) == (6, "", [])
    assert host.partition("%")[0] in done.err


def refused(host: str, *arguments: str) -> tuple[Scanned, list[str]]:
    client = on_link().client
    return frames_left(client, lambda: scanned(client, host, *arguments))


# --- how long it will take ----------------------------------------------------------------------


def announced(version: int) -> tuple[list[tuple[int, int | None]], list[int], int]:
    """What was announced, what the server had got by then, and what it got in the end."""
    served = Served(on_link(), version)
    said, got = [], []

    def announce(ports: int, pps: int | None) -> None:
        said.append((ports, pps))
        got.append(served.counted("TcpInSegs"))

    with served.net.client.namespace.entered():
        scan_host(served.ip, (range(1, 51),), method=Method.SYN, announce=announce)
    return said, got, served.counted("TcpInSegs")


@every_version
def test_the_time_is_told_before_the_first_packet(version):
    said, before, after = apart(announced, version)

    assert (said, before) == ([(50, 1000)], [0])
    assert after >= 50


def estimated(*arguments: str) -> Scanned:
    served = Served(on_link(), 4)
    scan = Scan(served.net.client, served.ip, *arguments)
    scan.wait_for(lambda: served.counted() >= 20)
    scan.interrupt()
    return scan.result()


@every_method
def test_a_long_scan_is_estimated(method):
    done = apart(estimated, method, "-p", "-")

    assert done.status == 130
    assert done.err == (
        "65,535 ports at 1,000 packets a second: at least 1 min 6 s. Ctrl-C shows what is known "
        "by then.\n"
    )


def test_a_short_one_is_not():
    done = apart(estimated, "-p", "1-3000")

    assert (done.status, done.err) == (130, "")
