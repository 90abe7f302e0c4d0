"""Sequence numbers that need no memory: whoever answers a probe quotes what only a hearer knows.

As with a server's SYN cookies (RFC 4987 §3.6), the number is a keyed function of what is asked. One
extendable-output function over a fresh key gives the numbers of all ports at once.
"""

import os
import sys
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tcplab.analysis.scanning.census import PORTS

if TYPE_CHECKING:
    shake_128: Callable[[bytes], Any]
else:
    try:
        # hashlib would load OpenSSL, which takes longer than all the hashing.
        from _sha3 import shake_128
    except ImportError:
        from hashlib import shake_128

_KEY_OCTETS = 16
_BUT_TOP, _TOP, _ONE = 0x7FFFFFFF, 0x80000000, 0x00000001


class Cookies:
    """A sequence number for each port, and the acknowledgment number that answers it.

    `column` has four octets a port as they stand in a segment. `sequences` and `acknowledgments`
    are arrays of those octets taken as native integers: equal where the octets are.
    """

    __slots__ = ("acknowledgments", "column", "sequences")

    def __init__(self, context: bytes, key: bytes | None = None) -> None:
        """`context` is what the scan is of: its addresses and source ports."""
        key = os.urandom(_KEY_OCTETS) if key is None else key
        self.column: bytes = shake_128(key + context).digest(4 * PORTS)
        self.sequences = array("I", self.column)
        self.acknowledgments = array("I", _plus_one(self.column))

    def of(self, port: int) -> int:
        """The sequence number of the probe to that port."""
        return int.from_bytes(self.column[4 * port : 4 * port + 4])


def _plus_one(column: bytes) -> bytes:
    """Every 32-bit number of the column plus one modulo 2^32, in one sum.

    The top bit is added by exclusive or, so that nothing is carried into the next number.
    """
    numbers = int.from_bytes(column)
    count = len(column) // 4
    low, high, one = (_repeated(word, count) for word in (_BUT_TOP, _TOP, _ONE))
    return (((numbers & low) + one) ^ (numbers & high)).to_bytes(len(column))


def _repeated(word: int, count: int) -> int:
    return int.from_bytes(word.to_bytes(4) * count)


def ports_of(column: bytes) -> "array[int]":
    """A column of two octets a row, in network order, as numbers."""
    ports = array("H", column)
    if sys.byteorder == "little":
        ports.byteswap()
    return ports


def column_of(ports: "array[int]") -> bytes:
    """An array("H") of numbers as a column of two octets a row, in network order."""
    if sys.byteorder == "little":
        ports = ports[:]
        ports.byteswap()
    return ports.tobytes()
