"""Classic BPF programs that choose, inside the kernel, what a capture gets to see."""

import socket
from ctypes import addressof, create_string_buffer
from struct import pack

_SO_ATTACH_FILTER = 26

# Loads are relative to the network header (SKF_NET_OFF) and the protocol is asked of the kernel
# (SKF_AD_PROTOCOL), so a program fits every kind of link (linux/filter.h).
_NETWORK = -0x100000
_PROTOCOL = -0x1000
_LOAD_HALF, _LOAD_BYTE, _LOAD_HALF_INDEXED = 0x28, 0x30, 0x48
_LOAD_HEADER_LENGTH = 0xB1  # BPF_LDX | BPF_B | BPF_MSH: X = 4 × (octet & 15)
_EQUALS, _ANY_BIT, _RETURN = 0x15, 0x45, 0x06
_WHOLE, _NOTHING = 0xFFFFFFFF, 0

_Instruction = tuple[int, int | str, int | str, int]


DISCARD = pack("=HBBI", _RETURN, 0, 0, _NOTHING)
"""Accepts no octet of anything."""


def attach_filter(target: socket.socket, program: bytes) -> None:
    """Attach a program (struct sock_filter, 8 octets an instruction) to a socket."""
    code = create_string_buffer(program, len(program))
    target.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, pack("@HP", len(program) // 8, addressof(code))
    )


def conversation(port: int) -> bytes:
    """TCP segments from or to `port`, and ICMP and ICMPv6 messages; both IP versions, any link.

    IPv6 packets with extension headers pass, too: what they carry is for the decoder to say.
    """
    return _assemble(
        {
            "start": [
                (_LOAD_HALF, 0, 0, _PROTOCOL),
                (_EQUALS, "ip4", 0, 0x0800),
                (_EQUALS, "ip6", "drop", 0x86DD),
            ],
            "ip4": [
                (_LOAD_BYTE, 0, 0, _NETWORK + 9),
                (_EQUALS, "take", 0, 1),
                (_EQUALS, 0, "drop", 6),
                (_LOAD_HALF, 0, 0, _NETWORK + 6),
                (_ANY_BIT, "drop", 0, 0x1FFF),  # a later fragment has no ports
                (_LOAD_HEADER_LENGTH, 0, 0, _NETWORK),
                (_LOAD_HALF_INDEXED, 0, 0, _NETWORK),
                (_EQUALS, "take", 0, port),
                (_LOAD_HALF_INDEXED, 0, 0, _NETWORK + 2),
                (_EQUALS, "take", "drop", port),
            ],
            "ip6": [
                (_LOAD_BYTE, 0, 0, _NETWORK + 6),
                (_EQUALS, "ports6", 0, 6),
                (_EQUALS, "drop", "take", 17),
            ],
            "ports6": [
                (_LOAD_HALF, 0, 0, _NETWORK + 40),
                (_EQUALS, "take", 0, port),
                (_LOAD_HALF, 0, 0, _NETWORK + 42),
                (_EQUALS, "take", "drop", port),
            ],
            "take": [(_RETURN, 0, 0, _WHOLE)],
            "drop": [(_RETURN, 0, 0, _NOTHING)],
        }
    )


def _assemble(blocks: dict[str, list[_Instruction]]) -> bytes:
    """Lay the blocks out in order and turn the labels of jumps into distances."""
    places: dict[str, int] = {}
    at = 0
    for label, instructions in blocks.items():
        places[label] = at
        at += len(instructions)
    program = b""
    at = 0
    for instructions in blocks.values():
        for code, if_true, if_false, value in instructions:
            at += 1
            jumps = (
                places[target] - at if isinstance(target, str) else target
                for target in (if_true, if_false)
            )
            program += pack("=HBBI", code, *jumps, value & 0xFFFFFFFF)
    return program
