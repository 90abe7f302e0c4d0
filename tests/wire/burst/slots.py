"""A piece of ring as the kernel would have filled it."""

import mmap
from dataclasses import dataclass
from struct import pack_into

from tcplab.wire.burst.ring import PACKET, PACKET_TYPE, SLOT, SNAP, Run

USER = 1
INCOMING = 0


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One packet. By default its checksum was filled in and nobody has looked at it."""

    packet: bytes
    status: int = USER
    kind: int = INCOMING
    at_ns: int = 10**18


def run_of(*slots: Slot) -> Run:
    """These packets, one behind the other; whatever was there before shows behind short ones."""
    octets = mmap.mmap(-1, len(slots) * SLOT)
    octets[:] = b"\xee" * len(octets)
    for row, slot in enumerate(slots):
        begin = row * SLOT
        length, captured = len(slot.packet), min(len(slot.packet), SNAP)
        pack_into(
            "=IIIHHII", octets, begin,
            slot.status, length, captured, PACKET, PACKET, *divmod(slot.at_ns, 10**9),
        )  # fmt: skip
        octets[begin + PACKET_TYPE] = slot.kind
        octets[begin + PACKET : begin + PACKET + captured] = slot.packet[:captured]
    return Run(octets, 0, len(slots))
