"""Lists of ports as people write them: "22,80,1-1024", and "-" for all, as nmap takes them."""

import re
from collections.abc import Callable, Iterable

from tcplab.errors import UsageError
from tcplab.scenario.mistake import quoted
from tcplab.text import Text

FIRST, LAST = 1, 65535
ALL = range(FIRST, LAST + 1)

Service = Callable[[str], int | None]
"""The port that a service of that name has, or None."""

_RANGE = re.compile(r"([0-9]*)\s*-\s*([0-9]*)")
_HYPHENS = re.compile(r"[0-9]*(?:-[0-9]*){2,}")
"""Meant for a range, with more hyphens than a range has."""
_DIGITS = 10
"""A number with more digits than these is no port, and int() need not be asked."""


class PortsError(UsageError):
    """A text is no list of ports: `what` begins with the place, the `at`th character (from 1)."""

    def __init__(self, what: Text, *, remedy: Text, at: int) -> None:
        place = Text("Character {at} of the list of ports: {mistake}", at=at, mistake=what)
        super().__init__(place, remedy=remedy)
        self.at = at


def parse_ports(written: str, *, service: Service) -> tuple[range, ...]:
    """The ports in order: ranges that do not touch one another, within 1 … 65535.

    Numbers, ranges ("-" is 1-65535, "-100" is 1-100) and the names that `service` knows, with
    commas between them and spaces where one likes. Naming a port twice is no mistake. Raises
    PortsError.
    """
    if not written.strip():
        raise UsageError(Text("The list of ports is empty."), remedy=_how())
    ranges: list[range] = []
    at = 1
    for item in written.split(","):
        word = item.strip()
        place = at + len(item) - len(item.lstrip())
        if not word:
            _refuse_gap(written, at)
        ranges.append(_item(word, place, service))
        at += len(item) + 1
    return joined(ranges)


def joined(ranges: Iterable[range]) -> tuple[range, ...]:
    """The same numbers in order, in as few ranges as there can be."""
    merged: list[range] = []
    for each in sorted(ranges, key=lambda each: each.start):
        if merged and each.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, each.stop))
        elif each:
            merged.append(each)
    return tuple(merged)


def spelled(ranges: Iterable[range]) -> str:
    """Ranges as `parse_ports` reads them."""
    return ",".join(
        f"{each.start}-{each.stop - 1}" if len(each) > 1 else str(each.start) for each in ranges
    )


def written(ports: Iterable[int]) -> str:
    """Ports, in whatever order, as `parse_ports` reads them: "1-21,23-79"."""
    return spelled(joined(range(port, port + 1) for port in ports))


def _item(word: str, at: int, service: Service) -> range:
    """What stands between two commas."""
    if word.isascii() and word.isdigit():
        port = _port(word, at)
        return range(port, port + 1)
    if found := _RANGE.fullmatch(word):
        return _range(found, at)
    if (known := service(word)) is not None:
        return range(known, known + 1)
    if _HYPHENS.fullmatch(re.sub(r"\s*-\s*", "-", word)):
        raise PortsError(Text("{range} is no range.", range=quoted(word)), remedy=_how(), at=at)
    if len(word.split()) > 1:
        raise PortsError(
            Text("{words} is more than one port.", words=quoted(word)),
            remedy=Text("Put a comma between ports: {ports}", ports=",".join(word.split())[:60]),
            at=at,
        )
    raise PortsError(
        Text("there is no TCP service named {name}.", name=quoted(word)),
        remedy=Text("Give a port as a number, 1 to 65535, or a name from /etc/services."),
        at=at,
    )


def _range(found: "re.Match[str]", at: int) -> range:
    first, last = found.groups()
    if first and not last:
        start = _port(first, at)
        raise PortsError(
            Text("the range {range} has no end.", range=quoted(found[0])),
            remedy=Text(
                "Write {open} for all ports from there on, or {port} for that one.",
                open=f"{start}-{LAST}",
                port=start,
            ),
            at=at,
        )
    start = _port(first, at) if first else FIRST
    end = _port(last, at + found.start(2)) if last else LAST
    if start > end:
        raise PortsError(
            Text("the range {range} ends before it begins.", range=quoted(found[0])),
            remedy=Text("Write {range}.", range=f"{end}-{start}"),
            at=at,
        )
    return range(start, end + 1)


def _port(digits: str, at: int) -> int:
    if len(digits) <= _DIGITS and FIRST <= int(digits) <= LAST:
        return int(digits)
    raise PortsError(
        Text("port {port} does not exist.", port=quoted(digits).strip("'")),
        remedy=Text("Ports are 1 to 65535."),
        at=at,
    )


def _refuse_gap(written: str, at: int) -> None:
    """Two commas with nothing between them, or one at the beginning or at the end."""
    raise PortsError(
        Text("a port is missing before the comma.")
        if at <= len(written.rstrip()) and "," in written[at - 1 :]
        else Text("a port is missing after the comma."),
        remedy=_how(),
        at=at,
    )


def _how() -> Text:
    return Text("Write ports as {example}, or {all} for all.", example="22,80,1-1024", all="-")
