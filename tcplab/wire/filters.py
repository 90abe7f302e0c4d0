"""Classic BPF programs that choose, inside the kernel, what a capture gets to see."""

import socket
from collections.abc import Collection, Iterator
from ctypes import addressof, create_string_buffer
from struct import pack

_SO_ATTACH_FILTER = 26

# Loads are relative to the network header (SKF_NET_OFF) and the protocol is asked of the kernel
# (SKF_AD_PROTOCOL), so a program fits every kind of link (linux/filter.h).
_NETWORK = -0x100000
_PROTOCOL = -0x1000
_LOAD_HALF, _LOAD_BYTE, _LOAD_HALF_INDEXED = 0x28, 0x30, 0x48
_LOAD_WORD, _LOAD_BYTE_INDEXED, _AND = 0x20, 0x50, 0x54
_LOAD_HEADER_LENGTH = 0xB1  # BPF_LDX | BPF_B | BPF_MSH: X = 4 × (octet & 15)
_EQUALS, _ANY_BIT, _RETURN = 0x15, 0x45, 0x06
_ABOVE, _AT_LEAST = 0x25, 0x35
_WHOLE, _NOTHING = 0xFFFFFFFF, 0
_LONGEST_PROGRAM = 4096  # BPF_MAXINSNS
EVERY_PORT = 1 << 16
"""The block of all ports, from 0 on."""

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


def segments_to(ports: Collection[int]) -> bytes:
    """TCP segments to any of these ports; both IP versions, any link.

    Later fragments do not pass, nor do IPv6 packets with extension headers. Raises ValueError for
    more separate runs of ports than a program may be long (some 1300).
    """
    program = _assemble(
        {
            "start": [
                (_LOAD_HALF, 0, 0, _PROTOCOL),
                (_EQUALS, "ip4", 0, 0x0800),
                (_EQUALS, "ip6", "drop", 0x86DD),
            ],
            "ip4": [
                (_LOAD_BYTE, 0, 0, _NETWORK + 9),
                (_EQUALS, 0, "drop", 6),
                (_LOAD_HALF, 0, 0, _NETWORK + 6),
                (_ANY_BIT, "drop", 0, 0x1FFF),  # a later fragment has no ports
                (_LOAD_HEADER_LENGTH, 0, 0, _NETWORK),
                (_LOAD_HALF_INDEXED, 0, 0, _NETWORK + 2),
                (_AT_LEAST, "ports", "ports", 0),
            ],
            "ip6": [
                (_LOAD_BYTE, 0, 0, _NETWORK + 6),
                (_EQUALS, 0, "drop", 6),
                (_LOAD_HALF, 0, 0, _NETWORK + 42),
                (_AT_LEAST, "ports", "ports", 0),
            ],
            "drop": [(_RETURN, 0, 0, _NOTHING)],
            # Each run of ports decides for itself: a jump reaches 255 instructions, and no more.
            "ports": [
                instruction
                for first, last in _runs(ports)
                for instruction in (
                    (_AT_LEAST, 0, 2, first),
                    (_ABOVE, 1, 0, last),
                    (_RETURN, 0, 0, _WHOLE),
                )
            ],
            "others": [(_RETURN, 0, 0, _NOTHING)],
        }
    )
    if len(program) // 8 > _LONGEST_PROGRAM:
        raise ValueError(f"a filter of more than {_LONGEST_PROGRAM} instructions")
    return program


def _runs(ports: Collection[int]) -> Iterator[tuple[int, int]]:
    """The (first, last) of each run of neighbours among these ports, in order."""
    wanted = set(ports)
    for port in sorted(wanted):
        if port - 1 not in wanted:
            first = port
        if port + 1 not in wanted:
            yield first, port


def scan(
    *, source: bytes, destination: bytes, first_port: int, ports: int, probes: bool = False
) -> bytes:
    """What answers probes from `source` to `destination`, addresses of one IP version; their source
    ports are a block of `ports`, a power of two, from its multiple `first_port` on.

    That is segments with a whole TCP header from there to the block, and destination unreachable
    (ICMP type 3, ICMPv6 1) from anybody to `source`. With `probes` what the block sends there
    passes, too. So do IPv6 packets with extension headers: what they carry the decoder has to say.
    """
    four = len(source) == 4
    sender, receiver = (12, 16) if four else (8, 24)
    tcp = 0 if four else 40
    half, byte = (_LOAD_HALF_INDEXED, _LOAD_BYTE_INDEXED) if four else (_LOAD_HALF, _LOAD_BYTE)
    others = "probe" if probes else "drop"

    def in_block(at: int, otherwise: str) -> list[_Instruction]:
        return [
            (half, 0, 0, _NETWORK + tcp + at),
            (_AND, 0, 0, 0xFFFF & -ports),
            (_EQUALS, "take", otherwise, first_port),
        ]

    return _assemble(
        {
            "start": [(_LOAD_HALF, 0, 0, _PROTOCOL), *(_SCAN_IP4 if four else _SCAN_IP6)],
            "answer": [
                *_is_address(sender, destination, others),
                *_is_address(receiver, source, others),
                (byte, 0, 0, _NETWORK + tcp + 19),  # a packet that ends before it is dropped
                *in_block(2, others),
            ],
            "probe": [
                *_is_address(sender, source, "drop"),
                *_is_address(receiver, destination, "drop"),
                *in_block(0, "drop"),
            ],
            "icmp": [
                (byte, 0, 0, _NETWORK + tcp),
                (_EQUALS, "ours", "drop", 3 if four else 1),
            ],
            "ours": [
                *_is_address(receiver, source, "drop"),
            ],
            "take": [(_RETURN, 0, 0, _WHOLE)],
            "drop": [(_RETURN, 0, 0, _NOTHING)],
        }
    )


_SCAN_IP4: list[_Instruction] = [
    (_EQUALS, 0, "drop", 0x0800),
    (_LOAD_HALF, 0, 0, _NETWORK + 6),
    (_ANY_BIT, "drop", 0, 0x3FFF),  # neither probes nor answers are fragments
    (_LOAD_HEADER_LENGTH, 0, 0, _NETWORK),
    (_LOAD_BYTE, 0, 0, _NETWORK + 9),
    (_EQUALS, "icmp", 0, 1),
    (_EQUALS, "answer", "drop", 6),
]
_SCAN_IP6: list[_Instruction] = [
    (_EQUALS, 0, "drop", 0x86DD),
    (_LOAD_BYTE, 0, 0, _NETWORK + 6),
    (_EQUALS, "answer", 0, 6),
    (_EQUALS, "icmp", 0, 58),
    (_EQUALS, "ours", 0, 0),  # hop-by-hop, routing, destination options
    (_EQUALS, "ours", 0, 43),
    (_EQUALS, "ours", "drop", 60),
]


def _is_address(at: int, address: bytes, otherwise: str) -> list[_Instruction]:
    """Go on if the address there is this one."""
    return [
        instruction
        for word in range(0, len(address), 4)
        for instruction in (
            (_LOAD_WORD, 0, 0, _NETWORK + at + word),
            (_EQUALS, 0, otherwise, int.from_bytes(address[word : word + 4])),
        )
    ]


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
