"""A machine that scans itself, by loopback or by its own address: in a namespace of its own."""

from pathlib import Path

import pytest

from tests.experiment.test_scan_recording import counts
from tests.links import Host, Network, apart, every_version, on_link
from tests.scans import OPEN, Scanned, Served, scanned

METHODS = ("--syn", "--connect")
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
NAMES = ("loopback", "own address")

every_method = pytest.mark.parametrize("method", METHODS)
every_name = pytest.mark.parametrize("name", NAMES)


def itself(name: str, version: int, method: str, *more: str) -> tuple[Scanned, list[int]]:
    """The same host is client and server; for loopback there is no other link at all."""
    host = Host("alone") if name == "loopback" else on_link().client
    if name == "loopback":
        host.ip = dict(LOOPBACK)
    served = Served(Network(client=host, server=host), version)
    served.firewall()
    arguments = (served.ip, method, "-p", "1-300,443", "--json", *more)
    return scanned(host, *arguments), served.log()


@every_version
@every_method
@every_name
def test_a_machine_finds_its_own_ports(name, method, version, tmp_path, tshark):
    file = tmp_path / "scan.pcapng"
    done, log = apart(itself, name, version, method, "--pcap", str(file))

    assert (done.status, done.err) == (0, "")
    assert done.ports == {
        "open": [*OPEN],
        "closed": "1-21,23-79,81-99,105-199,204-300",
        "filtered": "100-104",
        "rejected": "200-203",
    }
    assert (done.document["interface"], done.document["forged"]) == ("lo", 0)
    assert done.document["source"] == done.document["address"]
    assert set(log) == (set(OPEN) if method == "--connect" else set())
    seen = counts(tshark, Path(file))
    assert seen.probes == done.document["sent"]  # each once, though lo shows them twice
    assert seen.answers == done.document["received"]


def all_ports(name: str, method: str) -> tuple[Scanned, list[int]]:
    host = Host("alone") if name == "loopback" else on_link().client
    if name == "loopback":
        host.ip = dict(LOOPBACK)
    served = Served(Network(client=host, server=host), 4)
    leave = ("--rate", "max", "--authorized", "the test")
    return scanned(host, served.ip, method, "-p", "-", "--json", *leave), served.log()


@every_method
@every_name
def test_every_port_of_itself(name, method):
    """Own ports of the scan are among them: bound, and closed to others all the same."""
    done, log = apart(all_ports, name, method)

    assert (done.status, done.document["doubt"]) == (0, None)
    assert done.ports["open"] == [*OPEN]
    assert done.ports["closed"] == "1-21,23-79,81-442,444-65535"
    assert set(log) == (set(OPEN) if method == "--connect" else set())
