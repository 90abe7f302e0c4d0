"""Blocks of addresses, and those of them that are nobody's."""

from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The addresses whose first `bits` are those of `first`; with `hosts_only` not the two of an
    IPv4 network that are no host's (RFC 1122 §3.2.1.3).
    """

    first: bytes
    bits: int
    hosts_only: bool = False

    @classmethod
    def of(cls, written: str, *, hosts_only: bool = False) -> "Block":
        """As "192.0.2.0/24" says."""
        first, _, bits = written.partition("/")
        octets = inet_pton(AF_INET6 if ":" in first else AF_INET, first)
        return cls(first=octets, bits=int(bits), hosts_only=hosts_only)

    def has(self, address: str) -> bool:
        """Is it one of them? What is no address is not."""
        try:
            octets = inet_pton(AF_INET6 if ":" in address else AF_INET, address)
        except OSError:
            return False
        if len(octets) != len(self.first):
            return False
        free = 8 * len(octets) - self.bits
        number = int.from_bytes(octets)
        if number >> free != int.from_bytes(self.first) >> free:
            return False
        rest = number & (1 << free) - 1
        return not (self.hosts_only and len(octets) == 4 and rest in (0, (1 << free) - 1))

    def is_documentation(self) -> bool:
        """Is all of it set aside for documentation, and so nobody's anywhere?"""
        first = inet_ntop(AF_INET6 if len(self.first) == 16 else AF_INET, self.first)
        return any(each.has(first) and self.bits >= each.bits for each in _DOCUMENTATION)


_DOCUMENTATION = tuple(
    map(Block.of, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
"""RFC 5737 and RFC 3849."""
LINK_GROUPS = tuple(map(Block.of, ("224.0.0.0/24", "ff02::/16")))
"""What hosts say to all on their link, which no router forwards (RFC 5771, RFC 4291)."""
