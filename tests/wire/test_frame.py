"""The decoder against frames built by hand, and against Scapy, which sums and lays out by
itself.
"""

from dataclasses import replace
from ipaddress import ip_address
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.tcp.flags import Flags, from_letters
from tcplab.tcp.options import (
    EndOfList,
    MaximumSegmentSize,
    NoOperation,
    Sack,
    SackPermitted,
    Timestamps,
    WindowScale,
)
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.codec import craft
from tcplab.wire.frame import Frame, FrameError, IcmpError, Link, contradictory, decode

C4, S4 = "192.0.2.1", "192.0.2.2"
C6, S6 = "2001:db8::1", "2001:db8::2"
PAIRS = {4: (C4, S4), 6: (C6, S6)}

# A SYN with the options that Linux sends, in its order; the NIC was to fill in the checksum.
LINUX_SYN = bytes.fromhex(
    "0200000000020200000000010800"
    "4500003c1c4640004006 9a72 c0000201c0000202"
    "c3500050 9f8d7e6b 00000000 a002faf0 0000 0000 020405b4 0402080a 00112233 00000000 01030307"
)


def ether(packet, ethertype=None, tags=b""):
    ethertype = ethertype or (0x86DD if packet[0] >> 4 == 6 else 0x0800)
    return b"\x02" * 12 + tags + pack("!H", ethertype) + packet


def ip4(body, *, protocol=6, total=None, fragment=0, options=b"", first=None):
    header = 20 + len(options)
    return (
        pack(
            "!BBHHHBBH4s4s",
            0x40 | header // 4 if first is None else first,
            0,
            header + len(body) if total is None else total,
            7,
            fragment,
            63,
            protocol,
            0,
            ip_address(C4).packed,
            ip_address(S4).packed,
        )
        + options
        + body
    )


def ip6(body, *, following=6, length=None, first=0x60000000):
    return (
        pack("!IHBB", first, len(body) if length is None else length, following, 63)
        + ip_address(C6).packed
        + ip_address(S6).packed
        + body
    )


def tcp(*, words=5, bits=0x18, data=b"", options=b"", checksum=0):
    header = pack("!HHIIBBHHH", 50000, 80, 1, 2, words << 4, bits, 3, checksum, 0)
    return header + options + data


def segment(version=4, **fields):
    """What `tcp()` is in an IP packet from C to S, unless `fields` say otherwise."""
    src, dst = PAIRS[version]
    settings = {"flags": Flags.PSH | Flags.ACK, "wnd_octets": 3, "checksum_ok": False}
    return Segment(
        src=Address(src, 50000),
        dst=Address(dst, 80),
        seq=Seq(1),
        ack=Seq(2),
        **settings | fields,
    )


# ── the ways down to a segment ──────────────────────────────────────────────────────────────────


def test_syn_of_linux():
    assert decode(LINUX_SYN, summed=False) == Frame(
        octets=LINUX_SYN,
        src_ip=C4,
        dst_ip=S4,
        ttl=64,
        segment=Segment(
            src=Address(C4, 50000),
            dst=Address(S4, 80),
            seq=Seq(0x9F8D7E6B),
            flags=Flags.SYN,
            wnd_octets=64240,
            options=(
                MaximumSegmentSize(1460),
                SackPermitted(),
                Timestamps(0x112233, 0),
                NoOperation(),
                WindowScale(7),
            ),
        ),
    )


@pytest.mark.parametrize(("version", "wrap"), [(4, ip4), (6, ip6)])
@pytest.mark.parametrize("link", Link)
def test_bare_packets_and_ethernet_frames(version, wrap, link):
    packet = wrap(tcp(data=b"abc"))
    octets = packet if link is Link.NONE else ether(packet)
    src, dst = PAIRS[version]
    assert decode(octets, link=link) == Frame(
        octets=octets,
        link=link,
        link_octets=len(octets) - len(packet),
        src_ip=src,
        dst_ip=dst,
        ttl=63,
        segment=segment(version, payload=b"abc"),
    )


@pytest.mark.parametrize(
    "tags", [b"\x81\x00\x00\x05", b"\x88\xa8\x00\x01\x81\x00\x00\x05"], ids=["802.1Q", "802.1ad"]
)
def test_vlan_tags_are_passed(tags):
    frame = decode(ether(ip4(tcp()), tags=tags))
    assert (frame.link_octets, frame.segment) == (14 + len(tags), segment())


def test_padding_of_a_short_frame_is_no_payload():
    assert decode(ether(ip4(tcp())) + bytes(6)).segment == segment()


def test_ip_options_are_passed():
    assert decode(ether(ip4(tcp(data=b"x"), options=b"\x01" * 8))).segment == segment(payload=b"x")


@pytest.mark.parametrize("kind", [0, 43, 60])
def test_ipv6_extension_headers_are_passed(kind):
    body = bytes([60, 0]) + bytes(6) + bytes([6, 1]) + bytes(14) + tcp(data=b"x")
    assert decode(ether(ip6(body, following=kind))).segment == segment(6, payload=b"x")


# ── checksums ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [b"", b"ab", b"odd"])
@pytest.mark.parametrize("version", PAIRS)
def test_checksum_of_scapy_is_good_and_any_changed_octet_makes_it_bad(version, data):
    src, dst = PAIRS[version]
    sent = replace(segment(), src=Address(src, 50000), dst=Address(dst, 80), payload=data)
    packet = craft(sent)
    assert decode(packet, link=Link.NONE).segment == replace(sent, checksum_ok=True)
    changed = packet[:-1] + bytes([packet[-1] ^ 1])
    assert decode(changed, link=Link.NONE).segment.checksum_ok is False


def test_checksum_that_was_left_to_the_nic_is_unknown():
    assert decode(ether(ip4(tcp())), summed=False).segment == segment(checksum_ok=None)


@pytest.mark.parametrize("fragment", [0x2000, 0x6000])
def test_checksum_of_a_first_fragment_is_unknown(fragment):
    assert decode(ether(ip4(tcp(), fragment=fragment))).segment == segment(checksum_ok=None)


def test_checksum_of_a_packet_that_was_cut_off_is_unknown():
    packet = ip4(tcp(data=b"abc"), total=20 + 20 + 100)
    expected = segment(payload=b"abc", missing_octets=97, checksum_ok=None)
    assert decode(ether(packet)).segment == expected


def test_ipv6_packet_that_was_cut_off():
    expected = segment(6, payload=b"abc", missing_octets=97, checksum_ok=None)
    assert decode(ether(ip6(tcp(data=b"abc"), length=120))).segment == expected


def test_header_that_was_cut_off_within_its_options():
    packet = ip4(tcp(words=7, options=b"\x02\x04\x05\xb4"), total=20 + 28 + 10)
    expected = segment(options=(MaximumSegmentSize(1460),), missing_octets=10, checksum_ok=None)
    assert decode(ether(packet)).segment == expected


# ── what carries no segment ─────────────────────────────────────────────────────────────────────


def test_arp():
    octets = ether(bytes(28), 0x0806)
    assert decode(octets) == Frame(octets=octets)


@pytest.mark.parametrize(
    "packet",
    [
        ip4(bytes(8), protocol=17),
        ip4(tcp(), fragment=1),
        ip6(bytes(8), following=17),
        ip6(b"\x06\x00\x00\x08" + bytes(4) + tcp(), following=44),
        ip6(b"\x3c\x00\x00\x08" + bytes(4) + b"\xff" * 40, following=44),
        ip6(bytes(8), following=59),
        ip4(b"\x03\x01" + bytes(40), protocol=58),
    ],
    ids=[
        "UDP",
        "later fragment",
        "UDP over IPv6",
        "later fragment of IPv6",
        "later fragment that would begin with an extension header",
        "no next header",
        "ICMPv6 over IPv4",
    ],
)
def test_ip_without_a_segment(packet):
    frame = decode(ether(packet))
    assert (frame.segment, frame.icmp, frame.ttl) == (None, None, 63)


# ── ICMP errors ─────────────────────────────────────────────────────────────────────────────────

QUOTED4 = ip4(tcp()[:8], total=60)
QUOTED6 = ip6(tcp()[:8], length=40)


def icmp(kind, code, quoted):
    return bytes([kind, code]) + bytes(6) + quoted


@pytest.mark.parametrize(("kind", "code"), [(3, 3), (3, 13), (11, 0), (12, 0), (4, 0)])
def test_icmp_error_names_the_connection_that_it_is_about(kind, code):
    """RFC 792: "the internet header plus the first 64 bits of the original datagram's data"."""
    assert decode(ether(ip4(icmp(kind, code, QUOTED4), protocol=1))).icmp == IcmpError(
        version=4,
        type=kind,
        code=code,
        quoted_src=Address(C4, 50000),
        quoted_dst=Address(S4, 80),
        quoted_seq=Seq(1),
    )


def test_icmp_error_that_quotes_ip_options():
    quoted = ip4(tcp()[:8], total=60, options=b"\x01" * 4)
    found = decode(ether(ip4(icmp(3, 1, quoted), protocol=1))).icmp
    assert found.quoted_src == Address(C4, 50000)


@pytest.mark.parametrize(("kind", "code"), [(1, 4), (2, 0), (3, 0), (4, 1)])
def test_icmpv6_error_names_the_connection_that_it_is_about(kind, code):
    assert decode(ether(ip6(icmp(kind, code, QUOTED6), following=58))).icmp == IcmpError(
        version=6,
        type=kind,
        code=code,
        quoted_src=Address(C6, 50000),
        quoted_dst=Address(S6, 80),
        quoted_seq=Seq(1),
    )


@pytest.mark.parametrize(
    "packet",
    [
        ip4(icmp(8, 0, bytes(40)), protocol=1),
        ip6(icmp(128, 0, bytes(60)), following=58),
        ip4(icmp(3, 3, ip4(bytes(8), protocol=17)), protocol=1),
        ip4(icmp(3, 3, ip4(tcp()[:7])), protocol=1),
        ip4(icmp(3, 3, ip4(tcp()[:8], fragment=5)), protocol=1),
        ip4(icmp(3, 3, ip4(tcp()[:8], first=0x44)), protocol=1),
        ip4(icmp(3, 3, ip4(tcp()[:8], first=0x65)), protocol=1),
        ip6(icmp(1, 4, ip6(tcp()[:8], first=0x40000000)), following=58),
    ],
    ids=[
        "echo",
        "ICMPv6 echo",
        "about UDP",
        "quotes too little",
        "about a later fragment",
        "quoted header is too short",
        "quoted version is wrong",
        "quoted IPv6 version is wrong",
    ],
)
def test_icmp_that_tells_nothing_of_tcp(packet):
    frame = decode(ether(packet))
    assert (frame.icmp, frame.segment) == (None, None)


# ── hostile bytes ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"", "ends too soon"),
        (b"\x02" * 13, "ends too soon"),
        (b"\x02" * 12 + b"\x81\x00\x00", "ends too soon"),
        (ether(b"\x45" + bytes(10), 0x0800), "ends too soon"),
        (ether(ip4(tcp(), first=0x44)), "IPv4 header of 16 octets"),
        (ether(ip4(tcp(), first=0x65), 0x0800), "IPv4 header"),
        (ether(ip4(tcp(), total=19)), "in a packet of 19"),
        (ether(ip4(tcp()), 0x86DD), "IP version 4|ends too soon"),
        (ether(ip6(bytes([6, 9]) + bytes(30), following=0)), "overruns"),
        (ether(ip6(b"", following=0)), "ends too soon"),
        (ether(ip4(b"\x00" * 19)), "ends too soon"),
        (ether(ip4(tcp(words=4))), "TCP header of 16 octets"),
        (ether(ip4(tcp(words=6))), "TCP header of 24 octets in 20"),
        (ether(ip4(b"\x03", protocol=1)), "ends too soon"),
        (ether(ip4(icmp(3, 3, b"\x45"), protocol=1)), "ends too soon"),
    ],
)
def test_bytes_that_contradict_themselves(octets, complaint):
    with pytest.raises(FrameError, match=complaint):
        decode(octets)


def test_bare_packet_without_octets():
    with pytest.raises(FrameError):
        decode(b"", link=Link.NONE)


GOOD = [
    LINUX_SYN,
    ether(ip4(tcp(data=b"abc"))),
    ether(ip6(bytes([60, 0]) + bytes(6) + bytes([6, 1]) + bytes(14) + tcp(), following=0)),
    ether(ip6(b"\x06\x00\x00\x01" + bytes(4) + tcp(), following=44)),
    ether(ip4(icmp(3, 13, QUOTED4), protocol=1)),
    ether(ip6(icmp(1, 4, QUOTED6), following=58)),
    ether(ip4(tcp()), tags=b"\x81\x00\x00\x05"),
]


def survives(octets, link):
    """The decoder either decodes or says FrameError; what it decodes keeps the bytes as they
    were.
    """
    try:
        frame = decode(octets, link=link)
    except FrameError:
        frame = contradictory(octets, link=link)
    assert frame.octets is octets
    assert frame.segment is None or frame.segment.missing_octets >= 0


@given(st.binary(max_size=120), st.sampled_from(Link))
def test_arbitrary_bytes_raise_nothing_but_frame_error(octets, link):
    survives(octets, link)


@pytest.mark.parametrize(("version", "packet"), [(4, ip4(tcp(words=4))), (6, ip6(tcp(words=4)))])
def test_of_a_frame_that_contradicts_itself_the_addresses_are_told(version, packet):
    with pytest.raises(FrameError):
        decode(ether(packet))
    src, dst = PAIRS[version]
    assert contradictory(ether(packet)) == Frame(octets=ether(packet), src_ip=src, dst_ip=dst)
    bare = contradictory(packet, link=Link.NONE)
    assert bare == Frame(octets=packet, link=Link.NONE, link_octets=0, src_ip=src, dst_ip=dst)


def test_a_frame_that_ends_in_its_addresses_tells_none():
    short = ether(ip4(b""))[:30]
    assert contradictory(short) == Frame(octets=short, link_octets=0)


@given(st.sampled_from([b"\x08\x00\x45", b"\x86\xdd\x60"]), st.binary(max_size=120))
def test_arbitrary_packets_raise_nothing_but_frame_error(head, octets):
    survives(bytes(12) + head + octets, Link.ETHERNET)


@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
    st.one_of(st.none(), st.integers(0, 120)),
    st.sampled_from(Link),
)
def test_damaged_frames_raise_nothing_but_frame_error(good, changes, length, link):
    octets = bytearray(good if link is Link.ETHERNET else good[14:])
    for at, value in changes:
        octets[at % len(octets)] = value
    survives(bytes(octets[:length]), link)


# ── the round trip ──────────────────────────────────────────────────────────────────────────────

up_to_16, up_to_32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
option_lists = st.lists(
    st.one_of(
        st.just(NoOperation()),
        st.builds(MaximumSegmentSize, up_to_16),
        st.builds(WindowScale, st.integers(0, 255)),
        st.just(SackPermitted()),
        st.builds(Timestamps, up_to_32, up_to_32),
        st.tuples(st.builds(Seq, up_to_32), st.builds(Seq, up_to_32)).map(lambda b: Sack((b,))),
    ),
    max_size=4,
).map(tuple)


@given(
    st.sampled_from([4, 6]),
    st.builds(
        dict,
        seq=st.builds(Seq, up_to_32),
        ack=st.builds(Seq, up_to_32),
        flags=st.sampled_from(["S", "SA", "A", "FPA", "RA", "FSRPAUEC", ""]).map(from_letters),
        wnd_octets=up_to_16,
        urgent=up_to_16,
        options=option_lists,
        payload=st.binary(max_size=30),
    ),
)
def test_what_scapy_crafts_is_decoded_back(version, fields):
    src, dst = PAIRS[version]
    sent = replace(segment(), src=Address(src, 50000), dst=Address(dst, 80), **fields)
    got = decode(craft(sent), link=Link.NONE).segment
    padding = tuple(each for each in got.options if isinstance(each, EndOfList))
    assert sum(1 + len(each.padding) for each in padding) < 4
    unpadded = got.options[: len(got.options) - len(padding)]
    assert replace(got, options=unpadded) == replace(sent, checksum_ok=True)
