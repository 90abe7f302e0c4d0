"""The permit of a testbed: anything may be sent inside it, and nothing outside.

Nothing leads out of a testbed but what somebody else makes of it: an interface moved into one of
its namespaces, or one of its own taken elsewhere. So its links are watched, and every send looks
first. There is no other way to a TestbedPermit than to name a watch for each namespace, and no
setting of the user's that reaches it.
"""

import os
from _thread import allocate_lock
from collections.abc import Callable
from fcntl import ioctl
from select import EPOLLIN, epoll
from socket import socket
from typing import Protocol

from tcplab.errors import RefusedError
from tcplab.text import Text
from tcplab.wire.block import LINK_GROUPS, Block

_SIOCGSKNS = 0x894C  # the network namespace of a socket, as a descriptor (linux/sockios.h)
_MOST_KNOWN = 4096
"""Destinations that need no second thought: what is forged is not all kept in mind."""


class Watch(Protocol):
    """Knows which links belong into one namespace of a testbed (`tcplab.kernel.link_watch`)."""

    def fileno(self) -> int:
        """Readable while something has happened that `check` has not seen."""

    def check(self) -> None:
        """Raise RefusedError if a link has been there, at any time, that is not the testbed's."""

    def close(self) -> None:
        """Watch no longer."""


class TestbedPermit:
    """Anything may be sent inside the namespaces that belong to one testbed, as long as nobody
    else's link is in any of them, and nothing outside.

    Destinations are hosts of the testbed's own networks, the `blocks`; what it routes to nowhere
    inside itself (`route`); and groups that no router forwards. Any thread may ask. Raises
    RefusedError for a block that is not for documentation.
    """

    __test__ = False  # no test class, whatever its name

    def __init__(self, *blocks: str) -> None:
        self._watches: dict[tuple[int, int], Watch] = {}
        self._blocks = list(LINK_GROUPS)
        self._blocks += [_own(each, hosts_only=True) for each in blocks]
        self._known = {""}  # what is no IP packet goes no farther than the link
        self._refusal: RefusedError | None = None
        self._lock = allocate_lock()
        self._looking = False
        self._epoll = epoll()
        self._stirred: Callable[[float, int], list[tuple[int, int]]] = self._epoll.poll

    def include(self, netns: int, watch: Watch) -> None:
        """The namespace behind the descriptor `netns` belongs to the testbed. `watch` is its
        guard, and closed with this.
        """
        with self._lock:
            self._watches[_identity(netns)] = watch
        self._epoll.register(watch.fileno(), EPOLLIN)

    def exclude(self, netns: int) -> None:
        """It does not any more. What is wrong with it until now stays wrong."""
        self._look()
        with self._lock:
            watch = self._watches.pop(_identity(netns))
        self._epoll.unregister(watch.fileno())
        watch.close()

    def route(self, block: str) -> None:
        """The testbed routes that block ("198.51.100.0/24") inside itself, to nowhere: it may be a
        destination. Raises RefusedError unless the block is for documentation.
        """
        self._blocks.append(_own(block, hosts_only=False))

    def fileno(self) -> int:
        """For whoever waits: readable when there is something to `look` at."""
        return self._epoll.fileno()

    def look(self) -> None:
        """Raise RefusedError as `check` does, whatever the destination."""
        self.check("")

    def check_socket(self, sender: socket) -> None:
        """Raise RefusedError unless `sender` lives in one of the testbed's namespaces."""
        self._go_on()
        netns = ioctl(sender, _SIOCGSKNS)
        try:
            identity = _identity(netns)
        finally:
            os.close(netns)
        if identity not in self._watches:
            raise RefusedError(
                Text("A socket outside the testbed was about to send the testbed's frames."),
                remedy=Text("This is a bug in tcplab: please report it."),
            )

    @property
    def last(self) -> bool:
        """Nobody counts."""
        return False

    def check(self, destination: str, count: int = 1) -> None:
        """Raise RefusedError if a link that is not the testbed's is, or ever was, in one of its
        namespaces, or if `destination` is none of the testbed's.

        Right before a send: it looks at what the kernel has said up to now.
        """
        # One system call that finds nothing, for all namespaces at once. A thread that finds
        # nothing because another has just taken it up waits for what that one makes of it.
        if self._stirred(0, 1) or self._looking:
            self._look()
        self._go_on()
        if destination not in self._known:
            self._admit(destination)

    def _go_on(self) -> None:
        """Raise what was found wrong before, if anything was."""
        if self._refusal is not None:
            raise RefusedError(self._refusal.what, remedy=self._refusal.remedy)

    def _look(self) -> None:
        with self._lock:
            self._looking = True
            try:
                for watch in self._watches.values():
                    watch.check()
            except RefusedError as refusal:
                self._refusal = self._refusal or refusal
            finally:
                self._looking = False

    def _admit(self, destination: str) -> None:
        if not any(block.has(destination) for block in self._blocks):
            raise _outside(destination)
        if len(self._known) < _MOST_KNOWN:
            self._known.add(destination)

    def close(self) -> None:
        """The testbed is gone, and nothing may be sent any more. Closing twice is fine."""
        self._refusal = self._refusal or RefusedError(
            Text("The testbed is gone, and a packet was about to be sent there."),
            remedy=Text("This is a bug in tcplab: please report it."),
        )
        self._stirred = lambda _timeout, _most: []
        self._epoll.close()
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()


def _identity(netns: int) -> tuple[int, int]:
    status = os.fstat(netns)
    return status.st_dev, status.st_ino


def _own(written: str, *, hosts_only: bool) -> Block:
    block = Block.of(written, hosts_only=hosts_only)
    if not block.is_documentation():
        raise _outside(written)
    return block


def _outside(destination: str) -> RefusedError:
    return RefusedError(
        Text(
            "A packet to {address} was about to be sent, which is outside the testbed.",
            address=destination,
        ),
        remedy=Text("What disrupts stays in a testbed that tcplab made; nothing changes that."),
    )
