"""Segments in the name of a connection's end, by somebody who does not know its numbers."""

import os
from array import array
from collections.abc import Sequence
from random import sample

from tcplab.tcp.flags import Flags
from tcplab.wire.burst.cookies import column_of
from tcplab.wire.burst.forging import Field, forged
from tcplab.wire.burst.layout import ACKNOWLEDGMENT
from tcplab.wire.burst.template import DESTINATION_PORT, SEQUENCE, SOURCE_PORT, Template

_NUMBERS = 2**32


def numbered(
    template: Template, source: int, destination: int, *, seq: int, ack: int
) -> tuple[Field, ...]:
    """The columns of one segment from port `source` to port `destination`, by somebody who knows
    its numbers.
    """
    tcp = template.tcp
    return (
        Field(tcp + SOURCE_PORT, 2, source.to_bytes(2)),
        Field(tcp + DESTINATION_PORT, 2, destination.to_bytes(2)),
        Field(tcp + SEQUENCE, 4, (seq % _NUMBERS).to_bytes(4)),
        Field(tcp + ACKNOWLEDGMENT, 4, (ack % _NUMBERS).to_bytes(4)),
    )


class Guesses:
    """Segments from `source` and one of its `ports` to a port of `destination`.

    Every port gets a first guess, then every port the next one. Sequence numbers begin anywhere and
    step by `step` octets, so that a window as wide as that is not stepped over; acknowledgment
    numbers are random, where the segment has one.
    """

    def __init__(
        self,
        source: str,
        destination: str,
        port: int,
        *,
        ports: Sequence[int],
        step: int,
        flags: Flags,
        payload: bytes = b"",
    ) -> None:
        self.template = forged(source, destination, flags, payload)
        self._port = port
        self._ports = sample(ports, len(ports))
        self._step = step
        self._first = int.from_bytes(os.urandom(4))
        self._acknowledges = Flags.ACK in flags

    def fields(self, first: int, count: int) -> tuple[Field, ...]:
        """The columns of so many of them."""
        ports, many, tcp = self._ports, len(self._ports), self.template.tcp
        numbers = range(first, first + count)
        sequences = b"".join(
            [((self._first + n // many * self._step) % _NUMBERS).to_bytes(4) for n in numbers]
        )
        fields = (
            Field(tcp + SOURCE_PORT, 2, column_of(array("H", [ports[n % many] for n in numbers]))),
            Field(tcp + DESTINATION_PORT, 2, self._port.to_bytes(2) * count),
            Field(tcp + SEQUENCE, 4, sequences),
        )
        if not self._acknowledges:
            return fields
        return (*fields, Field(tcp + ACKNOWLEDGMENT, 4, os.urandom(4 * count)))
