"""Sends the probes of many ports, by as many threads as there are processors for it.

A thread does nothing in the interpreter but stamp: sendmmsg runs without its lock, and on a virtual
link it runs the whole way to the other kernel's answer, here in the ring.
"""

import os
from _queue import SimpleQueue
from array import array
from collections.abc import Callable
from threading import Event, Lock, Thread

from tcplab.wire.burst.asked import Departure
from tcplab.wire.burst.outlet import Outlet
from tcplab.wire.burst.path import Path
from tcplab.wire.burst.stamping import Stamp

ROWS = 2048
"""Probes that are stamped and sent at once."""
_MOST_THREADS = 4
_END_S = 2.0

Sample = Callable[[int, int, Departure], None]
_Chunk = tuple[Stamp, "array[int]"]


def usable_threads() -> int:
    """How many processors this process may use, but no more than are of use."""
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)


class Sender:
    """Sends probes along `path`, whose copies are of `packet`.

    `sample` is told when the first probe of each batch is about to leave: (port, own port,
    departure). `tapped`: a capture sees them leave. Made in the network namespace in which it
    sends.
    """

    def __init__(
        self,
        path: Path,
        packet: bytes,
        sample: Sample,
        *,
        threads: int | None,
        tapped: bool = False,
    ) -> None:
        self.sent = 0
        self.errors = 0
        self._given_up = 0
        self._handed_over = 0
        self._sample = sample
        self._failure: BaseException | None = None
        self._chunks: SimpleQueue[_Chunk | None] = SimpleQueue()
        self._lock = Lock()
        self._idle = Event()
        self._idle.set()
        self._ending = False
        self._threads: list[Thread] = []
        self._alone = False
        self._outlets: list[Outlet] = []
        try:
            for _ in range(max(threads or usable_threads(), 1)):
                self._outlets.append(Outlet(path, packet, ROWS, tapped=tapped))
        except BaseException:
            self.close()
            raise

    @property
    def busy(self) -> int:
        """Probes handed over that have not left yet."""
        return self._handed_over - self.sent - self._given_up

    def send(self, stamp: Stamp, ports: "array[int]") -> None:
        """Hand over probes to these ports. A single batch is sent before this returns."""
        chunks = [(stamp, ports[at : at + ROWS]) for at in range(0, len(ports), ROWS)]
        if not chunks:
            return
        self._handed_over += len(ports)
        if len(chunks) == 1 and not self.busy - len(ports):
            self._deal_with(self._outlets[0], *chunks[0])
            return
        self._idle.clear()
        for chunk in chunks:
            self._chunks.put(chunk)
        if not self._threads and not self._alone:
            self._start()
        if self._alone:
            self._work_alone()

    def wait(self, timeout_s: float) -> None:
        """Until nothing is busy, but no longer than that."""
        self._idle.wait(timeout_s)

    def check(self) -> None:
        """Raise what has stopped the sending, if anything has."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Send nothing more, and give the sockets back."""
        self._ending = True
        for _ in self._threads:
            self._chunks.put(None)
        for thread in self._threads:
            thread.join(_END_S)
        for outlet in self._outlets:
            outlet.close()

    # --- the threads ------------------------------------------------------------------------

    def _start(self) -> None:
        for outlet in self._outlets:
            # As a daemon it does not hold up the end of an interpreter that has not closed this.
            thread = Thread(target=self._work, args=(outlet,), daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads are to be had (RLIMIT_NPROC)
                break
            self._threads.append(thread)
        self._alone = not self._threads

    def _work(self, outlet: Outlet) -> None:
        while True:
            chunk = self._chunks.get()
            if chunk is None:
                return
            self._deal_with(outlet, *chunk)

    def _work_alone(self) -> None:
        while self.busy:
            chunk = self._chunks.get()
            if chunk is not None:
                self._deal_with(self._outlets[0], *chunk)

    def _deal_with(self, outlet: Outlet, stamp: Stamp, ports: "array[int]") -> None:
        sent = errors = 0
        try:
            if not self._ending and self._failure is None:
                stamp.write(outlet.columns, ports)
                first, own_port = ports[0], stamp.source_port
                sent, errors = outlet.send(
                    len(ports), lambda: self._sample(first, own_port, Departure.now())
                )
        except BaseException as failure:  # for the one who asks next: `check`
            self._failure = self._failure or failure
        finally:
            with self._lock:
                self.sent += sent
                self.errors += errors
                self._given_up += len(ports) - sent
                if not self.busy:
                    self._idle.set()
