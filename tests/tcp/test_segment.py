import pytest

from tcplab.tcp.flags import NONE, from_letters
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import MODULUS, Seq

A, B = Address("192.0.2.1", 40000), Address("2001:db8::1", 80)


def segment(letters, payload=b"", missing=0):
    return Segment(
        src=A,
        dst=B,
        seq=Seq(MODULUS - 1),
        flags=from_letters(letters),
        payload=payload,
        missing_octets=missing,
    )


@pytest.mark.parametrize(
    ("letters", "payload", "missing", "length"),
    [("", b"", 0, 0), ("A", b"abc", 0, 3), ("S", b"", 0, 1), ("SF", b"ab", 3, 7)],
)
def test_seg_len_counts_octets_syn_and_fin(letters, payload, missing, length):
    """§3.4: "SEG.LEN = the number of octets occupied by the data in the segment (counting SYN and
    FIN)"; what was not captured counts too.
    """
    made = segment(letters, payload, missing)
    assert (made.len_octets, made.next_seq) == (length, Seq((MODULUS - 1 + length) % MODULUS))


def test_has_wants_every_flag():
    assert segment("SA").has(from_letters("SA"))
    assert not segment("A").has(from_letters("SA"))
    assert segment("").has(NONE)


def test_address_is_written_so_that_the_port_stands_out():
    assert (str(A), str(B)) == ("192.0.2.1:40000", "[2001:db8::1]:80")
