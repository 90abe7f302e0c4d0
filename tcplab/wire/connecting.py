"""A connect scan: asks the own kernel to open connections, which needs no privilege.

One descriptor asks many ports. A connect() that was refused leaves it as it was, so it connects
again; where the answer comes as fast as on a veth link, a second connect() already has it. What
takes longer waits in an epoll set, with a descriptor each.
"""

import errno
import os
import socket
import time
from _thread import allocate_lock, start_new_thread
from array import array
from collections import deque
from collections.abc import Sequence

from tcplab.analysis.scanning.census import Census, Rejection
from tcplab.errors import LinkLostError, UnavailableError
from tcplab.tcp.retransmission import RetransmissionTimer
from tcplab.text import Text
from tcplab.wire.burst.path import Path
from tcplab.wire.descriptors import Descriptors, lost
from tcplab.wire.outcomes import Outcomes
from tcplab.wire.pending import Attempt, Pending

_MOST_AT_ONCE = 16384
_PENDING = (errno.EINPROGRESS, errno.EALREADY)
_OPEN = (0, errno.EISCONN)
_REFUSED, _BEGUN = errno.ECONNREFUSED, errno.EINPROGRESS
_SHORT = (errno.EADDRNOTAVAIL, errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM)
"""No source port or no memory left for now."""
_READ_EVERY = 16
"""Refusals after which the queue of errors is read: it holds more than that."""
_WORTH_A_THREAD = 256
"""The least number of ports."""
_PATIENCE_NS = 900_000_000
"""Nothing waits longer: after one second the kernel would send a second SYN, which nobody counts
(RFC 6298, 2.1)."""
_LEAST_RTO_NS = 20_000_000
_PAUSE_NS, _LONGEST_SHORTAGE_NS = 10_000_000, 10_000_000_000
"""After the one a source port may be free again, after the other none will ever be."""


class ConnectProber:
    """Asks by connect(). The kernel's matter are source ports, sequence numbers and TTLs.

    At most `most_at_once` connections are pending. Raises UnavailableError if this process may
    open next to no files.
    """

    def __init__(self, path: Path, census: Census, *, most_at_once: int | None = None) -> None:
        self._path = path
        self._census = census
        self._descriptors = Descriptors(path, most_at_once or _MOST_AT_ONCE)
        self._outcomes = Outcomes(path, census)
        self._pending = Pending()
        self._lock = allocate_lock()
        self._waiting: deque[int] = deque()
        # On loopback two threads might connect to each other's source ports.
        self._threads = 1 if path.local else min(len(os.sched_getaffinity(0)), 2)
        self._scope = (0, path.scope) if path.scope else ()
        self._lost: LinkLostError | None = None
        self._timer = RetransmissionTimer(_PATIENCE_NS, least_ns=_LEAST_RTO_NS)
        self._rtt_ns: int | None = None
        self._round = self._told = self._pause_until_ns = 0
        self._short_since_ns: int | None = None
        self.sent = self.send_errors = 0

    @property
    def busy(self) -> int:
        """Ports that wait for a descriptor or a source port."""
        return len(self._waiting)

    @property
    def received(self) -> int:
        """Answers and ICMP errors."""
        return self._outcomes.received

    def begin_round(self, number: int) -> None:
        """Give up what is pending; its ports are asked again, on other descriptors."""
        self._round = number
        self._waiting.clear()
        self._give_up(older_than_ns=0)

    # --- asking -----------------------------------------------------------------------------

    def send(self, ports: "array[int]") -> None:
        """Ask them, in two threads if that helps: connect() does its work without the GIL."""
        if self._waiting or self._lost is not None:
            self._waiting.extend(ports)
        elif self._threads == 1 or len(ports) < _WORTH_A_THREAD:
            self._ask(ports)
        else:
            self._ask_in_two_threads(ports)

    def _ask_in_two_threads(self, ports: "array[int]") -> None:
        done = allocate_lock()
        done.acquire()
        failures: list[BaseException] = []

        def help_out() -> None:
            try:
                self._ask(ports[len(ports) // 2 :])
            except BaseException as failure:  # it is raised below, in the thread that heeds it
                failures.append(failure)
            finally:
                done.release()

        try:
            start_new_thread(help_out, ())
        except RuntimeError:  # no more threads are to be had (RLIMIT_NPROC)
            self._ask(ports)
            return
        try:
            self._ask(ports[: len(ports) // 2])
        finally:
            done.acquire()
        if failures:
            raise failures[0]

    def _ask(self, ports: "array[int]") -> None:
        """Ask them one after the other; what finds no descriptor waits."""
        at = 0
        with self._path.inside():
            while at < len(ports) and self._lost is None:
                descriptor = None
                if time.monotonic_ns() >= self._pause_until_ns:
                    try:
                        descriptor = self._descriptors.take()
                    except LinkLostError as failure:
                        self._lost = failure
                        return
                if descriptor is None:
                    self._waiting.extend(ports[at:])
                    return
                at = self._ask_by(descriptor, ports, at)

    def _ask_by(self, descriptor: socket.socket, ports: "array[int]", at: int) -> int:
        """Ask `ports[at:]` by one descriptor, as long as it is refused at once.

        Returns where the next one is to go on.
        """
        check, connect = self._path.permit.check, descriptor.connect_ex
        destination, scope = self._path.destination, self._scope
        refused: list[int] = []
        first, error, begun = at, _REFUSED, False
        began_ns = time.monotonic_ns()
        try:
            while at < len(ports) and error == _REFUSED:
                port = ports[at]
                to = (destination, port, *scope)
                check(destination)
                error = connect(to)
                at += 1
                begun = error == _BEGUN
                if begun:
                    error = connect(to)
                if error == _REFUSED:
                    refused.append(port)
                    if len(refused) == _READ_EVERY:
                        now_ns = time.monotonic_ns()
                        self._measured((now_ns - began_ns) // _READ_EVERY)
                        began_ns = now_ns
                        self._outcomes.refused(descriptor, refused)
                        refused.clear()
        finally:
            if refused:
                self._measured((time.monotonic_ns() - began_ns) // len(refused))
                self._outcomes.refused(descriptor, refused)
            with self._lock:
                self.sent += at - first
        if begun or at - first > 1:
            self._short_since_ns = None
        if error == _REFUSED:
            self._descriptors.give_back(descriptor)
        elif begun:
            self._begun(descriptor, port, error)
        else:
            self._not_begun(descriptor, port, error)
        return at

    def _begun(self, descriptor: socket.socket, port: int, error: int) -> None:
        """A SYN has left, and this is how it went on so far."""
        if error in _PENDING:
            self._pending.add(descriptor, port)
        else:
            self._ended(descriptor, port, error)

    def _not_begun(self, descriptor: socket.socket, port: int, error: int) -> None:
        """No SYN has left. Is there something short, or no way out?"""
        self._descriptors.discard(descriptor)
        with self._lock:
            self.sent -= 1
            self.send_errors += 1
        if error in _SHORT:
            self._waiting.append(port)
            now_ns = time.monotonic_ns()
            self._pause_until_ns = now_ns + _PAUSE_NS
            self._short_since_ns = self._short_since_ns or now_ns
        else:
            self._lost = lost(self._path)

    # --- hearing ----------------------------------------------------------------------------

    def collect(self, wait_s: float) -> int:
        """Heed what has come, and go on with what waits.

        Raises UnavailableError, too, if for a long time the kernel has had no source port to give.
        """
        self._go_on()
        if self._census.answered > self._told or self._lost is not None:
            wait_s = 0.0
        for attempt in self._pending.ready(wait_s):
            self._heed(attempt)
        self._go_on()
        if self._lost is not None:
            raise self._lost
        fresh = self._census.answered - self._told
        self._told = self._census.answered
        return fresh

    def _go_on(self) -> None:
        """Give up what has waited for too long, and ask what can be asked now."""
        short = bool(self._waiting) and not self._descriptors.left
        self._give_up(older_than_ns=self._patience_ns() if short else _PATIENCE_NS)
        now_ns = time.monotonic_ns()
        if self._waiting and now_ns >= self._pause_until_ns and self._descriptors.left:
            waiting = array("H", self._waiting)
            self._waiting.clear()
            self._ask(waiting)
        since_ns = self._short_since_ns
        if since_ns is not None and now_ns - since_ns > _LONGEST_SHORTAGE_NS:
            raise UnavailableError(
                Text("This machine has no source port left for a connection."),
                remedy=Text("See who has them: ss -tan; or ask by --syn, which needs a few only."),
            )

    def _patience_ns(self) -> int:
        """How long others wait for a descriptor that an answer may still come to."""
        return min(self._timer.rto_ns << self._round, _PATIENCE_NS)

    def _give_up(self, *, older_than_ns: int) -> None:
        for attempt in self._pending.older_than(older_than_ns):
            self._descriptors.discard(self._pending.over(attempt))

    def _heed(self, attempt: Attempt) -> None:
        """Something has befallen a pending connect(). A second one says what."""
        to = (self._path.destination, attempt.port, *self._scope)
        error = attempt.by.connect_ex(to)
        if error in _PENDING:
            # The kernel was at it when the ICMP error came, and only took note (sk_err_soft).
            if attempt.port in self._outcomes.rejected(attempt.by):
                self._descriptors.discard(self._pending.over(attempt))
            return
        self._measured(time.monotonic_ns() - attempt.began_ns)
        self._ended(self._pending.over(attempt), attempt.port, error)

    def _ended(self, descriptor: socket.socket, port: int, error: int) -> None:
        if error == _REFUSED:
            self._outcomes.refused(descriptor, [port])
            self._descriptors.give_back(descriptor)
            return
        if error not in _OPEN:
            self._outcomes.rejected(descriptor)
        elif not self._outcomes.connected(descriptor, port):
            self._waiting.append(port)
        self._descriptors.discard(descriptor)

    # --- what is measured, and the end ------------------------------------------------------

    def _measured(self, rtt_ns: int) -> None:
        with self._lock:
            self._rtt_ns = rtt_ns
            self._timer.measure(rtt_ns)

    def rtt_ns(self) -> int | None:
        """The latest round trip since this was asked last, or None."""
        rtt_ns, self._rtt_ns = self._rtt_ns, None
        return rtt_ns

    def time_open(self, ports: Sequence[int], within_s: float) -> None:
        """Nothing: the kernel has measured every connection's round trip."""

    def drops(self) -> int:
        """None: the kernel keeps the outcome of every connect()."""
        return 0

    def own_errors(self) -> list[Rejection]:
        """What the own kernel has reported, oldest first: nobody answers for the address."""
        return list(self._outcomes.own_errors)

    def close(self) -> None:
        """Close every descriptor."""
        self.begin_round(self._round)
        self._descriptors.close()
        self._pending.close()
