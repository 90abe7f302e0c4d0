"""`--pcap`: what passed during a scan, both ways, as tshark reads it."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.links import Network, apart, every_version, on_link, routed
from tests.scans import OPEN, Scanned, Served, scanned
from tests.wire.burst.test_recording import fields, told_by

METHODS = ("--syn", "--connect")
SYN, SYN_ACK, RST_ACK = 0x02, 0x12, 0x14

every_method = pytest.mark.parametrize("method", METHODS)


@dataclass(frozen=True)
class Counts:
    """Packets in a recording: SYNs; segments and ICMP errors that answer them."""

    probes: int
    answers: int
    interfaces: set[str]
    resolution: str


def counts(tshark: str, file: Path) -> Counts:
    """What tshark makes of the file."""
    names = ("tcp.flags", "icmp.type", "icmpv6.type", "frame.interface_name", "tcp.srcport")
    rows = told_by(tshark, file, *fields(*names))
    errors = [row for row in rows if row[1] or row[2]]
    flags = [int(row[0], 16) for row in rows if row not in errors and row[0]]
    resets_by_the_server = told_by(
        tshark, file, "-Y", "tcp.flags == 0x14 && tcp.seq_raw == 0 && !icmp && !icmpv6",
        *fields("tcp.ack_raw"),
    )  # fmt: skip
    told = subprocess.run(
        [tshark, "-r", str(file), "-n", "-c", "1", "-V"], capture_output=True, text=True, check=True
    )
    arrival = next(line for line in told.stdout.splitlines() if "Arrival Time" in line)
    return Counts(
        probes=flags.count(SYN),
        answers=flags.count(SYN_ACK) + len(resets_by_the_server) + len(errors),
        interfaces={row[3] for row in rows},
        resolution=arrival.partition(".")[2].partition(" ")[0],
    )


def recorded(network: Callable[[], Network], version: int, method: str, file: str) -> Scanned:
    served = Served(network(), version)
    served.firewall()
    arguments = (served.ip, method, "-p", "1-300,443", "--json", "--pcap", file)
    return scanned(served.net.client, *arguments)


@every_version
@every_method
@pytest.mark.parametrize("network", [on_link, routed], ids=lambda made: made.__name__)
def test_both_directions_are_recorded(network, method, version, tmp_path, tshark):
    file = tmp_path / "scan.pcapng"
    done = apart(recorded, network, version, method, str(file))

    assert (done.status, done.err) == (0, "")
    assert done.ports["open"] == [*OPEN]
    seen = counts(tshark, file)
    assert (seen.probes, seen.answers) == (done.document["sent"], done.document["received"])
    assert seen.interfaces == {"eth0"}
    assert len(seen.resolution) == 9  # digits: nanoseconds


def of_the_testbed(method: str, file: str, *more: str) -> Scanned:
    from tests.links import Host

    return scanned(Host("anywhere"), method, "--json", "--pcap", file, *more)


@every_version
@every_method
def test_a_whole_scan_of_the_testbed_is_recorded(method, version, tmp_path, tshark):
    file = tmp_path / "scan.pcapng"
    done = apart(of_the_testbed, method, str(file), *(["-6"] if version == 6 else []))

    assert (done.status, done.document["drops"]) == (0, 0)
    seen = counts(tshark, file)
    assert (seen.probes, seen.answers) == (done.document["sent"], done.document["received"])


def kept(file: str, *more: str) -> Scanned:
    served = Served(on_link(), 4)
    return scanned(served.net.client, served.ip, "-p", "80", "--pcap", file, *more)


def test_a_file_that_exists_is_kept_without_force(tmp_path):
    file = tmp_path / "scan.pcapng"
    file.write_text("mine")
    refused = apart(kept, str(file))
    assert (refused.status, file.read_text()) == (2, "mine")

    assert apart(kept, str(file), "--force").status == 0
    assert file.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")


FULL = (
    "tcplab: /dev/full could not be written: No space left on device.\n"
    "  → Everything else is above; run it again with another file.\n"
)


@every_method
def test_a_full_disk_costs_the_recording_and_not_the_scan_of_the_testbed(method):
    done = apart(of_the_testbed, method, "/dev/full", "-p", "1-3000")
    assert (done.status, done.err) == (2, FULL)
    assert done.ports["open"] == [22, 80, 443]
    assert done.document["partial"] is False


@every_method
def test_a_full_disk_costs_the_recording_and_not_the_scan_of_a_host(method):
    done = apart(kept, "/dev/full", method, "--json")
    assert (done.status, done.err) == (2, FULL)
    assert done.ports["open"] == [80]
