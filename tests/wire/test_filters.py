"""What the kernel lets through to a capture of one conversation."""

import contextlib
from struct import pack

import pytest

from tcplab.kernel import links
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.testbed.netns import Namespace
from tcplab.wire.checksum import ones_complement, pseudo_header
from tcplab.wire.codec import craft
from tcplab.wire.filters import DISCARD, conversation, segments_to
from tcplab.wire.frame import Frame
from tcplab.wire.packet_socket import PacketSocket
from tests.links import apart, on_link
from tests.permits import permit_for

OURS = 40000
MACS = bytes.fromhex("020000000002020000000001")
ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
ETHERTYPE = {4: b"\x08\x00", 6: b"\x86\xdd"}


def tcp(version: int, sport: int, dport: int) -> bytes:
    """An IP packet with a segment between these ports."""
    src, dst = ENDS[version]
    return craft(
        Segment(src=Address(src, sport), dst=Address(dst, dport), seq=Seq(1), flags=Flags.SYN)
    )


def with_protocol(packet: bytes, protocol: int) -> bytes:
    """The same packet, as one that carries something else."""
    at = 9 if packet[0] >> 4 == 4 else 6
    return packet[:at] + bytes([protocol]) + packet[at + 1 :]


def with_options(packet: bytes) -> bytes:
    """An IPv4 packet with four octets of options (no operation) before its segment."""
    header = bytes([0x46]) + packet[1:2] + pack("!H", len(packet) + 4) + packet[4:20]
    return header + b"\x01\x01\x01\x01" + packet[20:]


def fragment(packet: bytes, offset: int) -> bytes:
    """An IPv4 packet that says that it is the fragment at `offset` times 8 octets."""
    return packet[:6] + pack("!H", offset) + packet[8:]


def with_hop_by_hop(packet: bytes) -> bytes:
    """An IPv6 packet with an extension header (PadN) before its segment."""
    body = bytes([packet[6], 0, 1, 4, 0, 0, 0, 0]) + packet[40:]
    return packet[:4] + pack("!H", len(body)) + b"\0" + packet[7:40] + body


def icmp(version: int) -> bytes:
    """Port unreachable, about a segment of ours."""
    quoted = tcp(version, OURS, 80)[:48]
    if version == 4:
        body = pack("!BBHI", 3, 3, 0, 0) + quoted
        body = body[:2] + pack("!H", ones_complement(body)) + body[4:]
        packet = with_protocol(tcp(4, 0, 0), 1)[:20] + body
        return packet[:2] + pack("!H", len(packet)) + packet[4:]
    body = pack("!BBHI", 1, 4, 0, 0) + quoted
    packet = with_protocol(tcp(6, 0, 0), 58)[:40]
    total = ones_complement(pseudo_header(packet[8:24], packet[24:40], 58, len(body)) + body)
    return packet[:4] + pack("!H", len(body)) + packet[6:] + body[:2] + pack("!H", total) + body[4:]


ACCEPTED = {
    "from our port": [tcp(4, OURS, 80), tcp(6, OURS, 80)],
    "to our port": [tcp(4, 80, OURS), tcp(6, 80, OURS)],
    "IPv4 options": [with_options(tcp(4, OURS, 80))],
    "first fragment": [fragment(tcp(4, OURS, 80), 0x2000)],
    "ICMP": [icmp(4), icmp(6)],
    "extension header": [with_hop_by_hop(tcp(6, OURS, 80)), with_hop_by_hop(tcp(6, 1, 2))],
}
REFUSED = {
    "other ports": [tcp(4, OURS + 1, 80), tcp(6, 80, OURS - 1)],
    "UDP between our ports": [
        with_protocol(tcp(4, OURS, 80), 17),
        with_protocol(tcp(6, OURS, 80), 17),
    ],
    "later fragment": [fragment(tcp(4, OURS, 80), 0x2001), fragment(tcp(4, OURS, 80), 1)],
}


@pytest.fixture(scope="module")
def seen():
    return apart(carried_over_a_cable, framed([*ACCEPTED.items(), *REFUSED.items()]))


def framed(cases) -> list[tuple[str, bytes]]:
    return [
        (name, MACS + ETHERTYPE[packet[0] >> 4] + packet)
        for name, packets in cases
        for packet in packets
    ]


def carried_over_a_cable(frames, program=None) -> dict[str, list[bytes]]:
    """What a filtered capture at the end of a veth sees of each kind of frame.

    The sender's kernel carries frame by frame, so what the filter took is there when send returns.
    """
    net = on_link()
    with net.client.namespace.entered():
        sender = PacketSocket("eth0", net.client.permit)
    with net.server.namespace.entered():
        hearer = PacketSocket("eth0", net.server.permit, filter_=program or conversation(OURS))
    found: dict[str, list[bytes]] = {}
    for name, octets in frames:
        sender.send(Frame(octets=octets), "eth0")
        found.setdefault(name, []).extend(each.frame.octets for each in hearer.take())
    return found


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_belongs_to_the_conversation_is_seen(name, seen):
    assert seen[name] == [octets for _name, octets in framed([(name, ACCEPTED[name])])]


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_is_not(name, seen):
    assert seen[name] == []


def test_arp_is_not_seen():
    octets = MACS + b"\x08\x06" + b"\0" * 28

    assert apart(carried_over_a_cable, [("ARP", octets)]) == {"ARP": []}


# --- segments to many ports ---------------------------------------------------------------------

RUNS = (1, 2, 3, 9, *range(1000, 3000, 2), 65535)  # a thousand runs: more than one jump can cross
WANTED = (1, 2, 3, 9, 1000, 1500, 2998, 65535)
UNWANTED = (0, 4, 8, 10, 999, 1001, 2999, 3000, 65534)


def test_segments_to_the_ports_are_seen_and_no_others():
    frames = framed(
        (str(port), [tcp(4, 80, port), tcp(6, 80, port), with_options(tcp(4, 80, port))])
        for port in (*WANTED, *UNWANTED)
    )
    found = apart(carried_over_a_cable, frames, segments_to(RUNS))
    assert {name: len(octets) for name, octets in found.items()} == {
        **{str(port): 3 for port in WANTED},
        **{str(port): 0 for port in UNWANTED},
    }


def test_nothing_but_whole_segments_to_the_ports_is_seen():
    found = apart(
        carried_over_a_cable,
        framed(
            [
                ("from the port", [tcp(4, OURS, 80), tcp(6, OURS, 80)]),
                ("UDP", [with_protocol(tcp(4, 80, OURS), 17), with_protocol(tcp(6, 80, OURS), 17)]),
                ("ICMP", [icmp(4), icmp(6)]),
                ("later fragment", [fragment(tcp(4, 80, OURS), 1)]),
                ("extension header", [with_hop_by_hop(tcp(6, 80, OURS))]),
            ]
        ),
        segments_to([OURS]),
    )
    assert not any(found.values())


def test_more_runs_than_a_program_holds_are_refused():
    with pytest.raises(ValueError):
        segments_to(range(0, 2800, 2))


# --- other links --------------------------------------------------------------------------------


def looped() -> list[tuple[int, int]]:
    """What a filtered capture sees on loopback, of its own and of other ports."""
    namespace = Namespace()
    permit = permit_for(namespace)
    with namespace.entered():
        with contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell([links.set_up(1)])
        sender = PacketSocket("lo", permit)
        hearer = PacketSocket("lo", permit, filter_=conversation(OURS))
    for version in (4, 6):
        for port in (OURS, OURS + 1):
            octets = bytes(12) + ETHERTYPE[version] + tcp(version, port, 80)
            sender.send(Frame(octets=octets), "lo")
    segments = [each.frame.segment for each in hearer.take()]
    return [(6 if ":" in each.src.ip else 4, each.src.port) for each in segments]


def test_it_fits_loopback():
    assert apart(looped) == [(4, OURS), (6, OURS)]


def discarded() -> list[bytes]:
    net = on_link()
    with net.client.namespace.entered():
        sender = PacketSocket("eth0", net.client.permit)
    with net.server.namespace.entered():
        hearer = PacketSocket("eth0", net.server.permit, filter_=DISCARD)
    sender.send(Frame(octets=MACS + ETHERTYPE[4] + tcp(4, OURS, 80)), "eth0")
    return [each.frame.octets for each in hearer.take()]


def test_discard_lets_nothing_through():
    assert apart(discarded) == []
