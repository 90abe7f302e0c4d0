"""Runs a function in a process of its own, where it may enter a user namespace.

unshare(CLONE_NEWUSER) cannot be undone, so every live test forks first. The testbed is rootless in
the child whoever runs the tests: that is what users get. A child that cannot make it fails its
test.
"""

import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_DEADLINE_S = 240.0
_LONG_S = 1500.0


class ChildError(AssertionError):
    """The child's traceback."""


def forked(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """`function(*args, **kwargs)`, computed in a forked child; its exception becomes a failure."""
    return _within(_DEADLINE_S, function, args, kwargs)


def forked_for_long(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """The same for many repetitions, which take minutes where the machine has much else to do."""
    return _within(_LONG_S, function, args, kwargs)


def _within(deadline_s: float, function: Callable[..., T], args: Any, kwargs: Any) -> T:
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer(writer, function, args, kwargs)
    os.close(writer)
    try:
        outcome, value = pickle.loads(_read_all(reader, child, deadline_s))
    finally:
        os.close(reader)
        os.waitpid(child, 0)
    if outcome == "failed":
        raise ChildError(value)
    return value


def _answer(writer: int, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """In the child: compute, write the answer, and end without the parent's clean-up."""
    signal.alarm(0)  # pytest-timeout's alarm is the parent's
    try:
        answer = pickle.dumps(("done", function(*args, **kwargs)))
    except BaseException:
        answer = pickle.dumps(("failed", traceback.format_exc()))
    with open(writer, "wb") as pipe:
        pipe.write(answer)
    os._exit(0)


def _read_all(reader: int, child: int, deadline_s: float) -> bytes:
    end_s = time.monotonic() + deadline_s
    received = b""
    while True:
        if not select.select([reader], [], [], max(end_s - time.monotonic(), 0))[0]:
            os.kill(child, signal.SIGKILL)
            raise ChildError(f"the child did not answer within {deadline_s:.0f} s")
        octets = os.read(reader, 1 << 16)
        if not octets:
            return received
        received += octets
