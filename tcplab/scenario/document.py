"""A scenario file as a TOML document: taken from the disk with care, and parsed."""

import os
import re
import stat
import tomllib
from typing import Any

from tcplab.errors import UsageError
from tcplab.scenario.mistake import ScenarioError
from tcplab.text import Text, verbatim

LARGEST_OCTETS = 256 * 1024
_MOST_DOTS = 256
"""In one line. tomllib's memory grows with the square of the dots in a key: 120,000 take 57 GB."""
_SEE_ONE = Text("tcplab run three-way --show prints a file that is right.")


def text_of(path: str) -> str:
    """What stands in the file.

    Raises UsageError for a file that cannot be read, is no regular one or is too large, and
    ScenarioError with the line for one that is not UTF-8.
    """
    octets = _octets(path)
    try:
        return octets.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as wrong:
        raise ScenarioError(
            Text("This is not UTF-8."),
            remedy=Text("Save the file as UTF-8."),
            source=path,
            line=octets.count(b"\n", 0, wrong.start) + 1,
        ) from None


def _octets(path: str) -> bytes:
    try:
        # Without O_NONBLOCK a FIFO would be waited for until somebody writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as refusal:  # ValueError: a NUL in the name
        why = os.strerror(refusal.errno or 0) if isinstance(refusal, OSError) else str(refusal)
        raise _unreadable(path, why) from refusal
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(
                Text("{path} is not a regular file.", path=path),
                remedy=Text("Give the path of a scenario file, such as my.toml."),
            )
        octets = bytearray()
        while len(octets) <= LARGEST_OCTETS and (
            part := os.read(descriptor, LARGEST_OCTETS + 1 - len(octets))
        ):
            octets += part
    except OSError as refusal:
        raise _unreadable(path, os.strerror(refusal.errno or 0)) from refusal
    finally:
        os.close(descriptor)
    if len(octets) > LARGEST_OCTETS:
        raise UsageError(
            Text("{path} is larger than a scenario may be.", path=path),
            remedy=Text("Keep it within {kib} KiB.", kib=LARGEST_OCTETS // 1024),
        )
    return bytes(octets)


def _unreadable(path: str, why: str) -> UsageError:
    return UsageError(
        Text("{path} could not be read: {why}.", path=path, why=why),
        remedy=Text("Check the path; tcplab run --list shows the scenarios that tcplab has."),
    )


def parsed(text: str, *, source: str) -> dict[str, Any]:
    """The document. Raises ScenarioError, with tomllib's line, for what is no TOML."""
    for number, written in enumerate(text.split("\n"), start=1):
        if written.count(".") > _MOST_DOTS:
            raise ScenarioError(
                Text("This line has more than {most} dots.", most=_MOST_DOTS),
                remedy=Text("Break it into several lines."),
                source=source,
                line=number,
            )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        why, line, column = _place(str(wrong), text)
    except (ValueError, RecursionError) as wrong:  # a number of 5000 digits, 1000 brackets
        why, line, column = str(wrong), 1, 1
    raise ScenarioError(
        Text("This is no TOML: {why} (column {column}).", why=verbatim(why), column=column),
        remedy=_SEE_ONE,
        source=source,
        line=line,
    )


def _place(said: str, text: str) -> tuple[str, int, int]:
    """tomllib's sentence apart from the place in it, "(at line 3, column 7)"."""
    placed = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", said, re.DOTALL)
    if placed:
        return placed[1], int(placed[2]), int(placed[3])
    lines = text.rstrip().split("\n")
    return said.removesuffix(" (at end of document)"), len(lines), len(lines[-1]) + 1
