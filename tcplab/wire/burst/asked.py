"""What a scan has asked, which is what an answer has to fit."""

import socket
import time
from dataclasses import dataclass

from tcplab.analysis.scanning.census import Census
from tcplab.wire.burst.cookies import Cookies


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """When a probe was about to leave, by both clocks: packets are stamped by the realtime one."""

    realtime_ns: int
    monotonic_ns: int

    @classmethod
    def now(cls) -> "Departure":
        """This moment."""
        return cls(realtime_ns=time.time_ns(), monotonic_ns=time.monotonic_ns())

    def until(self, realtime_ns: int) -> int | None:
        """How long until then, or None if the realtime clock was set in between."""
        took_ns = realtime_ns - self.realtime_ns
        if 0 < took_ns <= time.monotonic_ns() - self.monotonic_ns:
            return took_ns
        return None


class Asked:
    """From where to where probes went, and what was in them.

    Probes left from `own_ports`. Those from `timing_ports` are timed instead of counted: when each
    left is in `timed`, by (port, own port).
    """

    __slots__ = (
        "census", "cookies", "destination", "ends", "own_ports", "source", "timed", "timing_ports",
        "version",
    )  # fmt: skip

    def __init__(self, source: str, destination: str, cookies: Cookies, census: Census) -> None:
        self.version = 6 if ":" in destination else 4
        family = socket.AF_INET6 if self.version == 6 else socket.AF_INET
        self.ends = tuple(socket.inet_pton(family, end) for end in (source, destination))
        self.source, self.destination = (socket.inet_ntop(family, end) for end in self.ends)
        self.cookies = cookies
        self.census = census
        self.own_ports: set[int] = set()
        self.timing_ports: set[int] = set()
        self.timed: dict[tuple[int, int], Departure] = {}

    @property
    def local(self) -> bool:
        """Does the host ask itself?"""
        return self.ends[0] == self.ends[1]

    def note_timed(self, port: int, own_port: int, realtime_ns: int) -> None:
        """A probe that is timed was answered then."""
        departure = self.timed.pop((port, own_port), None)
        took_ns = departure.until(realtime_ns) if departure is not None else None
        if took_ns is not None:
            self.census.rtts_ns.setdefault(port, took_ns)
