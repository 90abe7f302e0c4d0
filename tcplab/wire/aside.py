"""Work that nobody waits for."""

from collections.abc import Callable
from threading import Thread


def close_aside(close: Callable[[], object]) -> None:
    """Close a packet socket in a thread: the kernel takes 10 ms and more (an RCU grace period).

    The interpreter waits for that thread at its end: a bare one may begin in what is left of it,
    and crash.
    """
    try:
        Thread(target=close).start()
    except RuntimeError:  # no more threads are to be had (RLIMIT_NPROC)
        close()
