"""Makes text from the network safe to show: no control codes, nothing invisible or reordering.

A payload may hold terminal escape sequences, Rich's markup, bidi overrides that turn a line round,
or bytes that are no text at all. What does not stand for itself is written as a Python escape.
Markup needs no escape here, since nothing in `render` ever parses markup.
"""

from unicodedata import category

from rich.cells import cell_len

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
_TYPOGRAPHY = str.maketrans(
    {
        "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "·": "-", "×": "x", "−": "-",
        "≤": "<=", "≥": ">=", "“": '"', "”": '"', "‘": "'", "’": "'", "±": "+-", "µ": "u",
        "§": "sec. ",
    }
)  # fmt: skip


def harmless(text: str, *, ascii_only: bool = False) -> str:
    """`text` with every character escaped that does not print as itself; spaces become plain."""
    return "".join(_shown(character, ascii_only) for character in text)


def plain(text: str) -> str:
    """A sentence of ours for a terminal without Unicode: typography in 7 bits, letters kept."""
    return text.translate(_TYPOGRAPHY)


def preview(payload: bytes, cells: int, *, ascii_only: bool = False) -> str:
    """The beginning of `payload`, quoted, in at most `cells` terminal cells (not fewer than 6)."""
    ellipsis = "..." if ascii_only else "…"
    room = max(cells, 6) - 2
    cut = payload[: 4 * room + 4]  # no character takes more than 4 octets
    units = [
        "\\\\" if character == "\\" else _shown(character, ascii_only)
        for character in cut.decode("utf-8", errors="surrogateescape")
    ]
    shown = "".join(units)
    if cell_len(shown) > room or len(cut) < len(payload):
        while cell_len(shown := "".join(units)) > room - len(ellipsis):
            units.pop()
        shown += ellipsis
    return f'"{shown}"'


def _shown(character: str, ascii_only: bool) -> str:
    if " " <= character <= "~":
        return character
    if named := _NAMED.get(character):
        return named
    kind = category(character)
    if kind == "Zs":
        return " "
    point = ord(character)
    if 0xDC80 <= point <= 0xDCFF:  # a byte that was no UTF-8: PEP 383
        return _escape(point - 0xDC00)
    # C: control, format, surrogate, private, unassigned. M: marks, which could pile up over our
    # lines. Zl and Zp break lines.
    if ascii_only or kind[0] in "CMZ":
        return _escape(point)
    return character


def _escape(point: int) -> str:
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
