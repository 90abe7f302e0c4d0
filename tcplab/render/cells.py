"""Words in terminal cells: a Korean syllable takes two, so `len` never measures anything here."""

from collections.abc import Iterable

from rich.cells import cell_len, chop_cells, set_cell_size

__all__ = [
    "cell_len",
    "centred",
    "cropped",
    "flowed",
    "flush_left",
    "flush_right",
    "listed",
    "wrapped",
]

_CLINGING = frozenset({"→", "->", "ms", "s"})


def flush_left(words: str, cells: int) -> str:
    """Exactly `cells` wide: padded or cut on the right."""
    return set_cell_size(words, cells)


def flush_right(words: str, cells: int) -> str:
    """Exactly `cells` wide: padded on the left, or cut on the right."""
    return " " * (cells - cell_len(words)) + set_cell_size(words, min(cells, cell_len(words)))


def centred(words: str, cells: int) -> str:
    """Exactly `cells` wide, with the words in the middle."""
    before = max(0, (cells - cell_len(words)) // 2)
    return set_cell_size(" " * before + words, cells)


def cropped(words: str, cells: int, ellipsis: str) -> str:
    """At most `cells` wide; what was cut off is marked by the ellipsis."""
    if cell_len(words) <= cells:
        return words
    return set_cell_size(words, max(0, cells - cell_len(ellipsis))).rstrip() + ellipsis


def wrapped(words: str, cells: int) -> list[str]:
    """Lines of at most `cells`, broken at spaces, and inside a word only where it fits no line.

    No line begins with an arrow, which would point from nowhere, or with a unit.
    """
    parts: list[str] = []
    for word in words.split():
        if word in _CLINGING and parts:
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return flowed(parts, cells)


def flowed(parts: Iterable[str], cells: int) -> list[str]:
    """As `wrapped`, of parts that stay whole if they can ("MSS 1460")."""
    pieces: list[str] = []
    for part in parts:
        pieces += [part] if cell_len(part) <= cells else part.split()
    lines: list[str] = []
    line = ""
    for part in pieces:
        longer = f"{line} {part}" if line else part
        if cell_len(longer) <= cells:
            line = longer
            continue
        if line:
            lines.append(line)
        *whole, line = chop_cells(part, cells)
        lines.extend(whole)
    return [*lines, line] if line else lines


def listed(parts: Iterable[str], cells: int) -> list[str]:
    """The parts with commas between those that share a line of at most `cells`."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(lines[-1]) + 2 + cell_len(part) <= cells:
            lines[-1] += f", {part}"
        else:
            lines += wrapped(part, cells)
    return lines
