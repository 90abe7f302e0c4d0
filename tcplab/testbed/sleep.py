"""Waiting for the wire and for the hosts' applications at once."""

from collections.abc import Collection, Iterator
from select import POLLIN, poll
from typing import Protocol


class Sleeper(Protocol):
    """A host some of whose applications wait for their sockets."""

    def watched(self) -> Iterator[tuple[int, int]]:
        """(descriptor, poll events) for which an application waits."""

    def stop_waiting(self, descriptors: set[int]) -> None:
        """These are ready, and it is known."""


def sleep(wire: Collection[int], hosts: Collection[Sleeper], most_ns: int) -> bool:
    """Wait until one of the `wire`'s descriptors is readable, an application can go on, or the time
    is over; True if it was an application. In whole milliseconds, rounded up.
    """
    # Not select(): a scenario may have more descriptors than it can count (1024).
    sleeping = poll()
    wanted: dict[int, int] = {}
    for host in hosts:
        for descriptor, events in host.watched():
            wanted[descriptor] = wanted.get(descriptor, 0) | events
    for descriptor, events in wanted.items():
        sleeping.register(descriptor, events)
    for descriptor in wire:
        sleeping.register(descriptor, POLLIN)
    ready = {descriptor for descriptor, _events in sleeping.poll(most_ns / 1e6)}.difference(wire)
    for host in hosts:
        host.stop_waiting(ready)
    return bool(ready)
