"""The addresses of a testbed: documentation prefixes, so that nothing in it can be meant
elsewhere.
"""

from dataclasses import dataclass, replace
from enum import Enum, unique

CABLE = "w-"
"""Before a host's name: the NIC at the wire's end of its cable."""


_IP4, _IP6 = "192.0.2.{}", "2001:db8::{}"


@unique
class Family(Enum):
    """Which Internet Protocol a run speaks."""

    IPV4 = 4
    IPV6 = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A host's place on the wire: its addresses, its NIC's, and the NIC's at the wire's end."""

    name: str
    ip4: str
    ip6: str
    mac: str
    wire_mac: str
    wire_index: int

    @property
    def cable(self) -> str:
        """The name of the NIC at the wire's end."""
        return CABLE + self.name

    def ip(self, family: Family) -> str:
        """The host's address."""
        return self.ip4 if family is Family.IPV4 else self.ip6

    def renumbered(self, number: int) -> "Seat":
        """The same place with the addresses of that number."""
        return replace(self, ip4=_IP4.format(number), ip6=_IP6.format(number))


PREFIX = {Family.IPV4: 24, Family.IPV6: 64}
"""192.0.2.0/24 (RFC 5737) and 2001:db8::/64 (RFC 3849)."""


def _seat(name: str, number: int) -> Seat:
    return Seat(
        name=name,
        ip4=_IP4.format(number),
        ip6=_IP6.format(number),
        mac=f"02:00:00:00:00:{number:02d}",
        wire_mac=f"02:00:00:00:ff:{number:02d}",
        wire_index=10 + number,
    )


SEATS = {
    seat.name: seat for seat in (_seat("client", 1), _seat("server", 2), _seat("attacker", 66))
}
