"""Is the link still there? Sockets are told of an interface that goes down, not of a lost cable."""

from errno import ENETDOWN
from fcntl import ioctl
from struct import pack, unpack_from

from tcplab.errors import LinkLostError
from tcplab.text import Text
from tcplab.wire.burst.path import Path
from tcplab.wire.burst.ring import Ring

_SIOCGIFFLAGS = 0x8913
_UP, _RUNNING = 0x1, 0x40  # IFF_*


class LinkWatch:
    """Watches the interface of a path, in the network namespace of the ring."""

    def __init__(self, path: Path, ring: Ring) -> None:
        self._path = path
        self._ring = ring
        self._ran = self._runs()

    def check(self) -> None:
        """Raise LinkLostError if it went down. One that never ran is not missed."""
        if self._ring.error() == ENETDOWN or (self._ran and not self._runs()):
            raise lost(self._path, Text("the link is down"))

    def _runs(self) -> bool:
        request = pack("=16sH22x", self._path.interface.encode(), 0)
        try:
            (flags,) = unpack_from("=16xH", ioctl(self._ring, _SIOCGIFFLAGS, request))
        except OSError:  # the interface is gone
            return False
        return bool(flags & _UP and flags & _RUNNING)

    def lost(self, why: str | Text) -> LinkLostError:
        """What to raise when sending has failed because of `why`."""
        return lost(self._path, why)


def lost(path: Path, why: str | Text) -> LinkLostError:
    """Of a scan along `path`, which cannot go on because of `why`."""
    return LinkLostError(
        Text(
            "The way to {address} by {interface} was lost in mid-scan: {why}.",
            address=path.destination,
            interface=path.interface,
            why=why,
        ),
        remedy=Text(
            "Mend the link and scan again: {command}",
            command=f"ip link show {path.interface}",
        ),
    )
