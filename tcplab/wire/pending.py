"""Calls of connect() that wait for an answer."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from select import EPOLLOUT, epoll


@dataclass(frozen=True, slots=True)
class Attempt:
    """connect() to `port`, under way on a descriptor since `began_ns`."""

    by: socket.socket
    port: int
    began_ns: int


class Pending:
    """What is under way. Any thread may add to it; one looks after it."""

    def __init__(self) -> None:
        self._epoll = epoll()
        self._attempts: dict[int, Attempt] = {}

    def add(self, by: socket.socket, port: int) -> None:
        """The SYN has just left."""
        self._attempts[by.fileno()] = Attempt(by, port, time.monotonic_ns())
        self._epoll.register(by, EPOLLOUT)

    def ready(self, wait_s: float) -> list[Attempt]:
        """Those that something has befallen; wait at most so long for the first."""
        return [self._attempts[fd] for fd, _events in self._epoll.poll(wait_s)]

    def older_than(self, age_ns: int) -> Iterator[Attempt]:
        """Those that wait for at least so long, oldest first. The caller calls `over` with each."""
        before_ns = time.monotonic_ns() - age_ns
        while self._attempts:
            oldest = next(iter(self._attempts.values()))
            if oldest.began_ns > before_ns:
                return
            yield oldest

    def over(self, attempt: Attempt) -> socket.socket:
        """It has ended, or is given up. The descriptor is the caller's again."""
        del self._attempts[attempt.by.fileno()]
        self._epoll.unregister(attempt.by)
        return attempt.by

    def close(self) -> None:
        """Only once nothing is pending any more."""
        self._epoll.close()
