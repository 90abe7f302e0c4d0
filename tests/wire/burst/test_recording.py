"""What a scan leaves behind, read by tshark."""

import contextlib
import io
import subprocess
from struct import unpack_from

import pytest

from tcplab.analysis.scanning.census import Census, PortState
from tcplab.wire.burst.prober import SynProber
from tcplab.wire.burst.recording import Recording
from tcplab.wire.burst.ring import CHECKSUM_NOT_READY
from tcplab.wire.codec import craft
from tests.links import apart, every_version, on_link
from tests.wire.burst.scanning import ALL, ask, listening, path_between
from tests.wire.burst.slots import USER, Slot, run_of
from tests.wire.burst.test_answers import RST_ACK, SYN_ACK, Scan, with_hop_by_hop, with_ip_options

OPEN = (22, 80, 443, 3306, 8080)


def recorded(version: int, file: str, asked, how: str) -> tuple:
    local = how == "loopback"
    net = on_link()
    other = net.client if local else net.server
    kept = listening(other, version, OPEN)
    census = Census(asked)
    path = path_between(net.client, other, version, local=local, routed=how != "on the link")
    with open(file, "wb") as pcap:
        prober = SynProber(path, census, record=pcap)
        ask(prober, census)
        prober.time_open([80], 1.0)
        with contextlib.suppress(ValueError):
            prober.collect(0.05)
        drops, sent, received = prober.drops(), prober.sent, prober.received
        prober.close()
    del kept
    return census.answered, census.of_state(PortState.OPEN), drops, sent, received


def told_by(tshark: str, file, *arguments: str) -> list[list[str]]:
    """Rows of what tshark makes of the file."""
    done = subprocess.run(
        [tshark, "-r", str(file), "-n", "-o", "tcp.check_checksum:TRUE", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    warnings = [
        line for line in done.stderr.splitlines() if line and "This could be dangerous" not in line
    ]
    assert warnings == []
    return [line.split("\t") for line in done.stdout.splitlines()]


def fields(*names: str) -> list[str]:
    return ["-T", "fields", *(part for name in names for part in ("-e", name))]


def unsound(tshark: str, file) -> set[str]:
    """The checksums that tshark calls bad. 0xffff is what Linux writes for a sum of 0, once in
    65,536 segments: as good to a receiver, not to tshark.
    """
    rows = told_by(tshark, file, *fields("tcp.checksum.status", "tcp.checksum"))
    return {total for status, total in rows if status != "1"}


@every_version
@pytest.mark.parametrize("how", ["routed", "on the link", "loopback"])
def test_tshark_reads_both_directions_of_a_scan(version, how, tmp_path, tshark):
    file = tmp_path / "scan.pcapng"
    asked = (range(1, 1001),)
    answered, found, drops, sent, _received = apart(recorded, version, str(file), asked, how)

    assert (answered, found, drops) == (1000, [22, 80, 443], 0)
    assert unsound(tshark, file) <= {"0xffff"}
    rows = told_by(tshark, file, *fields("tcp.flags", "tcp.dstport"))
    by_flags = {
        flags: [row for row in rows if int(row[0], 16) == flags] for flags in (0x02, 0x12, 0x14, 4)
    }
    assert sent == 1001
    assert {flags: len(which) for flags, which in by_flags.items()} == {
        0x02: 1001,
        0x12: 4,
        0x14: 997,
        0x04: 4,  # the own kernel's, of connections that it knows nothing of
    }
    assert {int(port) for _flags, port in by_flags[0x02]} == set(range(1, 1001))


@every_version
def test_a_whole_scan_is_written_while_it_runs(version, tmp_path, tshark):
    file = tmp_path / "scan.pcapng"
    answered, found, drops, sent, received = apart(recorded, version, str(file), ALL, "routed")

    assert (answered, found, drops) == (65535, list(OPEN), 0)
    assert unsound(tshark, file) <= {"0xffff"}
    rows = told_by(tshark, file, *fields("tcp.checksum"))
    assert len(rows) == sent + received + 6  # resets of five open ports, and of one timed


# --- rows, one by one ---------------------------------------------------------------------------


def packets_in(octets: bytes) -> list[tuple[int, bytes, int]]:
    """(when, the packet, its length) of each packet block."""
    found, at = [], 0
    while at < len(octets):
        kind, size = unpack_from("<II", octets, at)
        assert unpack_from("<I", octets, at + size - 4) == (size,)
        if kind == 6:
            _interface, high, low, captured, length = unpack_from("<5I", octets, at + 8)
            found.append((high << 32 | low, octets[at + 28 : at + 28 + captured], length))
        at += size
    return found


def written(version: int, *slots: Slot) -> list[tuple[int, bytes, int]]:
    file = io.BytesIO()
    Recording(file, interface="eth0", version=version).write(run_of(*slots))
    return packets_in(file.getvalue())


@every_version
def test_packets_of_every_length_are_in_order_and_whole(version):
    scan = Scan(version)
    more = with_ip_options if version == 4 else with_hop_by_hop
    packets = [
        craft(scan.answer(80, SYN_ACK)),
        scan.rejected(23),
        craft(scan.answer(81, RST_ACK)),
        more(craft(scan.answer(82, RST_ACK))),
        craft(scan.answer(83, RST_ACK, payload=b"why")),
        craft(scan.answer(84, RST_ACK)),
    ]
    slots = [
        Slot(packet=packet, at_ns=1_700_000_000_999_999_999 + at)
        for at, packet in enumerate(packets)
    ]

    assert written(version, *slots) == [
        (slot.at_ns, slot.packet, len(slot.packet)) for slot in slots
    ]


@every_version
def test_a_packet_that_did_not_fit_says_how_long_it_was(version):
    scan = Scan(version)
    packet = craft(scan.answer(80, RST_ACK, payload=b"x" * 300))

    assert written(version, Slot(packet=packet)) == [(10**18, packet[:112], len(packet))]


@every_version
@pytest.mark.parametrize("payload", [b"", b"odd"])
def test_unfinished_checksums_are_finished(version, payload):
    scan = Scan(version)
    whole = craft(scan.answer(80, SYN_ACK, payload=payload))
    at = (20 if version == 4 else 40) + 16
    unfinished = Slot(
        packet=whole[:at] + b"\xab\xcd" + whole[at + 2 :], status=USER | CHECKSUM_NOT_READY
    )

    assert [packet for _at, packet, _length in written(version, unfinished)] == [whole]
