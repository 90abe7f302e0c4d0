"""Does a kernel know a peer from earlier connections? Its tcp_metrics, man 8 ip-tcp_metrics."""

import errno
from contextlib import closing
from socket import AF_INET, inet_pton
from struct import unpack_from

from tcplab.kernel.links import family
from tcplab.kernel.netlink import Netlink, attribute, attributes

_GENERIC = 16  # NETLINK_GENERIC
_CONTROL, _GET_FAMILY = 16, 3  # GENL_ID_CTRL, CTRL_CMD_GETFAMILY
_FAMILY_ID, _FAMILY_NAME = 1, 2  # CTRL_ATTR_*
_VERSION, _GET = 1, 1  # TCP_METRICS_CMD_GET
_IPV4, _IPV6, _VALUES = 1, 2, 6  # TCP_METRICS_ATTR_*
_RTT = 1  # TCP_METRIC_RTT, counted from 1


def is_proven(ip: str) -> bool:
    """Has this network namespace's kernel measured a round trip to `ip`, and kept it?

    That is what it asks before it gives a place in the last quarter of its SYN backlog away
    (net/ipv4/tcp_metrics.c, tcp_peer_is_proven). Raises the kernel's OSError.
    """
    with closing(Netlink(_GENERIC)) as netlink:
        kind = _kind(netlink, "tcp_metrics")
        address = attribute(
            _IPV4 if family(ip) == AF_INET else _IPV6,
            inet_pton(family(ip), ip),
        )
        try:
            answer = netlink.ask(kind, _header(_GET, _VERSION) + address)
        except OSError as refusal:
            if refusal.errno != errno.ESRCH:
                raise
            return False
    values = dict(attributes(answer[4:])).get(_VALUES, b"")
    rtt = dict(attributes(values)).get(_RTT)
    return rtt is not None and any(rtt)


def _header(command: int, version: int) -> bytes:
    """struct genlmsghdr."""
    return bytes((command, version, 0, 0))


def _kind(netlink: Netlink, name: str) -> int:
    """The message type of that family, which differs from boot to boot."""
    answer = netlink.ask(_CONTROL, _header(_GET_FAMILY, 1) + attribute(_FAMILY_NAME, name))
    (number,) = unpack_from("=H", dict(attributes(answer[4:]))[_FAMILY_ID])
    return int(number)
