"""The one probe of a SYN scan, as octets.

They are what Scapy builds (`tests/wire/burst/test_template.py` builds them anew): a SYN with a
maximum segment size and nothing else, DF set in IPv4, all addresses, numbers and checksums zero.
They are kept here because importing Scapy takes longer than to ask 65,535 ports.
"""

import socket
from dataclasses import dataclass

from tcplab.wire.checksum import ones_complement

_SYN = "0000000000000000000000006002040000000000"  # data offset 6, SYN, window 1024
IPV4_SYN = bytes.fromhex("4500002c00004000400600000000000000000000" + _SYN + "020405b4")
"""MSS 1460."""
IPV6_SYN = bytes.fromhex("6000000000180640" + "00" * 32 + _SYN + "020405a0")
"""MSS 1440, 20 octets less for the longer header."""

SOURCE_PORT, DESTINATION_PORT, SEQUENCE, CHECKSUM = 0, 2, 4, 16
"""Where these are in a TCP header (RFC 9293 §3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One packet, of which copies are sent. Its addresses begin at `addresses`, TCP at `tcp`."""

    octets: bytes
    addresses: int
    tcp: int

    @property
    def segment(self) -> bytes:
        """The TCP header and what follows it."""
        return self.octets[self.tcp :]

    @property
    def source(self) -> bytes:
        """The source address."""
        middle = (self.addresses + self.tcp) // 2
        return self.octets[self.addresses : middle]

    @property
    def destination(self) -> bytes:
        """The destination address."""
        middle = (self.addresses + self.tcp) // 2
        return self.octets[middle : self.tcp]


def syn(source: str, destination: str) -> Template:
    """The probe between these addresses, of one family; its ports, sequence number and TCP checksum
    are zero.
    """
    if ":" in destination:
        octets, family, addresses, tcp = IPV6_SYN, socket.AF_INET6, 8, 40
    else:
        octets, family, addresses, tcp = IPV4_SYN, socket.AF_INET, 12, 20
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    header = octets[:addresses] + ends
    if tcp == 20:
        header = header[:10] + ones_complement(header).to_bytes(2) + header[12:]
    return Template(
        octets=header + octets[tcp:],
        addresses=addresses,
        tcp=tcp,
    )
