"""Copies of one packet that differ in a few fields, every one of them sound."""

import random
from array import array

import pytest

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address
from tcplab.wire.burst import template
from tcplab.wire.burst.columns import Columns, checksums, lanes, same, word_sum
from tcplab.wire.burst.cookies import Cookies, column_of
from tcplab.wire.burst.stamping import FEW, Probes, Stamp
from tcplab.wire.burst.template import CHECKSUM, DESTINATION_PORT, SOURCE_PORT
from tcplab.wire.checksum import ones_complement, pseudo_header
from tcplab.wire.frame import Link, decode

ENDS = [("192.0.2.1", "192.0.2.2"), ("2001:db8:1::1", "2001:db8:1::2")]
both = pytest.mark.parametrize(("source", "destination"), ENDS, ids=["IPv4", "IPv6"])
ROWS = 2048


def stamped(stamp: Stamp, made: template.Template, ports: list[int]) -> list[bytes]:
    columns = Columns(made.octets, ROWS)
    stamp.write(columns, array("H", ports))
    return [columns.packet(row) for row in range(len(ports))]


def check(packets, ports, *, source, destination, source_port, cookies):
    assert len(packets) == len(ports)
    for packet, port in zip(packets, ports, strict=True):
        segment = decode(packet, link=Link.NONE).segment
        assert segment.src == Address(source, source_port)
        assert segment.dst == Address(destination, port)
        assert int(segment.seq) == cookies.of(port)
        assert segment.flags == Flags.SYN
        assert segment.checksum_ok


@both
@pytest.mark.parametrize("source_port", [1024, 32767])
@pytest.mark.parametrize(
    "ports",
    [
        range(1, 1 + ROWS),
        range(65536 - ROWS, 65536),
        range(1, ROWS * 5, 5),
        range(ROWS, 0, -1),
        range(80, 81),
        range(1, FEW + 1),
        range(1, FEW + 2),
    ],
    ids=str,
)
def test_every_packet_is_the_probe_of_its_port(source, destination, source_port, ports):
    made = template.syn(source, destination)
    cookies = Cookies(b"")
    packets = stamped(Stamp(Probes(made, cookies), source_port), made, list(ports))

    check(
        packets,
        ports,
        source=source,
        destination=destination,
        source_port=source_port,
        cookies=cookies,
    )


@both
def test_any_subset_in_any_round(source, destination):
    made = template.syn(source, destination)
    cookies = Cookies(b"")
    probes = Probes(made, cookies)
    for own_port in random.sample(range(1024, 32768), 5):
        stamp = Stamp(probes, own_port)
        for count in (1, FEW, random.randrange(FEW, ROWS), ROWS):
            ports = random.sample(range(65536), count)
            check(
                stamped(stamp, made, ports),
                ports,
                source=source,
                destination=destination,
                source_port=own_port,
                cookies=cookies,
            )


def test_all_ports_have_a_right_checksum():
    made = template.syn(*ENDS[0])
    cookies = Cookies(b"")
    stamp = Stamp(Probes(made, cookies), 1024)
    for first in range(0, 65536, ROWS):
        for packet in stamped(stamp, made, list(range(first, first + ROWS))):
            body = packet[made.tcp :]
            around = pseudo_header(made.source, made.destination, 6, len(body))
            assert ones_complement(around + body) == 0


def test_no_ports_are_no_packets():
    made = template.syn(*ENDS[0])
    columns = Columns(made.octets, 4)

    Stamp(Probes(made, Cookies(b"")), 1024).write(columns, array("H"))

    assert bytes(columns.buffer) == made.octets * 4


@both
def test_addresses_may_be_columns_too(source, destination):
    """Many hosts to one port: what varies is the end of the source address, and its port."""
    made = template.syn(source, destination)
    rows = 10_000
    width = len(made.source)
    addresses = b"".join(
        made.source[:-2] + number.to_bytes(2) for number in random.choices(range(65536), k=rows)
    )
    ports = column_of(array("H", random.choices(range(1, 65536), k=rows)))
    segment = made.segment
    around = pseudo_header(bytes(width), made.destination, 6, len(segment))
    sums = same(word_sum(around + segment) + 80, rows) + lanes(addresses, width) + lanes(ports, 2)
    columns = Columns(made.octets, rows)
    columns.stamp(made.tcp + DESTINATION_PORT, (80).to_bytes(2) * rows, 2)
    columns.stamp(made.addresses, addresses, width)
    columns.stamp(made.tcp + SOURCE_PORT, ports, 2)
    columns.stamp(made.tcp + CHECKSUM, checksums(sums, rows), 2)

    for row in range(rows):
        packet = columns.packet(row)
        segment_ = decode(packet, link=Link.NONE).segment
        assert packet[made.addresses : made.addresses + width] == addresses[row * width :][:width]
        assert segment_.src.port == int.from_bytes(ports[2 * row : 2 * row + 2])
        assert segment_.dst == Address(destination, 80)
        assert segment_.checksum_ok


@pytest.mark.parametrize("total", [0, 1, 0xFFFF, 0x10000, 0x1FFFF, 0xFFFF0, 0xFFFFF])
def test_carries_are_added_in(total):
    folded = total
    while folded >> 16:
        folded = (folded & 0xFFFF) + (folded >> 16)

    assert checksums(same(total, 3), 3) == (folded ^ 0xFFFF).to_bytes(2) * 3


def test_all_have_asks_every_one_of_the_first_rows_for_every_octet():
    columns = Columns(bytes(4), 3)
    columns.stamp(1, b"abab", 2)

    assert columns.all_have(1, b"ab", 2)
    assert not columns.all_have(1, b"ab", 3)
    assert not columns.all_have(1, b"aa", 2)
    columns.stamp(2, b"bx", 1)
    assert not columns.all_have(1, b"ab", 2)
