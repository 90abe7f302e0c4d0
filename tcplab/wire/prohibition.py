"""A host's firewall that refuses segments to some ports with an ICMP error, without netfilter.

A kernel answers with ICMP only where a firewall rule tells it to, and then no faster than its rate
limits have it (`icmp_ratelimit`, `icmp_msgs_per_sec`; man 7 icmp). Here a thread answers: one error
for each segment, as fast as they come. That the kernel itself says nothing is somebody else's part
(`tcplab.wire.shield`).
"""

import errno
import os
import socket
import threading
import time
from collections.abc import Collection
from contextlib import ExitStack, suppress
from select import POLLIN, poll

from tcplab.errors import RefusedError
from tcplab.wire.filters import DISCARD, attach_filter, segments_to
from tcplab.wire.icmp_error import PROHIBITED, QUOTED_OCTETS, message
from tcplab.wire.permit import TestbedPermit

_SOL_PACKET, _IGNORE_OUTGOING = 263, 23
_ETHERTYPES = {4: 0x0800, 6: 0x86DD}
_ICMP = {4: (socket.AF_INET, socket.IPPROTO_ICMP), 6: (socket.AF_INET6, socket.IPPROTO_ICMPV6)}
_SOURCE = {4: slice(12, 16), 6: slice(8, 24)}
_ROOM_OCTETS = 1 << 22  # the kernel gives at most net.core.rmem_max
_AT_ONCE = 256
"""Segments that are answered before another look at whether this is the end."""
_TASKS = "/proc/self/task/{}"
_PATIENCE_S, _PAUSE_S = 5.0, 0.0001


class Prohibition:
    """Answers segments to `ports` of `ip`, in the network namespace in which this is made.

    Its thread waits for those segments alone and costs nothing without them; it does not keep the
    process alive, and is gone when `close` returns. A segment that comes while the socket is full
    has no answer, as with any firewall that is too slow. Raises OSError as the kernel does.
    """

    def __init__(self, ip: str, ports: Collection[int], permit: TestbedPermit) -> None:
        self._permit = permit
        self._version = 6 if ":" in ip else 4
        self._open = ExitStack()
        with ExitStack() as undo:
            undo.callback(self._open.close)
            self._segments = self._listen(ports)
            self._errors = self._speak(ip)
            self._end = os.eventfd(0, os.EFD_CLOEXEC)
            self._open.callback(os.close, self._end)
            self._thread = threading.Thread(target=self._run, name="prohibition", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as refusal:  # no more threads are to be had (RLIMIT_NPROC)
                raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from refusal
            undo.pop_all()

    def _listen(self, ports: Collection[int]) -> socket.socket:
        """Whole IP packets that come for these ports, by whichever interface."""
        made = socket.socket(
            socket.AF_PACKET,
            socket.SOCK_DGRAM | socket.SOCK_NONBLOCK,
            socket.htons(_ETHERTYPES[self._version]),
        )
        self._open.callback(made.close)
        made.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_OCTETS)
        attach_filter(made, segments_to(ports))
        # A socket for every interface is never bound: what came before the filter did is let go.
        with suppress(BlockingIOError):
            while made.recv(1):
                pass
        return made

    def _speak(self, ip: str) -> socket.socket:
        """Sends ICMP messages from `ip`; the kernel writes their IP headers."""
        family, protocol = _ICMP[self._version]
        made = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        self._open.callback(made.close)
        self._permit.check_socket(made)
        attach_filter(made, DISCARD)  # nobody reads it
        made.bind((ip, 0))
        return made

    def _run(self) -> None:
        waiting = poll()
        waiting.register(self._end, POLLIN)
        waiting.register(self._segments, POLLIN)
        while self._end not in dict(waiting.poll()):
            with suppress(BlockingIOError):
                for _ in range(_AT_ONCE):
                    self._refuse(self._segments.recv(QUOTED_OCTETS[self._version]))

    def _refuse(self, packet: bytes) -> None:
        kind, code = PROHIBITED[self._version]
        error = message(packet, version=self._version, kind=kind, code=code)
        source = socket.inet_ntop(_ICMP[self._version][0], packet[_SOURCE[self._version]])
        # No way back, or no room on the link: the error is lost there, as errors may be. So is one
        # that may not be sent: nobody waits for this thread, and whoever sends next is told.
        with suppress(OSError, RefusedError):
            self._permit.check(source)
            self._errors.sendto(error, (source, 0))

    def close(self) -> None:
        """Answer nobody any more. Closing twice is fine."""
        if self._thread.is_alive():
            os.eventfd_write(self._end, 1)
            self._thread.join()
            self._wait_for_its_end()
        self._open.close()

    def _wait_for_its_end(self) -> None:
        """Python is done with a thread a moment before the kernel is, and a process that still has
        two threads cannot enter a user namespace.
        """
        deadline_s = time.monotonic() + _PATIENCE_S
        while os.path.exists(_TASKS.format(self._thread.native_id)):
            if time.monotonic() > deadline_s:
                return
            time.sleep(_PAUSE_S)
