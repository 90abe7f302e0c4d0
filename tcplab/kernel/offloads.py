"""Turning off what a NIC does to segments behind the observer's back (SIOCETHTOOL,
linux/ethtool.h).

With segmentation and checksum offload a "frame" on a veth is up to 64 KiB long and carries no
checksum: nothing that ever was on a wire.
"""

import errno
import socket
from array import array
from fcntl import ioctl
from struct import pack

_SIOCETHTOOL = 0x8946
_SETTINGS = {
    "tx-checksum": 0x17,
    "rx-checksum": 0x15,
    "scatter-gather": 0x19,
    "tso": 0x1F,
    "gso": 0x24,
    "gro": 0x2C,
}


def turn_off(control: socket.socket, interface: str) -> None:
    """Turn all of them off on `interface`, in the namespace of the socket `control`.

    A feature that the driver does not have is off already. Raises OSError for anything else.
    """
    for command in _SETTINGS.values():
        value = array("B", pack("=II", command, 0))
        request = pack("16sP16x", interface.encode(), value.buffer_info()[0])
        try:
            ioctl(control, _SIOCETHTOOL, request)
        except OSError as refusal:
            if refusal.errno != errno.EOPNOTSUPP:
                raise
