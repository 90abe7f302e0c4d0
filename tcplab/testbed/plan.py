"""The addresses of a testbed: documentation prefixes, so that nothing in it can be meant
elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, unique

CABLE = "w-"
"""Before a host's name: the NIC at the other end of its cable."""
INTERFACE = "eth0"
"""The NIC at a host's own end of its cable."""
_NIC = 2  # its index

_IP4, _IP6 = "192.0.2.{}", "2001:db8::{}"


@unique
class Family(Enum):
    """Which Internet Protocol a run speaks."""

    IPV4 = 4
    IPV6 = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A host's place: its addresses, and the MACs of the NICs at both ends of its cable.

    The far end is the wire's; on a direct link it is the server's.
    """

    name: str
    ip4: str
    ip6: str
    mac: str
    far_mac: str
    far_index: int

    @property
    def cable(self) -> str:
        """The name of the NIC at the far end."""
        return CABLE + self.name

    def ip(self, family: Family) -> str:
        """The host's address."""
        return self.ip4 if family is Family.IPV4 else self.ip6

    def renumbered(self, number: int) -> "Seat":
        """The same place with the addresses of that number."""
        return replace(self, ip4=_IP4.format(number), ip6=_IP6.format(number))


PREFIX = {Family.IPV4: 24, Family.IPV6: 64}
"""192.0.2.0/24 (RFC 5737) and 2001:db8::/64 (RFC 3849)."""
NETWORKS = (f"{_IP4.format(0)}/{PREFIX[Family.IPV4]}", f"{_IP6.format('')}/{PREFIX[Family.IPV6]}")
"""The networks of both families, in which all hosts are."""
SPOOFED = {
    Family.IPV4: ("198.51.100.0/24", "203.0.113.0/24"),
    Family.IPV6: ("2001:db8:bad::/48",),
}
"""The blocks (RFC 5737, RFC 3849) that forged source addresses are taken from."""
NOBODY_MAC = "02:00:00:00:00:fe"
_NOBODY = 254


def nobody(family: Family) -> str:
    """The address of a neighbour that nobody owns: what is routed by way of it vanishes."""
    return (_IP4 if family is Family.IPV4 else _IP6).format(_NOBODY)


def _seat(name: str, number: int) -> Seat:
    return Seat(
        name=name,
        ip4=_IP4.format(number),
        ip6=_IP6.format(number),
        mac=f"02:00:00:00:00:{number:02d}",
        far_mac=f"02:00:00:00:ff:{number:02d}",
        far_index=10 + number,
    )


SEATS = {
    seat.name: seat for seat in (_seat("client", 1), _seat("server", 2), _seat("attacker", 66))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """One of a host's NICs: its index and name, and the MAC to which frames for each host go that
    it leads to.
    """

    index: int
    name: str
    macs: Mapping[str, str]


def wired(host: str, hosts: Iterable[str]) -> tuple[Nic, ...]:
    """The NIC of a host on the wire, which leads to all others."""
    macs = {name: SEATS[name].mac for name in hosts if name != host}
    return (Nic(index=_NIC, name=INTERFACE, macs=macs),)


def at_far_end(host: str, middle: str) -> tuple[Nic, ...]:
    """The NIC of a host whose cable leads straight to the host in the `middle`."""
    return (Nic(index=_NIC, name=INTERFACE, macs={middle: SEATS[host].far_mac}),)


def in_the_middle(others: Iterable[str]) -> tuple[Nic, ...]:
    """The NICs of the host to which the cables of all others lead."""
    seats = [SEATS[name] for name in others]
    return tuple(
        Nic(index=seat.far_index, name=seat.cable, macs={seat.name: seat.mac}) for seat in seats
    )
