"""`--pcap`: what tshark, which reads as Wireshark does, finds in the file of every kind of run."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.runs import KINDS, Kind

OPENING = ["··········S·", "·······A··S·", "·······A····"]
FIELDS = (
    "tcp.flags.str",
    "frame.comment",
    "tcp.checksum",
    "tcp.checksum.status",
    "_ws.malformed",
    "tcp.payload",
)


def packets(tshark: str, pcap: Path) -> list[dict[str, str]]:
    """The fields of each packet."""
    fields = [word for field in FIELDS for word in ("-e", field)]
    checked = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    done = subprocess.run(
        [tshark, "-n", "-r", pcap, *checked, "-T", "fields", "-E", "separator=/t", *fields],
        env={"HOME": str(pcap.parent), "LC_ALL": "C.UTF-8"},  # no preferences of the tester's
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def lane(host: str, segment) -> str:
    """How a comment tells a host's states."""
    seen = segment["lanes"][host]
    moved = [seen["before"], seen["after"]] if seen["before"] != seen["after"] else [seen["after"]]
    known = "crafted" if seen["source"] == "crafted" else "observed"
    return f"{host} {' → '.join(moved)} ({known})"


def sum_holds(packet: dict[str, str]) -> bool:
    """Whether the TCP checksum is right. 0xFFFF is 0 in one's complement: Linux writes it where the
    sum is 0, once in 65536 segments (net/core/dev.c, skb_checksum_help, CSUM_MANGLED_0), and every
    receiver takes it; Wireshark alone calls it bad (RFC 1624).
    """
    return packet["tcp.checksum.status"] == "1" or packet["tcp.checksum"] == "0xffff"


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_wireshark_reads_every_packet_with_its_step_and_both_states(kept, tshark, kind: Kind):
    run = kept(kind)
    found = packets(tshark, run.pcap)
    assert [packet["tcp.flags.str"] for packet in found[:3]] == OPENING
    assert all(map(sum_holds, found))
    assert {packet["_ws.malformed"] for packet in found} == {""}
    number = {segment["i"]: number for number, segment in run.numbered.items()}
    assert [packet["frame.comment"] for packet in found] == [
        f"{number[segment['i']]} {segment['step']}"
        f" · {lane('client', segment)} · {lane('server', segment)}"
        for segment in run.told("segment")
    ]
    assert [packet["tcp.payload"] for packet in found] == [
        segment["payload"] for segment in run.told("segment")
    ]
