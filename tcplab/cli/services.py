"""The names of TCP services, as this machine has them (man 5 services)."""

import socket
from collections.abc import Iterable, Iterator

_FILE = "/etc/services"


def port_of(name: str) -> int | None:
    """The port of the TCP service of that name, or None."""
    try:
        return socket.getservbyname(name, "tcp")
    except (OSError, UnicodeError, ValueError):
        return None


def service_names(path: str = _FILE) -> dict[int, str]:
    """The name of every port that has one; the first that the file gives it.

    One look into the file: getservbyport() reads it for each port anew, 65,535 times some 50 µs.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            names: dict[int, str] = {}
            for port, name in _entries(file):
                names.setdefault(port, name)
            return names
    except OSError:  # a slim container has none
        return {}


def _entries(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for line in lines:
        name, where, *_aliases = [*line.partition("#")[0].split(), "", ""]
        port, _, protocol = where.partition("/")
        if protocol == "tcp" and port.isascii() and port.isdigit():
            yield int(port), name
