"""Standard output for a command that cannot wait for rich to be imported."""

import os
import sys
from collections.abc import Iterable
from itertools import islice

from tcplab.render.page import Line, bare, coloured

_NARROWEST, _USUAL = 40, 80
_AT_ONCE = 4096
"""Lines that are written together."""


def width() -> int:
    """The columns that there are, as rich counts them: COLUMNS, else those of the terminal."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return max(int(columns), _NARROWEST)
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None and (found := os.get_terminal_size(stream.fileno()).columns):
                return max(found, _NARROWEST)
        except (OSError, ValueError):
            continue
    return _USUAL


def paints(*, no_color: bool) -> bool:
    """Are colours wanted? Not in a pipe unless FORCE_COLOR asks; never with NO_COLOR."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM", "").lower() not in ("", "dumb", "unknown")


def show(lines: Iterable[Line], *, colour: bool) -> None:
    """Write the lines, some thousands at a time."""
    written = map(coloured if colour else bare, lines)
    while some := [*islice(written, _AT_ONCE)]:
        print("\n".join(some))
