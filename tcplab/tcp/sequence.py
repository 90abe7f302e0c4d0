"""Sequence numbers: the integers modulo 2^32, on which `<` means something else.

"It is essential to remember that the actual sequence number space is finite, though large"
(RFC 9293 §3.4). A number is before another one if the shorter way round the circle leads forward
from it. `Seq` is not an `int`, so that no code can compare or subtract two of them by accident.
"""

from dataclasses import dataclass

MODULUS = 1 << 32
_HALF = 1 << 31


@dataclass(frozen=True, slots=True)
class Seq:
    """One sequence number, 0 … 2^32 - 1.

    `seq + n` steps forward over the wrap. `seq - other` is the signed way from `other` to `seq`,
    -2^31 … 2^31 - 1 octets. `<` and its kin follow the shorter way round, as the kernel's
    `before()` does (include/net/tcp.h); they order any two numbers less than 2^31 apart.
    """

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value < MODULUS:
            raise ValueError(f"a sequence number is 0 … 2^32 - 1, not {self.value}")

    def __add__(self, octets: int) -> "Seq":
        return Seq((self.value + octets) % MODULUS)

    def __sub__(self, other: "Seq") -> int:
        return (self.value - other.value + _HALF) % MODULUS - _HALF

    def __lt__(self, other: "Seq") -> bool:
        return self - other < 0

    def __le__(self, other: "Seq") -> bool:
        return self - other <= 0

    def __gt__(self, other: "Seq") -> bool:
        return self - other > 0

    def __ge__(self, other: "Seq") -> bool:
        return self - other >= 0

    def __int__(self) -> int:
        return self.value

    def since(self, origin: "Seq") -> int:
        """How many octets lie behind `origin` (0 … 2^32 - 1): the relative sequence number."""
        return (self.value - origin.value) % MODULUS

    def within(self, start: "Seq", octets: int) -> bool:
        """Is this one of the `octets` numbers from `start` on: start =< self < start + octets?"""
        return self.since(start) < octets


ZERO = Seq(0)
