"""What kind of address a packet is to go to: one host or a group, on a private network or global.

Names of networks: the IANA special-purpose address registries (RFC 6890).
"""

from typing import TYPE_CHECKING

from tcplab.errors import RefusedError
from tcplab.text import Text

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_METADATA_SERVICES = ("169.254.169.254", "fd00:ec2::254")
_BROADCAST = "255.255.255.255"
_NAT64 = b"\0\x64\xff\x9b" + bytes(8)  # 64:ff9b::/96, RFC 6052
# What `is_private` says otherwise, in some version of Python or in all. The second table: anycast
# of PCP and TURN, the protocol assignments (RFC 2928), and a network's own NAT64 (RFC 8215), whose
# addresses hold an IPv4 address at a place that only that network knows.
_NOT_GLOBAL = ("100.64.0.0/10", "2001:2::/48", "3fff::/20")
_GLOBAL = ("192.0.0.9/32", "192.0.0.10/32", "2001::/23", "64:ff9b:1::/48")


def refuse_unless_one_host(destination: str) -> None:
    """Raise RefusedError for multicast, broadcast, the unspecified address, and cloud metadata."""
    from ipaddress import ip_address  # 1 ms that the testbed need not pay

    address = _meant(ip_address(destination))
    if address.is_multicast or str(address) == _BROADCAST:
        why = Text("{address} is not one host but a group of hosts.", address=destination)
    elif address.is_unspecified or (address.version == 4 and address.packed[0] == 0):
        why = Text("{address} is no host's address.", address=destination)
    elif address in map(ip_address, _METADATA_SERVICES):
        why = Text("{address} is a cloud's metadata service.", address=destination)
    else:
        return
    raise RefusedError(why, remedy=Text("Name one host that you may talk to."))


def is_global(destination: str) -> bool:
    """May the address be that of a host somewhere in the Internet? In doubt it may.

    Not those of loopback, of one link, of private networks, of carriers' NAT (100.64.0.0/10), of
    documentation and benchmarks, and what is reserved.
    """
    from ipaddress import ip_address, ip_network

    address = _meant(ip_address(destination))
    if any(address in ip_network(each) for each in _NOT_GLOBAL):
        return False
    return not address.is_private or any(address in ip_network(each) for each in _GLOBAL)


def unmapped(destination: str) -> str:
    """The IPv4 address that is written as an IPv6 one (::ffff:192.0.2.1); any other as it is."""
    from ipaddress import ip_address

    address = ip_address(destination)
    mapped = address.ipv4_mapped if address.version == 6 else None
    return destination if mapped is None else str(mapped)


def _meant(address: "IPv4Address | IPv6Address") -> "IPv4Address | IPv6Address":
    """The IPv4 address that an IPv6 address stands for, if it does: mapped (RFC 4291), 6to4
    (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052).
    """
    from ipaddress import IPv4Address, IPv6Address

    if not isinstance(address, IPv6Address):
        return address
    if address.packed[:12] == _NAT64:
        return IPv4Address(address.packed[12:])
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address
