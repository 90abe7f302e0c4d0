"""A close() that lingers: SO_LINGER is on, with more than 0 seconds.

Linux lets such a close() wait until the peer has acknowledged all data and the FIN, or until the
time is over, even where the socket does not block (net/ipv4/af_inet.c, inet_release). Meanwhile the
wire must go on, so this one call is made in a thread of its own.
"""

import errno
import os
import socket
from select import POLLIN
from struct import calcsize, unpack
from threading import Thread

from tcplab.testbed.host import Outcome

_LINGER = "=ii"  # struct linger: on, seconds


def linger_s(of: socket.socket) -> int:
    """For how many seconds at most its close() waits; 0 if it does not."""
    on, seconds = unpack(
        _LINGER, of.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, calcsize(_LINGER))
    )
    return int(seconds) if on else 0


class Lingering:
    """Closes `closing`. The socket is the application's no more as soon as this exists.

    `begun` is what to tell of the call while it waits: EINPROGRESS stands for that.
    """

    name = "close"
    wants = POLLIN

    def __init__(self, closing: socket.socket) -> None:
        # Its end closes one of a pair of sockets, which whoever waits with poll() notices.
        self.socket, self._done = socket.socketpair()
        self.socket.setblocking(False)
        self.ended = False
        arguments = f"SO_LINGER = {{1, {linger_s(closing)}}}"
        self.begun = Outcome(result=errno.errorcode[errno.EINPROGRESS], arguments=arguments)
        # A thread that still waits when the run is over must not keep the process alive.
        waiting = Thread(target=self._close, args=(closing.fileno(),), daemon=True)
        try:
            waiting.start()
        except RuntimeError as refusal:  # no more threads are to be had (RLIMIT_NPROC)
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from refusal
        closing.detach()

    def _close(self, descriptor: int) -> None:
        try:
            os.close(descriptor)
        finally:
            self._done.close()

    def progress(self) -> tuple[int, int, Outcome | None]:
        """Has it returned? (0, 0, what to tell of it)."""
        try:
            self.socket.recv(1)
        except BlockingIOError:
            return 0, 0, None
        self.socket.close()
        self.ended = True
        # On Linux close() returns 0 here whatever became of the data.
        return 0, 0, Outcome(result="0", arguments=self.begun.arguments)

    def next_ns(self) -> int | None:
        """Never: poll() tells when it is done."""
        return None

    @property
    def reads(self) -> bool:
        """Is it still under way?"""
        return not self.ended
