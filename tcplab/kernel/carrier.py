"""Is an interface operational: is its cable in, and has its kernel done what follows from that?"""

import time
from contextlib import closing
from select import POLLIN, poll
from struct import pack

from tcplab.kernel import links
from tcplab.kernel.netlink import ROUTE, Netlink, attributes

_GET_LINK = 18
_LINK_GROUP = 1  # RTMGRP_LINK
_OPERATIONAL = 16  # IFLA_OPERSTATE
_UP, _DOWN = frozenset({6}), frozenset({2, 3})  # IF_OPER_UP; IF_OPER_DOWN, _LOWERLAYERDOWN


def wait_for(index: int, *, operational: bool, within_s: float) -> bool:
    """Wait until the interface, which is set up, is operational or is down (RFC 2863's
    ifOperStatus, "unknown" at first); False if it did not come to that.

    A kernel learns of a carrier at once and acts on it later, in a work queue: it sets the
    operational state and then turns the interface's queue on or off, and between the two a packet
    may still be lost (net/core/link_watch.c, linkwatch_do_dev). Both happen under one lock, which
    a request that changes nothing waits for.
    """
    wanted = _UP if operational else _DOWN
    deadline_s = time.monotonic() + within_s
    with closing(Netlink(ROUTE, groups=_LINK_GROUP)) as netlink:
        heard = poll()
        heard.register(netlink.fileno(), POLLIN)
        while _state(netlink, index) not in wanted:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not heard.poll(left_s * 1000):
                return False
            netlink.skip()
        netlink.tell([links.set_up(index)])
    return True


def is_operational(index: int) -> bool:
    """Is the interface of this thread's network namespace operational now?"""
    with closing(Netlink(ROUTE)) as netlink:
        return _state(netlink, index) in _UP


def _state(netlink: Netlink, index: int) -> int:
    answer = netlink.ask(_GET_LINK, pack("=BxHiII", 0, 0, index, 0, 0))
    return dict(attributes(answer[16:]))[_OPERATIONAL][0]
