"""Sends forged segments, never many: the bounds are here, below whoever asks."""

import time
from collections.abc import Callable

from tcplab.analysis.flooding.settings import MOST_FRAMES, MOST_SECONDS
from tcplab.analysis.scanning.bucket import TokenBucket
from tcplab.errors import RefusedError
from tcplab.text import Text
from tcplab.wire.burst.forging import Field, Forger
from tcplab.wire.burst.outlet import Outlet
from tcplab.wire.burst.path import Path
from tcplab.wire.burst.template import Template
from tcplab.wire.testbed_permit import TestbedPermit

_MOST_NS = round(MOST_SECONDS * 1e9)
_ROWS = 2048
"""Segments that are written and sent at once."""

Fields = Callable[[int, int], tuple[Field, ...]]
"""What differs in so many segments, the first of which has that number, from 0 on."""


class Flood:
    """Sends `frames` copies of `template`, no two alike in their `fields`, along `path`.

    Whatever is asked, no more than MOST_FRAMES leave, and none later than MOST_SECONDS after the
    first. With `pps` at most so many pass in a second, evenly, the first at once: what a limiter on
    the cable would let by.
    Made in the network namespace in which it sends. Raises RefusedError unless the path lies in a
    testbed and its permit allows the socket, PermissionError without CAP_NET_RAW, and the kernel's
    OSError.
    """

    def __init__(
        self, path: Path, template: Template, fields: Fields, *, frames: int, pps: int | None = None
    ) -> None:
        if not isinstance(path.permit, TestbedPermit):
            raise RefusedError(
                Text("Forged segments were about to be sent to {host}.", host=path.destination),
                remedy=Text(
                    "What disrupts stays in a testbed that tcplab made; nothing changes that."
                ),
            )
        self.sent = 0
        self.errors = 0
        self._given = 0
        self._frames = min(frames, MOST_FRAMES)
        self._began_ns: int | None = None
        self._bucket = None
        if pps is not None:
            self._bucket = TokenBucket(pps, time.monotonic_ns())
            self._bucket.fill_up()
        self._forger = Forger(template)
        self._fields = fields
        with path.inside():
            self._outlet = Outlet(path, template.octets, min(self._frames, _ROWS))

    @property
    def over(self) -> bool:
        """Is nothing more to leave, or nothing more allowed to?"""
        if self._given >= self._frames:
            return True
        return self._began_ns is not None and time.monotonic_ns() - self._began_ns >= _MOST_NS

    def send(self, most: int = _ROWS) -> int:
        """Send what may leave now, at most so many and one lot: how many have left.

        Raises RefusedError, and the kernel's OSError.
        """
        if self.over:
            return 0
        now_ns = time.monotonic_ns()
        count = min(self._frames - self._given, _ROWS, most)
        if self._bucket is not None:
            count = min(count, self._bucket.allowance(now_ns))
            self._bucket.take(count, now_ns)
        if count <= 0:
            return 0
        if self._began_ns is None:
            self._began_ns = now_ns
        rows = self._forger.write(self._outlet.columns, self._fields(self._given, count))
        self._given += rows
        sent, errors = self._outlet.send(rows, lambda: None)
        self.sent += sent
        self.errors += errors
        return sent

    def next_ns(self) -> int | None:
        """When more may leave, by the monotonic clock; None: now, or never."""
        return None if self.over or self._bucket is None else self._bucket.next_ns()

    def close(self) -> None:
        """Send nothing more, and give the socket back."""
        self._given = self._frames
        self._outlet.close()
