import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
    build,
    parse,
)
from tcplab.tcp.sequence import Seq

LINUX_SYN = bytes.fromhex("020405b4 0402080a00000007 00000000 01 030307")

SACK = bytes.fromhex("0512 00000001 00000002 fffffffe 00000000")


def test_options_of_a_linux_syn():
    assert parse(LINUX_SYN) == (
        MaximumSegmentSize(1460),
        SackPermitted(),
        Timestamps(7, 0),
        NoOperation(),
        WindowScale(7),
    )


def test_sack_blocks():
    assert parse(SACK) == (Sack(((Seq(1), Seq(2)), (Seq(0xFFFFFFFE), Seq(0)))),)


def test_end_of_list_ends_the_list():
    assert parse(b"\x01\x00\x02\x04\x05\xb4") == (NoOperation(), EndOfList(b"\x02\x04\x05\xb4"))


@pytest.mark.parametrize(
    "octets",
    [b"\x02", b"\x02\x00", b"\x02\x01", b"\x02\x05\x05\xb4", b"\xfe\x00\x00\x00"],
    ids=["no length", "length 0", "length 1", "overrun", "unknown, length 0"],
)
def test_list_that_makes_no_sense_is_kept_as_it_stands(octets):
    assert parse(b"\x01" + octets) == (NoOperation(), Malformed(octets))


@pytest.mark.parametrize(
    "octets",
    [b"\x02\x03\x05", b"\x03\x04\x07\x00", b"\x04\x03\x00", b"\x05\x02", b"\x08\x06abcd"],
    ids=["MSS", "window scale", "SACK-permitted", "SACK without blocks", "timestamps"],
)
def test_known_kind_of_foreign_length_is_unknown(octets):
    assert parse(octets) == (Unknown(octets[0], octets[2:]),)


@pytest.mark.parametrize(("shift", "effective"), [(0, 0), (14, 14), (15, 14), (255, 14)])
def test_window_scale_above_14_counts_as_14(shift, effective):
    """RFC 7323 §2.3: "the TCP implementation MUST use 14 instead of the specified value"."""
    assert WindowScale(shift).effective == effective


@given(st.binary(max_size=40))
@example(LINUX_SYN)
@example(SACK)
@example(b"\x01\x00\x02\x04\x05\xb4")
@example(b"\x01\x02\x00")
def test_whatever_was_parsed_is_built_back(octets):
    assert build(parse(octets)) == octets


@given(
    st.lists(
        st.one_of(
            st.just(NoOperation()),
            st.builds(MaximumSegmentSize, st.integers(0, 0xFFFF)),
            st.builds(WindowScale, st.integers(0, 255)),
            st.just(SackPermitted()),
            st.builds(Timestamps, *[st.integers(0, (1 << 32) - 1)] * 2),
            st.builds(Unknown, st.integers(9, 255), st.binary(max_size=8)),
        ),
        max_size=4,
    ).map(tuple)
)
def test_whatever_was_built_is_parsed_back(options):
    assert parse(build(options)) == options
