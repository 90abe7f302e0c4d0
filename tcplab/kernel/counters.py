"""A kernel's TCP counters (/proc/net/snmp and /proc/net/netstat, man 5 proc_net).

Names are joined as `nstat` joins them: "TcpOutRsts" is OutRsts of RFC 4022's tcp group,
"TcpExtTCPChallengeACK" one of Linux's own (net/ipv4/proc.c). They count since the network namespace
began to exist.
"""

import os
from collections.abc import Mapping

_FILES = ("/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat")
_GROUPS = frozenset({"Tcp", "TcpExt"})
_NOT_COUNTED = frozenset(
    {"TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "TcpMaxConn", "TcpCurrEstab"}
)
"""Four settings and a gauge, which goes down again."""
_WHOLE_FILE = 1 << 16  # the longer one has some 4 KiB


class Counters:
    """Reads the counters of the network namespace in which it was made.

    An open file of /proc/net stays with its namespace, so the two are kept open, and one reading
    takes some 0.1 ms, wherever this thread is by then.
    """

    def __init__(self) -> None:
        self._files: list[int] = []
        try:
            for path in _FILES:
                self._files.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except BaseException:
            self.close()
            raise

    def read(self) -> dict[str, int]:
        """Every counter as it is now."""
        # A read at offset 0 makes the kernel compose the file anew (fs/seq_file.c, traverse()).
        texts = (os.pread(file, _WHOLE_FILE, 0).decode() for file in self._files)
        return parse("".join(texts))

    def close(self) -> None:
        """Give the files back. Closing twice is fine."""
        while self._files:
            os.close(self._files.pop())


def parse(text: str) -> dict[str, int]:
    """The TCP counters in the text of either file, or of both: pairs of lines, names and values."""
    counters: dict[str, int] = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        group, _, names = names.partition(":")
        if group not in _GROUPS:
            continue
        _, _, values = values.partition(":")
        joined = (group + name for name in names.split())
        counters.update(zip(joined, map(int, values.split()), strict=True))
    return {name: value for name, value in counters.items() if name not in _NOT_COUNTED}


def delta(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """How much each counter grew from `before` to `after`; one that did not grow is left out."""
    growth = {name: value - before.get(name, 0) for name, value in after.items()}
    return {name: grown for name, grown in growth.items() if grown > 0}
