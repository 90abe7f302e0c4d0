"""Anonymous network namespaces: held by descriptors only, gone when the last descriptor is.

A socket stays for ever in the namespace in which it was made. So one process, with one thread,
steps into a namespace, makes its sockets there, steps back, and holds the sockets of all hosts at
once.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_NEWNET, _NEWUSER = 0x40000000, 0x10000000  # CLONE_* (linux/sched.h)
_libc = ctypes.CDLL(None, use_errno=True)


def _call(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def current() -> int:
    """A descriptor of the network namespace that this thread is in; the caller closes it."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter_user_namespace() -> None:
    """Become the root of a fresh user namespace, with an empty network namespace around it.

    Cannot be undone, and needs a process with one thread. Both namespaces are made in one call:
    the process must own the network namespace that it comes home to, or setns() back is refused.
    Raises OSError where the system forbids it (man 7 user_namespaces).
    """
    uid, gid = os.geteuid(), os.getegid()
    _call(_libc.unshare(_NEWUSER | _NEWNET))
    for name, words in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {uid} 1"),
        ("gid_map", f"0 {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(words)


@contextmanager
def _back_home() -> Iterator[None]:
    home = current()
    try:
        yield
    finally:
        try:
            _call(_libc.setns(home, _NEWNET))
        finally:
            os.close(home)


class Namespace:
    """One anonymous network namespace, made by this. Raises OSError without CAP_SYS_ADMIN."""

    def __init__(self) -> None:
        with _back_home():
            _call(_libc.unshare(_NEWNET))
            self.fd = current()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside it: sockets made here stay here."""
        with _back_home():
            _call(_libc.setns(self.fd, _NEWNET))
            yield

    def close(self) -> None:
        """Let go of it. It lives on while one of its sockets does."""
        os.close(self.fd)
