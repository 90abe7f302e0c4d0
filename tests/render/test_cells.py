"""Words measured in cells."""

from hypothesis import given
from hypothesis import strategies as st

from tcplab.render.cells import cell_len, centred, cropped, flowed, flush_left, flush_right, wrapped

WORDS = st.text(alphabet="ab 한국→é", max_size=60)


def test_korean_counts_double():
    assert flush_left("상태", 6) == "상태  "
    assert flush_right("상태", 6) == "  상태"
    assert centred("상태", 8) == "  상태  "
    assert cropped("관찰한 상태", 8, "…") == "관찰한…"


def test_wrapping_breaks_at_spaces():
    assert wrapped("the quick brown fox", 10) == ["the quick", "brown fox"]


def test_wrapping_breaks_a_word_that_fits_no_line():
    assert wrapped("2001:db8::ffff x", 6) == ["2001:d", "b8::ff", "ff x"]


def test_no_line_begins_with_an_arrow():
    assert wrapped("LISTEN → CLOSED", 9) == ["LISTEN →", "CLOSED"]


def test_parts_stay_whole():
    assert flowed(("ISN 1", "MSS 1460", "WS 10"), 9) == ["ISN 1", "MSS 1460", "WS 10"]


def test_part_wider_than_a_line_breaks_at_its_spaces():
    assert flowed(("absolute seq 1", "ack"), 9) == ["absolute", "seq 1 ack"]


@given(words=WORDS, cells=st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing(words, cells):
    lines = wrapped(words, cells)
    assert all(cell_len(line) <= cells for line in lines)
    assert "".join("".join(lines).split()) == "".join(words.split())


@given(words=WORDS, cells=st.integers(0, 40))
def test_flush_is_exact(words, cells):
    assert cell_len(flush_left(words, cells)) == cells
    assert cell_len(flush_right(words, cells)) == cells
    assert cell_len(centred(words, cells)) == cells
