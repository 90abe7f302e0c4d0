"""How many frames an interface has carried, and how many were lost on it."""

from dataclasses import dataclass
from struct import pack, unpack_from

from tcplab.kernel.netlink import ROUTE, Netlink, attributes

_GET_LINK = 18
_STATISTICS = 23  # IFLA_STATS64


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Frames since the interface was made. `undelivered` were sent, but the other end of a veth
    pair had no room for them (drivers/net/veth.c, veth_xmit).
    """

    received: int
    sent: int
    undelivered: int


class LinkStatistics:
    """Asks of the interface `index` in the network namespace in which it was made."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._netlink = Netlink(ROUTE)

    def read(self) -> Carried:
        """As it is now. Raises the kernel's OSError: ENODEV where there is no such interface."""
        answer = self._netlink.ask(_GET_LINK, pack("=BxHiII", 0, 0, self._index, 0, 0))
        octets = dict(attributes(answer[16:]))[_STATISTICS]
        received, sent, *_octets_and_errors, undelivered = unpack_from("=8Q", octets)
        return Carried(received=received, sent=sent, undelivered=undelivered)

    def close(self) -> None:
        """Give the socket back."""
        self._netlink.close()
