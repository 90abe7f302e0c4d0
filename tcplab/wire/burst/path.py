"""From where to where a scan's probes go, and who allows it."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


class BatchPermit(Protocol):
    """The check at the one place that sends (`tcplab.wire.permit`), for many packets at once."""

    def check_socket(self, sender: socket.socket, /) -> None:
        """Raise RefusedError unless that socket may send."""

    def check(self, destination: str, /, count: int = 1) -> None:
        """Raise RefusedError unless `count` packets more may be sent to that address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """From where to where a scan's probes go.

    `source` and `destination` are addresses of one family. The answers come in by `interface`
    ("lo" where the destination is this machine's own address, which `local` says), whose index is
    `link_index`. Sockets are made while `inside()` is entered: the namespace of a testbed's host,
    or `contextlib.nullcontext` for this machine. `scope` is the interface's index where the
    destination is a link-local IPv6 address, else 0.

    `neighbour` is the hardware address of the next hop, where that is known and the link is an
    Ethernet: probes then go to the link without the kernel's routing, which is a fifth faster.
    """

    source: str
    destination: str
    interface: str
    link_index: int
    local: bool
    inside: Callable[[], AbstractContextManager[None]]
    permit: BatchPermit
    mtu_octets: int = 1500
    scope: int = 0
    neighbour: bytes | None = None
