"""A TCP segment: what one end tells the other, apart from the frame that carried it."""

from dataclasses import dataclass

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import Option
from tcplab.tcp.sequence import ZERO, Seq


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IP address in its canonical text form, and a port: a "socket" in RFC 9293's words."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment. Names are RFC 9293's: SEG.SEQ is `seq`, SEG.WND is `wnd_octets`, unscaled.

    `checksum_ok` is None where nobody knows: the sender left the sum to a NIC that never saw it,
    or the capture was cut off. `missing_octets` of the payload were on the wire but not captured.
    """

    src: Address
    dst: Address
    seq: Seq
    ack: Seq = ZERO
    flags: Flags
    wnd_octets: int = 0
    urgent: int = 0
    options: tuple[Option, ...] = ()
    payload: bytes = b""
    missing_octets: int = 0
    checksum_ok: bool | None = None

    @property
    def data_octets(self) -> int:
        """How much payload the segment carried."""
        return len(self.payload) + self.missing_octets

    @property
    def len_octets(self) -> int:
        """SEG.LEN: the payload, and one number each for SYN and FIN (RFC 9293 §3.4)."""
        return self.data_octets + bool(self.flags & Flags.SYN) + bool(self.flags & Flags.FIN)

    @property
    def next_seq(self) -> Seq:
        """The sequence number after this segment, which an acknowledgment of all of it names."""
        return self.seq + self.len_octets

    def has(self, flags: Flags) -> bool:
        """Are all of these bits set?"""
        return self.flags & flags == flags
