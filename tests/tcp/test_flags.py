import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.tcp.flags import NONE, Flags, from_letters


@pytest.mark.parametrize(
    ("flags", "letters", "written", "dotted"),
    [
        (NONE, "", "[none]", "········"),
        (Flags.SYN | Flags.ACK, "SA", "[SYN, ACK]", "···A··S·"),
        (Flags.FIN | Flags.PSH | Flags.ACK, "FPA", "[FIN, PSH, ACK]", "···AP··F"),
        (
            Flags(0xFF),
            "FSRPAUEC",
            "[FIN, SYN, RST, PSH, ACK, URG, ECE, CWR]",
            "CEUAPRSF",
        ),
    ],
)
def test_three_written_forms(flags, letters, written, dotted):
    assert (flags.letters, flags.written, flags.dotted) == (letters, written, dotted)


@given(st.integers(0, 255))
def test_letters_are_read_back(bits):
    assert from_letters(Flags(bits).letters) == Flags(bits)


def test_unknown_letter_is_refused():
    with pytest.raises(ValueError):
        from_letters("SX")
