"""Records a connect scan, whose packets are the kernel's own: all of them, both ways, as pcapng."""

import socket

from tcplab.wire.burst.path import Path
from tcplab.wire.burst.recording import Recording, Sink
from tcplab.wire.burst.ring import Ring
from tcplab.wire.filters import EVERY_PORT, scan

SLOTS = 65536


class Tap:
    """Writes into `file` the TCP segments between the two ends of `path`, and destination
    unreachable from anybody to its source.

    Whoever scans calls `drain` now and then. Raises PermissionError without CAP_NET_RAW, and the
    kernel's OSError.
    """

    def __init__(self, path: Path, file: Sink, *, slots: int = SLOTS) -> None:
        version = 6 if ":" in path.destination else 4
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        with path.inside():
            self._ring = Ring(
                slots=slots,
                program=scan(
                    source=socket.inet_pton(family, path.source),
                    destination=socket.inet_pton(family, path.destination),
                    first_port=0,
                    ports=EVERY_PORT,
                    probes=True,
                ),
                # On loopback all that is sent comes in, too: once is enough.
                outgoing=not path.local,
            )
        try:
            self._recording = Recording(file, interface=path.interface, version=version)
            self._ring.open(path.interface)
        except BaseException:
            self._ring.close()
            raise

    def drain(self) -> None:
        """Write what has passed since the last call; at most a ring full, if it never ends."""
        left = self._ring.slots
        while left > 0 and (run := self._ring.take()) is not None:
            self._recording.write(run)
            run.give_back()
            left -= run.count

    def drops(self) -> int:
        """Packets that are missing: the ring had no room for them."""
        return self._ring.drops()

    def close(self) -> None:
        """Write the rest, and give everything back."""
        self.drain()
        self._ring.close()
        self._recording.close()
