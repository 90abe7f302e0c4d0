"""The probe is Scapy's, octet by octet."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from tcplab.wire.burst import template
from tcplab.wire.checksum import ones_complement
from tcplab.wire.frame import Link, decode


def syn(mss: int) -> TCP:
    return TCP(sport=0, dport=0, seq=0, flags="S", window=1024, chksum=0, options=[("MSS", mss)])


def test_the_ipv4_probe_is_what_scapy_builds():
    ip = IP(src="0.0.0.0", dst="0.0.0.0", id=0, ttl=64, flags="DF", chksum=0)

    assert bytes(ip / syn(1460)) == template.IPV4_SYN


def test_the_ipv6_probe_is_what_scapy_builds():
    assert bytes(IPv6(src="::", dst="::", hlim=64) / syn(1440)) == template.IPV6_SYN


@pytest.mark.parametrize(
    ("source", "destination"), [("192.0.2.1", "198.51.100.2"), ("2001:db8::1", "2001:db8:2::2")]
)
def test_it_is_between_the_addresses_that_are_asked_for(source, destination):
    made = template.syn(source, destination)

    segment = decode(made.octets, link=Link.NONE).segment
    assert (segment.src.ip, segment.dst.ip) == (source, destination)
    assert made.octets[made.addresses : made.tcp] == made.source + made.destination
    assert made.segment == made.octets[made.tcp :]


def test_the_ipv4_header_s_checksum_is_right():
    assert ones_complement(template.syn("192.0.2.1", "198.51.100.2").octets[:20]) == 0
