"""How TCP options are spelled for machines: Scapy's names, and hex for what has none.

`unspell(spell(options)) == options` for every option, the broken ones included, so a saved timeline
loses nothing.
"""

from collections.abc import Sequence
from itertools import chain

from tcplab.tcp.options import (
    EndOfList,
    Malformed,
    MaximumSegmentSize,
    NoOperation,
    Option,
    Sack,
    SackPermitted,
    Timestamps,
    Unknown,
    WindowScale,
)
from tcplab.tcp.sequence import Seq

Value = str | int | list[int]
Spelled = list[list[Value]]
"""A list of [name, value] pairs: `[["MSS", 1460], ["SAckOK", ""], ["WScale", 10]]`."""


def spell(options: Sequence[Option]) -> Spelled:
    """The options as [name, value] pairs; an unknown one is [its kind, its data in hex]."""
    return [_pair(option) for option in options]


def _pair(option: Option) -> list[Value]:
    match option:
        case EndOfList(padding):
            return ["EOL", padding.hex()]
        case NoOperation():
            return ["NOP", ""]
        case MaximumSegmentSize(octets):
            return ["MSS", octets]
        case WindowScale(shift):
            return ["WScale", shift]
        case SackPermitted():
            return ["SAckOK", ""]
        case Sack(blocks):
            return ["SAck", [int(edge) for edge in chain.from_iterable(blocks)]]
        case Timestamps(value, echo):
            return ["Timestamp", [value, echo]]
        case Unknown(kind, data):
            return [kind, data.hex()]
        case Malformed(octets):
            return ["Malformed", octets.hex()]


def unspell(spelled: Sequence[Sequence[Value]]) -> tuple[Option, ...]:
    """The inverse of `spell`. Raises ValueError for anything that `spell` does not write."""
    return tuple(_option(pair) for pair in spelled)


def _option(pair: Sequence[Value]) -> Option:
    match pair:
        case ["EOL", str(padding)]:
            return EndOfList(bytes.fromhex(padding))
        case ["NOP", ""]:
            return NoOperation()
        case ["MSS", int(octets)]:
            return MaximumSegmentSize(_at_most(0xFFFF, octets))
        case ["WScale", int(shift)]:
            return WindowScale(_at_most(0xFF, shift))
        case ["SAckOK", ""]:
            return SackPermitted()
        case ["SAck", [*edges]]:
            ends = [Seq(_at_most(0xFFFF_FFFF, edge)) for edge in edges]
            return Sack(tuple(zip(ends[::2], ends[1::2], strict=True)))
        case ["Timestamp", [value, echo]]:
            return Timestamps(_at_most(0xFFFF_FFFF, value), _at_most(0xFFFF_FFFF, echo))
        case [int(kind), str(data)]:
            return Unknown(_at_most(0xFF, kind), bytes.fromhex(data))
        case ["Malformed", str(octets)]:
            return Malformed(bytes.fromhex(octets))
        case _:
            raise ValueError(f"no TCP option is written {pair!r}")


def _at_most(limit: int, number: object) -> int:
    if type(number) is not int or not 0 <= number <= limit:
        raise ValueError(f"{number!r} is not a number from 0 to {limit}")
    return number
