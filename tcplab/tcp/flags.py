"""The control bits of a TCP header (RFC 9293 §3.1), in their three written forms."""

from enum import IntFlag


class Flags(IntFlag):
    """The control bits, low bit first, as they lie in octet 13 of the header."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10
    URG = 0x20
    ECE = 0x40
    CWR = 0x80

    @property
    def letters(self) -> str:
        """For machines and for Scapy: `SA`, `FPA`, in the order FSRPAUEC."""
        return "".join(letter for bit, letter in enumerate("FSRPAUEC") if self >> bit & 1)

    @property
    def written(self) -> str:
        """For prose and ladders, as Wireshark writes them: `[SYN, ACK]`, `[none]` for no bit."""
        names = (name for bit, name in enumerate(_NAMES) if self >> bit & 1)
        return f"[{', '.join(names) or 'none'}]"

    @property
    def dotted(self) -> str:
        """For tables, as Wireshark writes them: `CEUAPRSF` with a dot for each bit not set."""
        return "".join("CEUAPRSF"[7 - bit] if self >> bit & 1 else "·" for bit in range(7, -1, -1))


_NAMES = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
NONE = Flags(0)


def from_letters(letters: str) -> Flags:
    """The inverse of `Flags.letters`, in any order. Raises ValueError for an unknown letter."""
    flags = NONE
    for letter in letters:
        flags |= Flags(1 << "FSRPAUEC".index(letter))
    return flags
