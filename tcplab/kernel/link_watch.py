"""Hears of every change to the links of a network namespace, so that no stranger gets in unnoticed.

The kernel tells a netlink socket in the group RTNLGRP_LINK of each link that comes, goes or
changes. Who moves one from another namespace cannot be faster than that: the link is closed, then
unlisted where it was, and the word that it is gone (RTM_DELLINK) is queued before it is anywhere
else; the word that it has come (RTM_NEWLINK) is queued, under the same lock, before anybody can set
it up again (net/core/dev.c, __dev_change_net_namespace). So whoever reads the socket empty right
before a send knows that up to then no link of somebody else's could carry anything.
"""

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from struct import Struct, unpack

from tcplab.errors import RefusedError
from tcplab.kernel.netlink import ROUTE, Netlink, attributes
from tcplab.text import Text

_NEW_LINK, _DELETE_LINK, _GET_LINK = 16, 17, 18
_LINK_GROUP = 1  # RTMGRP_LINK
_NAME, _PEER, _MASTER, _INFO, _PEER_NETNS = 3, 5, 10, 18, 37  # IFLA_*
_KIND = 1  # IFLA_INFO_KIND
_UP = 1  # IFF_UP
_HEADER = Struct("=IHHII")
_LINK = Struct("=BxHiII")  # struct ifinfomsg
_LOOPBACK = 1  # its index, in every namespace
_MOST_OCTETS = 1 << 16
_ROOM_OCTETS = 1 << 20  # the kernel gives at most net.core.rmem_max
_VETH = "veth"
_FALLBACK = {
    "tunl0": "ipip", "sit0": "sit", "ip6tnl0": "ip6tnl", "gre0": "gre", "gretap0": "gretap",
    "erspan0": "erspan", "ip6gre0": "ip6gre", "ip_vti0": "vti", "ip6_vti0": "vti6",
}  # fmt: skip
"""Links that a kernel puts into every namespace of its own accord, with its modules for tunnels
(net.core.fb_tunnels_only_for_init_net). They are down, and carry nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLink:
    """An end of a veth pair that is meant to be in a namespace, and the index of its other end."""

    index: int
    name: str
    peer_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the kernel tells of a link. `peer` and `peer_netns` are None where it names none."""

    index: int
    name: str
    kind: str
    up: bool
    peer: int | None
    peer_netns: int | None
    master: int


class LinkWatch:
    """The links of the network namespace in which this is made, before anybody else is in it.

    What is in it then, loopback and the kernel's own tunnels, may stay; beside that, what was
    announced to `expect`. `check` refuses what else has happened, now and for ever.
    """

    def __init__(self) -> None:
        self._expected: dict[int, OwnLink] = {}
        self._leaving: set[int] = set()
        self._peer_netns: dict[int, int] = {}
        self._idle: set[int] = set()
        self._wrong: RefusedError | None = None
        self._socket = socket.socket(
            socket.AF_NETLINK,
            socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
            ROUTE,
        )
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_OCTETS)
            self._socket.bind((0, _LINK_GROUP))
            self._look_around()
        except BaseException:
            self._socket.close()
            raise

    def _look_around(self) -> None:
        with closing(Netlink(ROUTE)) as netlink:
            for body in netlink.dump(_GET_LINK, _LINK.pack(0, 0, 0, 0, 0)):
                self._heed(_NEW_LINK, _told(body))

    def fileno(self) -> int:
        """The descriptor, for epoll: readable while there is something to `check`."""
        return self._socket.fileno()

    def expect(self, link: OwnLink) -> None:
        """Announce a link that is about to be made here."""
        self._expected[link.index] = link
        self._peer_netns.pop(link.index, None)

    def release(self, index: int) -> None:
        """Announce that the link of that index is about to be removed. It may go once."""
        self._leaving.add(index)

    def check(self) -> None:
        """Heed what has come, without waiting.

        Raises RefusedError if there is, or was at any time, a link that nobody announced; if one of
        those announced was renamed, removed, moved or given a master, or its other end has gone
        elsewhere; or if so much happened that the kernel could not tell it all.
        """
        try:
            while self._wrong is None:
                self._read(self._socket.recv(_MOST_OCTETS))
        except BlockingIOError:
            return
        except BaseException as failure:
            # ENOBUFS: there was no room for all. Or this was interrupted, and something read was
            # not heeded.
            self._wrong = _refusal(
                Text("The links of the testbed change faster than tcplab can watch them.")
            )
            if not isinstance(failure, OSError):
                raise
        if self._wrong is not None:
            raise RefusedError(self._wrong.what, remedy=self._wrong.remedy)

    def _read(self, octets: bytes) -> None:
        at = 0
        while at + _HEADER.size <= len(octets):
            size, kind, *_ = _HEADER.unpack_from(octets, at)
            if kind in (_NEW_LINK, _DELETE_LINK):
                self._heed(kind, _told(octets[at + _HEADER.size : at + size]))
            at += max(size + 3 & ~3, _HEADER.size)

    def _heed(self, kind: int, told: _Told) -> None:
        """Note the first thing that is wrong."""
        self._wrong = self._wrong or self._complaint(kind, told)

    def _complaint(self, kind: int, told: _Told) -> RefusedError | None:
        own = self._expected.get(told.index)
        if own is None:
            return self._about_other(kind, told)
        if kind == _DELETE_LINK:
            if told.index in self._leaving:
                self._leaving.remove(told.index)
                del self._expected[told.index]
                return None
            what = Text("Somebody has taken away {interface} of the testbed.", interface=own.name)
        elif told.kind != _VETH:
            what = Text(
                "Something else has come in the place of {interface} of the testbed.",
                interface=own.name,
            )
        elif told.name != own.name:
            what = Text(
                "Somebody has renamed {interface} of the testbed to {name}.",
                interface=own.name,
                name=told.name,
            )
        elif told.master:
            what = Text(
                "Somebody has made {interface} of the testbed a part of another interface.",
                interface=own.name,
            )
        elif not self._is_own_peer(own, told):
            what = Text(
                "The other end of {interface} of the testbed is elsewhere now.", interface=own.name
            )
        else:
            return None
        return _refusal(what)

    def _is_own_peer(self, own: OwnLink, told: _Told) -> bool:
        """An end that is made first, or goes last, has no other one for a moment."""
        if not told.peer and told.peer_netns is None:
            return True
        if told.peer != own.peer_index or told.peer_netns is None:
            return False
        # The kernel numbers other namespaces as it comes to mention them.
        return self._peer_netns.setdefault(own.index, told.peer_netns) == told.peer_netns

    def _about_other(self, kind: int, told: _Told) -> RefusedError | None:
        if told.index == _LOOPBACK:
            return None
        if kind == _DELETE_LINK and told.index in self._idle:
            self._idle.remove(told.index)
            return None
        if not told.up and _FALLBACK.get(told.name, "") == told.kind:
            self._idle.add(told.index)
            return None
        return _refusal(
            Text(
                "{interface} is in the testbed, and is none of its interfaces.",
                interface=told.name,
            )
        )

    def close(self) -> None:
        """Watch no longer."""
        self._socket.close()


def _told(body: bytes) -> _Told:
    _family, _type, index, flags, _change = _LINK.unpack_from(body)
    found = dict(attributes(body[_LINK.size :]))
    kind = dict(attributes(found.get(_INFO, b""))).get(_KIND, b"")
    return _Told(
        index=index,
        name=os.fsdecode(found.get(_NAME, b"").rstrip(b"\0")),
        kind=os.fsdecode(kind.rstrip(b"\0")),
        up=bool(flags & _UP),
        peer=_number(found.get(_PEER)),
        peer_netns=_number(found.get(_PEER_NETNS)),
        master=_number(found.get(_MASTER)) or 0,
    )


def _number(octets: bytes | None) -> int | None:
    return None if octets is None else int(unpack("=i", octets)[0])


def _refusal(what: Text) -> RefusedError:
    return RefusedError(
        what, remedy=Text("Nothing is sent any more. Leave the testbed alone, and run it again.")
    )
