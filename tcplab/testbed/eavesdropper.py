"""The attacker's ear and mouth: a socket on its own NIC, and what it has understood of the talk.

On a hub every frame reaches every NIC. The kernel behind this one drops what is for another MAC
(PACKET_OTHERHOST, net/ipv4/ip_input.c); a packet socket hears it all the same.
"""

import errno

from tcplab.tcp.overheard import Overheard
from tcplab.tcp.segment import Address
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import INTERFACE
from tcplab.wire.burst.path import BatchPermit
from tcplab.wire.frame import Frame
from tcplab.wire.packet_socket import PacketSocket

_UNPLUGGED = frozenset({errno.ENETDOWN, errno.ENXIO, errno.ENODEV, errno.ENOBUFS})
"""How a NIC without a cable says that a frame was lost."""


class Eavesdropper:
    """One host's promiscuous NIC. It knows nothing but what it has heard, and what it said."""

    def __init__(self, namespace: Namespace, permit: BatchPermit) -> None:
        self._talks: dict[frozenset[Address], Overheard] = {}
        with namespace.entered():
            self._socket = PacketSocket(INTERFACE, permit, promiscuous=True)

    def listen(self) -> None:
        """Take in what has come by since the last time."""
        for seen in self._socket.take():
            segment = seen.frame.segment
            if segment is not None:
                self.talk(segment.src, segment.dst).hear(segment, ttl=seen.frame.ttl)

    def talk(self, one: Address, other: Address) -> Overheard:
        """What it knows of the connection between these two."""
        return self._talks.setdefault(frozenset((one, other)), Overheard())

    def forge(self, frame: Frame) -> None:
        """Send a frame of one's own making by the NIC. It is lost if the cable is not plugged in.

        Raises RefusedError if the permit forbids it.
        """
        try:
            self._socket.send(frame, INTERFACE)
        except OSError as refusal:
            if refusal.errno not in _UNPLUGGED:
                raise
            return
        if frame.segment is not None:
            self.talk(frame.segment.src, frame.segment.dst).say(frame.segment)

    def lost(self) -> int:
        """How many frames it missed."""
        return self._socket.lost()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
