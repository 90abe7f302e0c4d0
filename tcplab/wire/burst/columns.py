"""Many packets that differ in a few fields: copies of one template, and columns over them.

A column is one field of all copies, and is written with one slice assignment for each of its
octets. Checksums come from sums in lanes: one big integer holds a 32-bit lane for each packet, so
one addition adds a field of all of them. Both are as fast as it gets without a dependency: numpy's
import alone takes longer than what it would save.
"""

from struct import unpack


class Columns:
    """Room for `rows` copies of `packet`, one behind the other in `buffer`."""

    __slots__ = ("buffer", "rows", "size")

    def __init__(self, packet: bytes, rows: int) -> None:
        self.size = len(packet)
        self.rows = rows
        self.buffer = bytearray(packet * rows)

    def stamp(self, at: int, column: bytes, width: int) -> None:
        """Write a field of `width` octets, `at` octets into the packet, into the first rows.

        `column` has `width` octets for each row, at most as many rows as there are.
        """
        end = len(column) // width * self.size
        for octet in range(width):
            self.buffer[at + octet : end : self.size] = column[octet::width]

    def all_have(self, at: int, octets: bytes, rows: int) -> bool:
        """Do the first rows all have these octets there?"""
        end = rows * self.size
        return all(
            self.buffer[place : end : self.size].count(octet) == rows
            for place, octet in enumerate(octets, at)
        )

    def packet(self, row: int) -> bytes:
        """One of the copies."""
        return bytes(self.buffer[row * self.size : (row + 1) * self.size])


def word_sum(octets: bytes) -> int:
    """The plain sum of the 16-bit words of an even number of octets."""
    return sum(unpack(f"!{len(octets) // 2}H", octets))


def same(number: int, rows: int) -> int:
    """Lanes that all hold `number`."""
    return int.from_bytes(number.to_bytes(4) * rows)


def lanes(column: bytes, width: int) -> int:
    """Lanes with the sum of each row's 16-bit words. `width` is even: 2 for ports, 4 or 16 for
    addresses.
    """
    total = 0
    spread = bytearray(len(column) // width * 4)
    for word in range(0, width, 2):
        spread[2::4] = column[word::width]
        spread[3::4] = column[word + 1 :: width]
        total += int.from_bytes(spread)
    return total


def folded(sums: int, rows: int) -> int:
    """Lanes of less than 2^32, with the carries added in until 16 bits hold them (RFC 1071)."""
    low = same(0xFFFF, rows)
    sums = (sums & low) + ((sums >> 16) & low)
    return (sums & low) + ((sums >> 16) & low)


def checksums(sums: int, rows: int) -> bytes:
    """The checksum column (two octets a row) of lanes that hold the sum of all other words."""
    octets = (folded(sums, rows) ^ same(0xFFFF, rows)).to_bytes(4 * rows)
    column = bytearray(2 * rows)
    column[0::2] = octets[2::4]
    column[1::2] = octets[3::4]
    return bytes(column)
