"""Frames of our own making, read back: by the decoder, by hand, and by tshark."""

import subprocess
from dataclasses import replace
from pathlib import Path
from struct import pack, unpack_from

import pytest

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.checksum import ones_complement, pseudo_header
from tcplab.wire.codec import craft_error
from tcplab.wire.compose import answering, ethernet, reporting
from tcplab.wire.frame import Frame, IcmpError, Link, decode

CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
MACS = bytes.fromhex("020000000002020000000001")  # to the server, from the client
BACK = bytes.fromhex("020000000001020000000002")
ENDS = {
    4: (Address("192.0.2.1", 40000), Address("192.0.2.2", 80)),
    6: (Address("2001:db8::1", 40000), Address("2001:db8::2", 80)),
}
ETHERTYPE = {4: b"\x08\x00", 6: b"\x86\xdd"}
IP_HEADER = {4: 20, 6: 40}
PROHIBITED = {4: (3, 13), 6: (1, 1)}
LONGEST = {4: 576, 6: 1280}

both = pytest.mark.parametrize("version", [4, 6])


def segment(version: int, **fields) -> Segment:
    """The client's SYN, unless `fields` say otherwise."""
    src, dst = ENDS[version]
    settings = {"seq": Seq(1000), "flags": Flags.SYN, "wnd_octets": 64240}
    return Segment(src=src, dst=dst, **settings | fields)


def sent(version: int, **fields) -> Frame:
    return ethernet(segment(version, **fields), src_mac=CLIENT_MAC, dst_mac=SERVER_MAC)


def reset(version: int) -> Segment:
    client, server = ENDS[version]
    return Segment(src=server, dst=client, seq=Seq(0), ack=Seq(1001), flags=Flags.RST | Flags.ACK)


def reported(frame: Frame, version: int) -> Frame:
    kind, code = PROHIBITED[version]
    return reporting(frame, src_ip=ENDS[version][1].ip, kind=kind, code=code)


def quoted(frame: Frame, version: int) -> bytes:
    """The packet that an ICMP error quotes."""
    return frame.octets[frame.link_octets + IP_HEADER[version] + 8 :]


def icmp_is_sound(frame: Frame, version: int) -> bool:
    """Do the checksums of the ICMP message, and of the IPv4 header, fit?"""
    packet = frame.octets[frame.link_octets :]
    message = packet[IP_HEADER[version] :]
    if version == 4:
        return ones_complement(packet[:20]) == 0 and ones_complement(message) == 0
    return (
        ones_complement(pseudo_header(packet[8:24], packet[24:40], 58, len(message)) + message) == 0
    )


# --- segments -----------------------------------------------------------------------------------


@both
def test_a_segment_gets_its_ethernet_header_and_right_checksums(version):
    made = segment(version, options=(MaximumSegmentSize(1460),), payload=b"data", urgent=3)
    frame = ethernet(made, src_mac=CLIENT_MAC, dst_mac=SERVER_MAC)

    client, server = ENDS[version]
    assert frame == Frame(
        octets=frame.octets,
        link_octets=14,
        src_ip=client.ip,
        dst_ip=server.ip,
        ttl=64,
        segment=replace(made, checksum_ok=True),
    )
    assert frame.octets[:14] == MACS + ETHERTYPE[version]
    assert frame == decode(frame.octets)


@both
def test_hops_are_what_they_are_told_to_be(version):
    frame = ethernet(segment(version), src_mac=CLIENT_MAC, dst_mac=SERVER_MAC, hops=255)

    assert frame.ttl == 255


def test_the_ipv4_header_s_checksum_fits():
    assert ones_complement(sent(4).octets[14:34]) == 0


# --- answers ------------------------------------------------------------------------------------


@both
def test_an_answer_goes_back_the_way_the_frame_came(version):
    frame = answering(sent(version), reset(version))

    assert frame.octets[:14] == BACK + ETHERTYPE[version]
    assert frame.segment == replace(reset(version), checksum_ok=True)


@both
def test_an_answer_goes_back_through_the_same_vlan(version):
    plain = sent(version).octets
    tagged = decode(plain[:12] + b"\x81\x00\x00\x07" + plain[12:])
    frame = answering(tagged, reset(version))

    assert frame.octets[:18] == BACK + b"\x81\x00\x00\x07" + ETHERTYPE[version]
    assert frame.segment == replace(reset(version), checksum_ok=True)


@both
def test_an_answer_to_a_bare_packet_is_bare(version):
    bare = decode(sent(version).octets[14:], link=Link.NONE)
    frame = answering(bare, reset(version))

    assert (frame.link, frame.link_octets) == (Link.NONE, 0)
    assert frame.segment == replace(reset(version), checksum_ok=True)


# --- ICMP ---------------------------------------------------------------------------------------


@both
def test_a_report_names_its_kind_and_what_it_is_about(version):
    frame = reported(sent(version), version)

    client, server = ENDS[version]
    kind, code = PROHIBITED[version]
    assert frame == Frame(
        octets=frame.octets,
        link_octets=14,
        src_ip=server.ip,
        dst_ip=client.ip,
        ttl=64,
        icmp=IcmpError(
            version=version,
            type=kind,
            code=code,
            quoted_src=client,
            quoted_dst=server,
            quoted_seq=Seq(1000),
        ),
    )
    assert frame.octets[:14] == BACK + ETHERTYPE[version]
    assert icmp_is_sound(frame, version)


@both
def test_a_report_quotes_the_whole_packet_if_it_fits(version):
    frame = sent(version, payload=bytes(range(200)))

    assert quoted(reported(frame, version), version) == frame.octets[14:]


@both
def test_a_report_quotes_as_much_of_a_long_packet_as_fits(version):
    frame = sent(version, flags=Flags.ACK, payload=bytes(range(256)) * 5)
    report = reported(frame, version)

    assert len(report.octets) == 14 + LONGEST[version]
    said = quoted(report, version)
    assert said == frame.octets[14 : 14 + len(said)]
    assert report.icmp.quoted_seq == Seq(1000)
    assert icmp_is_sound(report, version)


@both
def test_a_report_does_not_quote_padding(version):
    frame = sent(version)
    padded = decode(frame.octets + bytes(20))

    assert quoted(reported(padded, version), version) == frame.octets[14:]


@both
def test_a_report_about_a_bare_packet_is_bare(version):
    bare = decode(sent(version).octets[14:], link=Link.NONE)
    report = reported(bare, version)

    assert (report.link, report.link_octets) == (Link.NONE, 0)
    assert report.icmp.quoted_seq == Seq(1000)


def test_the_lengths_in_a_report_s_ip_header_are_its_own():
    four, six = (reported(sent(version), version).octets for version in (4, 6))

    assert unpack_from("!H", four, 16) == (len(four) - 14,)
    assert unpack_from("!H", six, 18) == (len(six) - 54,)


def test_no_other_icmpv6_error_is_crafted():
    with pytest.raises(ValueError, match="not 3"):
        craft_error(b"", src="2001:db8::1", dst="2001:db8::2", kind=3, code=0)


# --- tshark -------------------------------------------------------------------------------------


def dissected(tshark: str, folder: Path, frames: list[Frame], *fields: str) -> list[list[str]]:
    """What tshark says of each frame, out of a classic pcap file."""
    file = folder / "frames.pcap"
    records = (pack("=IIII", 1, 0, len(frame.octets), len(frame.octets)) + frame.octets
               for frame in frames)  # fmt: skip
    file.write_bytes(pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records))
    command = [tshark, "-n", "-r", str(file), "-T", "fields", "-E", "separator=/t"]
    command += ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(
        command,
        env={"HOME": str(folder), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_wireshark_finds_our_frames_sound(tshark: str, tmp_path: Path):
    long = {"flags": Flags.ACK, "payload": bytes(range(256)) * 5}
    frames = [
        *(answering(sent(version), reset(version)) for version in (4, 6)),
        *(reported(sent(version), version) for version in (4, 6)),
        *(reported(sent(version, **long), version) for version in (4, 6)),
    ]
    told = dissected(
        tshark,
        tmp_path,
        frames,
        *("_ws.malformed", "tcp.checksum.status", "ip.checksum.status"),
        *("icmp.type", "icmp.code", "icmp.checksum.status"),
        *("icmpv6.type", "icmpv6.code", "icmpv6.checksum.status"),
    )
    sums = [line.pop(1) for line in told]
    assert sums[:4] == ["1"] * 4  # of a packet whose quotation is cut off there is none
    unreachable, no_report = ["3", "13", "1"], ["", "", ""]
    assert told == [
        # malformed, the IPv4 headers' sums (the quoted one's too), ICMP, ICMPv6
        ["", "1", *no_report, *no_report],
        ["", "", *no_report, *no_report],
        ["", "1,1", *unreachable, *no_report],
        ["", "", *no_report, "1", "1", "1"],
        ["", "1,1", *unreachable, *no_report],
        ["", "", *no_report, "1", "1", "1"],
    ]
