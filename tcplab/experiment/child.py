"""A process of our own for one piece of work: it answers through a pipe, and never outlives us.

Entering a user namespace cannot be undone, so whoever plays several scenarios plays each in one of
these.
"""

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_SET_PDEATHSIG = 1  # PR_SET_PDEATHSIG (linux/prctl.h)
_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_libc = ctypes.CDLL(None)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals that would end us wait until this is over.

    Between a fork and the child's first line they would run our handlers in the child; and before
    the child is written down somewhere, nobody would end it.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


class Child:
    """A forked process that computes `work()`; its answer can be read from the descriptor `fd`.

    The answer ends with the end of the file; a process that died has none. `work` must not print,
    and whatever it raises is lost: it answers for that itself. Raises OSError if there can be no
    further process.
    """

    def __init__(self, work: Callable[[], bytes]) -> None:
        parent = os.getpid()
        self.fd, writer = os.pipe()
        try:
            with undisturbed():
                self.pid = os.fork()
                if self.pid == 0:
                    _work(work, writer, parent)
        except OSError:
            os.close(self.fd)
            raise
        finally:
            os.close(writer)
        os.set_blocking(self.fd, False)
        self._answer = b""
        self._reaped = False

    def fileno(self) -> int:
        """The descriptor: readable when there is more of the answer, or its end."""
        return self.fd

    def hear(self) -> bool:
        """Take what there is of the answer; True at its end. Never waits."""
        while True:
            try:
                octets = os.read(self.fd, 1 << 20)
            except BlockingIOError:
                return False
            if not octets:
                return True
            self._answer += octets

    def end(self) -> tuple[bytes, int]:
        """(the answer, the exit status) of a process whose answer has ended.

        The status is a signal's number with a minus, if one ended it.
        """
        _pid, status = os.waitpid(self.pid, 0)
        self._reaped = True
        os.close(self.fd)
        return self._answer, os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        """End it now, whatever it does; its testbed goes with it."""
        if not self._reaped:
            # A signal may have come after it was waited for, and before that was noted.
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                self.end()


def _work(work: Callable[[], bytes], writer: int, parent: int) -> None:
    """In the child: die with the parent, work, answer, and end without the parent's clean-up."""
    status = 1
    try:
        _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == parent:  # else it died before we asked to be told of it
            # Ctrl-C reaches the whole group of the terminal; our parent ends us.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for number in _OURS[1:]:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
            with open(writer, "wb") as pipe:
                pipe.write(work())
            status = 0
    finally:
        os._exit(status)
