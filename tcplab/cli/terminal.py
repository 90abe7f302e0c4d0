"""The terminal, or the pipe, that standard output is."""

import os
import sys
from typing import TYPE_CHECKING, TextIO

from tcplab.render.language import unicode_fits

if TYPE_CHECKING:
    from rich.console import Console

    from tcplab.timeline.encoding import Json

_NARROWEST = 40
"""In fewer columns than these no ladder has its place; the terminal then breaks its lines."""


def plain(stream: TextIO | None = None) -> bool:
    """Can a stream (by default standard output) show ASCII only? Then nothing else is drawn on it.

    A locale that the user set says so too, C or another without UTF-8: Python speaks UTF-8 in C all
    the same, and in a locale that is not installed, and says so in LC_CTYPE (PEP 538).
    """
    encoding = (stream or sys.stdout).encoding
    ctype = os.environ.get("LC_CTYPE", "").removeprefix("C.UTF-8")
    wishes = (os.environ.get("LC_ALL"), ctype, os.environ.get("LANG"))
    locale = next(filter(None, wishes), "")
    codeset = locale.partition("@")[0].partition(".")[2]
    term = os.environ.get("TERM")
    return locale in ("C", "POSIX") or not (
        unicode_fits(encoding, term) and unicode_fits(codeset or encoding, term)
    )


def console(*, no_color: bool) -> "Console":
    """Standard output as rich knows it: no colour in a pipe, with --no-color or with NO_COLOR.

    FORCE_COLOR asks for it in a pipe as well.
    """
    from rich.console import Console

    colourless = no_color or bool(os.environ.get("NO_COLOR"))
    screen = Console(
        file=sys.stdout,
        no_color=colourless,
        color_system=None if colourless else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
    if screen.width < _NARROWEST:
        screen.width = _NARROWEST if screen.width else 80  # 0: a terminal that does not know
    return screen


def print_json(document: "Json") -> None:
    """One object on one line; escaped where standard output cannot carry what a string holds."""
    import json

    line = json.dumps(document, ensure_ascii=False)
    try:
        line.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        line = json.dumps(document)
    print(line)
