"""On which line of a TOML document something stands.

tomllib tells no positions, and it remains the only parser: a document is taken apart into its
statements by parsing ever more of its lines, which costs something, and only after a mistake.
"""

import tomllib
from bisect import bisect_left
from typing import Any

from tcplab.scenario.mistake import Path

_MOST_CHARACTERS = 2_000_000
"""Parsed at most in search of the ends of statements, two seconds' worth. What is left after that
(an array or a text of thousands of lines) counts as one statement.
"""


def line_of(text: str, path: Path) -> int:
    """The number of the line on which what is at `path` is written.

    For a table it is that of its header, and in an array of several lines that of the element. A
    path that goes further than the document counts as far as that goes. `text` is valid TOML.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    path = _as_far_as_it_goes(tomllib.loads(text), path)
    if not path:
        return 1
    ends = _ends(lines)
    last = bisect_left(ends, True, key=lambda end: _has(_parsed(lines[:end]), path))
    first = ends[last - 1] if last else 0
    return first + _line_within(lines[first : ends[last]], path)


def _ends(lines: list[str]) -> list[int]:
    """After how many lines a statement ends, for each; a blank line is one, too.

    Every statement of a valid document is a valid document.
    """
    ends: list[int] = []
    first, left = 0, _MOST_CHARACTERS
    while first < len(lines):
        end = first + 1
        size = len(lines[first])
        left -= size
        while end < len(lines) and (left < 0 or _parsed(lines[first:end]) is None):
            size += len(lines[end])
            left -= size
            end += 1
        ends.append(end)
        first = end
    return ends


def _line_within(statement: list[str], path: Path) -> int:
    """Which of a statement's lines it is, counted from 1.

    An array that is cut after a line and closed there has only the elements up to that line.
    """
    whole = _parsed(statement)
    own = next((path[skip:] for skip in range(len(path)) if _has(whole, path[skip:])), None)
    if own is None:
        return 1
    left = _MOST_CHARACTERS
    for count in range(1, len(statement)):
        left -= sum(map(len, statement[:count]))
        if left < 0:
            break
        cut = _parsed([*statement[:count], "]"])
        if _has(cut, own):
            return count
    return 1


def _parsed(lines: list[str]) -> dict[str, Any] | None:
    """These lines as a document; None if they are none."""
    try:
        return tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None


def _has(document: dict[str, Any] | None, path: Path) -> bool:
    return document is not None and len(_as_far_as_it_goes(document, path)) == len(path)


def _as_far_as_it_goes(document: dict[str, Any], path: Path) -> Path:
    here: Any = document
    for depth, step in enumerate(path):
        if isinstance(here, list):
            known = isinstance(step, int) and step < len(here)
        else:
            known = isinstance(here, dict) and step in here
        if not known:
            return path[:depth]
        here = here[step]
    return path
