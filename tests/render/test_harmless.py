"""Text from the network, made safe to show."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tcplab.render.harmless import harmless, plain, preview


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\r\n\tb\0", "a\\r\\n\\tb\\0"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("e\u0301", "e\\u0301"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("line\u2028break", "line\\u2028break"),
        ("wide\u3000space", "wide space"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("한국어 ✔ →", "한국어 ✔ →"),
    ],
)
def test_what_does_not_stand_for_itself_is_escaped(text, shown):
    assert harmless(text) == shown


def test_ascii_escapes_letters_too():
    assert harmless("é한", ascii_only=True) == "\\xe9\\ud55c"


def test_plain_names_a_section():
    assert plain("RFC 9293 §3.10.7.4") == "RFC 9293 sec. 3.10.7.4"


def test_plain_keeps_letters_and_replaces_typography():
    assert plain("상태 → “x” …") == '상태 -> "x" ...'


@pytest.mark.parametrize(
    ("payload", "cells", "shown"),
    [
        (b"hello", 20, '"hello"'),
        (b"12345678", 10, '"12345678"'),
        (b"123456789", 10, '"1234567…"'),
        ("한국어 네트워크".encode(), 12, '"한국어 네…"'),
        (b"\\n\n", 20, '"\\\\n\\n"'),
        (b"\xff\xfe", 20, '"\\xff\\xfe"'),
        (b"\x1b\x1b\x1b\x1b", 12, '"\\x1b\\x1b…"'),
    ],
)
def test_preview(payload, cells, shown):
    assert preview(payload, cells) == shown


@given(payload=st.binary(max_size=200), cells=st.integers(6, 60), ascii_only=st.booleans())
def test_preview_of_any_bytes_fits_and_is_printable(payload, cells, ascii_only):
    shown = preview(payload, cells, ascii_only=ascii_only)
    assert cell_len(shown) <= cells
    assert not ascii_only or shown.isascii()
    assert all(unicodedata.category(each)[0] not in "CM" for each in shown)


@given(text=st.text(max_size=100))
def test_harmless_of_any_text_is_one_printable_line(text):
    shown = harmless(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e]", shown)
    assert harmless(shown) == shown
