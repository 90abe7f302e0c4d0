"""How many sockets the applications of one host may hold open, as RLIMIT_NOFILE has it.

All hosts of a testbed are in one process, so the limit cannot simply be set. It is set for the one
call that would go beyond it, and what the call returns then is the kernel's own answer.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


class DescriptorLimit:
    """At most so many sockets; None: as many as the process may have."""

    def __init__(self, most: int | None) -> None:
        self._most = most

    @contextmanager
    def with_open(self, count: int) -> Iterator[None]:
        """What is called in here meets the limit, if so many are open already (EMFILE)."""
        if self._most is None or count < self._most:
            yield
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
