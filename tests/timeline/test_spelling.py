import pytest

from tcplab.tcp.options import (
    EndOfList,
    Malformed,
    MaximumSegmentSize,
    NoOperation,
    Sack,
    SackPermitted,
    Timestamps,
    Unknown,
    WindowScale,
)
from tcplab.tcp.sequence import Seq
from tcplab.timeline.spelling import spell, unspell

SPELLED = [
    (MaximumSegmentSize(1460), ["MSS", 1460]),
    (SackPermitted(), ["SAckOK", ""]),
    (WindowScale(10), ["WScale", 10]),
    (Timestamps(7, 0), ["Timestamp", [7, 0]]),
    (NoOperation(), ["NOP", ""]),
    (EndOfList(b"\0\1"), ["EOL", "0001"]),
    (Sack(((Seq(1), Seq(5)), (Seq(9), Seq(4294967295)))), ["SAck", [1, 5, 9, 4294967295]]),
    (Unknown(34, b"\xab\xcd"), [34, "abcd"]),
    (Malformed(b"\x02\x09"), ["Malformed", "0209"]),
]


@pytest.mark.parametrize(("option", "pair"), SPELLED)
def test_options_are_spelled_as_scapy_does(option, pair):
    assert spell((option,)) == [pair]


@pytest.mark.parametrize(("option", "pair"), SPELLED)
def test_spelled_options_are_read_back(option, pair):
    assert unspell([pair]) == (option,)


@pytest.mark.parametrize(
    "pair",
    [
        ["MSS", 65536],
        ["MSS", True],
        ["WScale", 256],
        ["SAck", [1, 2, 3]],
        ["SAck", ["1", "2"]],
        ["Timestamp", [1]],
        ["Timestamp", [1, 1 << 32]],
        [256, ""],
        [1.5, ""],
        ["NOP", 1],
        ["EOL", "x"],
        ["Cookie", ""],
        [],
        "MSS",
        None,
    ],
)
def test_anything_else_is_no_option(pair):
    with pytest.raises(ValueError):
        unspell([pair])
