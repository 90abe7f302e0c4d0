"""Scapy's segments read back by our own decoder, and dissected for -v."""

import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tcplab.tcp import options
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import (
    EndOfList,
    Malformed,
    MaximumSegmentSize,
    NoOperation,
    Sack,
    SackPermitted,
    Timestamps,
    Unknown,
    WindowScale,
)
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.codec import craft, dissect
from tcplab.wire.frame import Link, decode

FOUR = (Address("192.0.2.1", 40000), Address("192.0.2.2", 80))
SIX = (Address("2001:db8::1", 40000), Address("2001:db8::2", 80))
ETHERNET = {4: bytes(12) + b"\x08\x00", 6: bytes(12) + b"\x86\xdd"}

# --- any segment --------------------------------------------------------------------------------

ports = st.integers(0, 0xFFFF)
numbers = st.integers(0, 0xFFFFFFFF)
seqs = numbers.map(Seq)
option = st.one_of(
    st.just(NoOperation()),
    st.integers(0, 0xFFFF).map(MaximumSegmentSize),
    st.integers(0, 0xFF).map(WindowScale),
    st.just(SackPermitted()),
    st.lists(st.tuples(seqs, seqs), min_size=1, max_size=3).map(lambda it: Sack(tuple(it))),
    st.builds(Timestamps, numbers, numbers),
    # Also kinds that Scapy has names for, and known kinds of a length that is not their own.
    st.builds(Unknown, st.integers(2, 255), st.binary(max_size=10)).filter(
        lambda it: options.parse(options.build((it,))) == (it,)
    ),
)


def addresses(version: int):
    """As inet_ntop writes them, which Python's ipaddress does not always do."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    return st.ip_addresses(v=version).map(lambda ip: socket.inet_ntop(family, ip.packed))


@st.composite
def segments(draw):
    version = draw(st.sampled_from([4, 6]))
    chosen = tuple(draw(st.lists(option, max_size=4)))
    assume(len(options.build(chosen)) <= options.MAX_OCTETS)
    return Segment(
        src=Address(draw(addresses(version)), draw(ports)),
        dst=Address(draw(addresses(version)), draw(ports)),
        seq=draw(seqs),
        ack=draw(seqs),
        flags=Flags(draw(st.integers(0, 0xFF))),
        wnd_octets=draw(st.integers(0, 0xFFFF)),
        urgent=draw(st.integers(0, 0xFFFF)),
        options=chosen,
        payload=draw(st.binary(max_size=64)),
    )


def without_padding(segment: Segment) -> Segment:
    """Scapy pads an option list to four octets: with ends of list, which we read as one option."""
    kept = segment.options
    if kept and isinstance(kept[-1], EndOfList):
        kept = kept[:-1]
    return replace(segment, options=kept)


@given(segments())
def test_a_crafted_segment_is_read_back_as_it_was(segment):
    frame = decode(craft(segment), link=Link.NONE)

    assert without_padding(frame.segment) == replace(segment, checksum_ok=True)


@given(segments(), st.integers(1, 255))
def test_hops_are_the_ttl_or_hop_limit(segment, hops):
    assert decode(craft(segment, hops=hops), link=Link.NONE).ttl == hops


@given(segments(), st.data())
def test_one_bit_of_the_payload_that_flips_spoils_the_checksum(segment, data):
    assume(segment.payload)
    packet = bytearray(craft(segment))
    bit = data.draw(st.integers(0, len(segment.payload) * 8 - 1))
    packet[-1 - bit // 8] ^= 1 << bit % 8

    assert decode(bytes(packet), link=Link.NONE).segment.checksum_ok is False


# --- what cannot be crafted ---------------------------------------------------------------------


def test_a_malformed_option_list_is_refused():
    segment = Segment(
        src=FOUR[0], dst=FOUR[1], seq=Seq(0), flags=Flags.SYN, options=(Malformed(b"\x02\x00"),)
    )

    with pytest.raises(ValueError, match="0200"):
        craft(segment)


def test_an_end_of_list_that_is_asked_for_is_there():
    segment = Segment(src=FOUR[0], dst=FOUR[1], seq=Seq(0), flags=Flags.SYN, options=(EndOfList(),))

    (end,) = decode(craft(segment), link=Link.NONE).segment.options
    assert end == EndOfList(b"\0\0\0")


def test_ipv4_packets_must_not_be_fragmented():
    packet = craft(Segment(src=FOUR[0], dst=FOUR[1], seq=Seq(0), flags=Flags.SYN))

    assert packet[6:8] == b"\x40\x00"


# --- dissection ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "ends"), [(4, FOUR), (6, SIX)])
@pytest.mark.parametrize("bare", [False, True])
def test_dissection_names_every_layer(version, ends, bare):
    syn = Segment(
        src=ends[0],
        dst=ends[1],
        seq=Seq(7),
        flags=Flags.SYN,
        options=(MaximumSegmentSize(1460),),
    )
    frame = craft(syn) if bare else ETHERNET[version] + craft(syn)

    text = dissect(frame, bare=bare)

    layers = [line.strip("#[] ") for line in text.splitlines() if line.startswith("###[")]
    expected = ["Ethernet", {4: "IP", 6: "IPv6"}[version], "TCP"]
    assert layers == expected[1:] if bare else expected
    assert "flags     = S" in text
    assert "('MSS', 1460)" in text


def test_what_is_no_ip_is_dissected_all_the_same():
    assert "###[ Ethernet ]###" in dissect(bytes(12) + b"\x88\xb5" + b"\0" * 46)


# --- Scapy's look-ups ---------------------------------------------------------------------------

IMPORTS = """
import sys
from tcplab.wire.codec import craft, prepare
prepare({ip!r})
from scapy.config import conf
print(conf.route is None or not conf.route.routes, "scapy.all" in sys.modules,
      "scapy.layers.inet6" in sys.modules)
"""


@pytest.mark.parametrize(("ip", "six"), [("192.0.2.1", False), ("2001:db8::1", True)])
def test_only_the_layers_in_use_are_imported(ip, six):
    said = subprocess.run(
        [sys.executable, "-c", IMPORTS.format(ip=ip)], capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["True", "False", str(six)]
