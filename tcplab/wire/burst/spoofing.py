"""SYNs from addresses that nobody has: the columns of a SYN flood (RFC 4987 §2)."""

import os
import socket
import sys
from array import array
from random import sample

from tcplab.wire.burst.cookies import column_of
from tcplab.wire.burst.forging import Field
from tcplab.wire.burst.template import DESTINATION_PORT, SEQUENCE, SOURCE_PORT, Template, syn

_MOST_ADDRESSES = 4096
_FIRST_PORT, _PORTS = 1024, 64512
_STRIDE = 7919
"""From one port of an address to its next: no two of its SYNs have the same."""


class SpoofedSyns:
    """SYNs to a port of `destination`, each from another address and port of the `blocks`.

    Blocks are written "198.51.100.0/24", of the destination's family, whole octets long. The first
    and the last address of a block are left out.
    """

    def __init__(self, blocks: tuple[str, ...], destination: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        nobody = "::" if family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - binds no socket
        self.template: Template = syn(nobody, destination)
        self._port = port
        self._addresses = [each for block in blocks for each in _hosts(block, family)]
        self._starts = array("H", os.urandom(2 * len(self._addresses)))

    def fields(self, first: int, count: int) -> tuple[Field, ...]:
        """The columns of so many of them."""
        addresses, starts, many = self._addresses, self._starts, len(self._addresses)
        numbers = range(first, first + count)
        ports = array(
            "H",
            [_FIRST_PORT + (starts[n % many] + n // many * _STRIDE) % _PORTS for n in numbers],
        )
        tcp, size = self.template.tcp, len(addresses[0])
        return (
            Field(self.template.addresses, size, b"".join([addresses[n % many] for n in numbers])),
            Field(tcp + SOURCE_PORT, 2, column_of(ports)),
            Field(tcp + DESTINATION_PORT, 2, self._port.to_bytes(2) * count),
            Field(tcp + SEQUENCE, 4, os.urandom(4 * count)),
        )


def _hosts(block: str, family: socket.AddressFamily) -> list[bytes]:
    """Addresses of the block, at random, but no more than are of use."""
    first, _, bits = block.partition("/")
    octets = socket.inet_pton(family, first)
    fixed, free = octets[: int(bits) // 8], len(octets) - int(bits) // 8
    last = min(256**free - 1, sys.maxsize)
    numbers = sample(range(1, last), min(last - 1, _MOST_ADDRESSES))
    return [fixed + number.to_bytes(free) for number in numbers]
