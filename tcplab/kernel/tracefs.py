"""The independent witness: the kernel's own tracepoints, through tracefs (root only).

Each run has a tracing instance of its own, so runs do not disturb one another. An instance outlives
its process; it carries that process's id and start time in its name, and the next run sweeps it.
What the events mean is in `tracepoints`.
"""

import ctypes
import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from select import select
from types import TracebackType
from typing import Self

from tcplab.errors import InconclusiveError, PrivilegeError, TcplabError, UnavailableError
from tcplab.kernel.privilege import Capability, holds, in_first_user_namespace, sudo
from tcplab.kernel.tracepoints import Drop, Line, Traced, interpret, lines, lost
from tcplab.text import Text

_MOUNTED = Path("/sys/kernel/tracing")
_NAME = re.compile(r"tcplab-(\d+)-(\d+)")
_BY_PORT = (
    "sock/inet_sock_set_state",
    "tcp/tcp_receive_reset",
    "tcp/tcp_retransmit_skb",
    "tcp/tcp_retransmit_synack",
)
_RESETS = "tcp/tcp_send_reset"  # its ports lie in a sockaddr, which no filter can look into
_DROPS = "skb/kfree_skb"  # it has no addresses
_HAS_SOCKET = "skaddr != 0"
_IP_PACKETS = "(protocol == 0x0800 || protocol == 0x86DD)"
_PATIENCE_S = 10.0
_NOT_OURS_TO_REMOVE = frozenset({errno.EBUSY, errno.ENOENT, errno.ENODEV})
"""EBUSY: a process holds its trace_pipe, so it is in use (its run may be in another PID namespace,
and only look dead from here). The others: another run sweeps it right now, or has.
"""


class Tracing:
    """The traced events of the connections that have one of `ports` at either end.

    Timers run in any task's context and the kernel traces every network namespace, so the port is
    all that tells a connection from others: choose client ports at random. Dropped packets carry no
    address; those are shown that the calling thread itself caused, for that is where a stepped wire
    has the kernel process them. For the same reason an RST for which there is no socket is shown
    only if this thread caused it: a port scan anywhere on the machine makes more of those than can
    be read.
    """

    def __init__(self, ports: frozenset[int]) -> None:
        """Begin to trace; `open` also sweeps up first. Raises what `open` raises."""
        self._ports = ports
        self._barriers = 0
        self._mount = ExitStack()
        self._files: list[FileIO] = []
        self._instance: Path | None = None
        self.lost = 0
        """How many events the kernel had no room for: above 0, nothing is proved."""
        with _explained(), ExitStack() as failing:
            failing.callback(self.close)
            self._start(self._mount.enter_context(_tracefs()))
            failing.pop_all()

    @classmethod
    def open(cls, ports: frozenset[int]) -> Self:
        """Sweep the instances of dead runs and begin to trace.

        Raises PrivilegeError without root, and UnavailableError where the kernel has no tracefs.
        """
        sweep()
        return cls(ports)

    def _start(self, root: Path) -> None:
        instance = root / "instances" / f"tcplab-{os.getpid()}-{_started(os.getpid())}"
        self._instance = instance  # before it is there: a signal may come right after
        instance.mkdir()
        _set(instance / "trace_clock", "mono")
        _set(instance / "buffer_percent", "0")  # or select() waits until the buffer is half full
        self._marker = self._opened(instance / "trace_marker", "w")
        self._pipe = self._opened(instance / "trace_pipe", "r")
        os.set_blocking(self._pipe.fileno(), False)
        # In a PID namespace the kernel traces another number than the one that getpid() returns.
        task = self._lines()[-1].task
        events = instance / "events"
        ports = " || ".join(f"sport == {port} || dport == {port}" for port in sorted(self._ports))
        ours = f"common_pid == {task}"
        for event in _BY_PORT:
            # In connect() a socket may have no port yet, nor anything else that tells whose it is.
            _set(events / event / "filter", f"({ports}) && (sport != 0 || {ours})")
        _set(events / _RESETS / "filter", f"{ours} || {_HAS_SOCKET}")
        _set(events / _DROPS / "filter", f"{ours} && {_IP_PACKETS}")
        for event in (*_BY_PORT, _RESETS, _DROPS):
            _set(events / event / "enable", "1")

    def _opened(self, path: Path, mode: str) -> FileIO:
        self._files.append(FileIO(path, mode))
        return self._files[-1]

    def read(self) -> list[Traced]:
        """Everything traced since the last call, in order."""
        events = (interpret(line) for line in self._lines())
        return [event for event in events if event is not None and self._ours(event)]

    def _ours(self, event: Traced) -> bool:
        return isinstance(event, Drop) or not self._ports.isdisjoint(
            (event.local.port, event.remote.port)
        )

    def _lines(self) -> list[Line]:
        """Read up to a line that is written now; the last one is such a line or came after it.

        Reading until nothing comes loses events: the pipe may say "nothing" while there are some.
        """
        self._barriers += 1
        barrier = f"barrier {self._barriers}"
        self._marker.write(barrier.encode())
        end_s = time.monotonic() + _PATIENCE_S
        text = ""
        while f": {barrier}\n" not in text:
            left_s = end_s - time.monotonic()
            if left_s <= 0 or not select([self._pipe], [], [], left_s)[0]:
                raise InconclusiveError(
                    Text("The kernel does not hand out its traced events."),
                    remedy=Text("Is /sys/kernel/tracing in other hands? Try it without --trace."),
                )
            text += (self._pipe.read(1 << 16) or b"").decode(errors="replace")  # whole lines
        self.lost += lost(text)
        return list(lines(text))

    def close(self) -> None:
        """Stop tracing and remove the instance. Closing twice is fine.

        A signal in the midst of it is heeded when that is done: an instance outlives its process.
        """
        signal: KeyboardInterrupt | None = None
        while True:
            try:
                self._give_back()
            except KeyboardInterrupt as interrupt:
                signal = interrupt
            else:
                break
        if signal is not None:
            raise signal

    def _give_back(self) -> None:
        """Each part of it may be done again, from wherever it was broken off."""
        for file in self._files:
            file.close()
        if self._instance is not None:
            _remove(self._instance)
            self._instance = None
        self._mount.close()

    def __del__(self) -> None:
        """What nobody had the time to close."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def leftovers() -> list[str]:
    """The names of instances whose run is dead. Raises PrivilegeError or UnavailableError."""
    with _explained(), _tracefs() as root:
        return sorted(path.name for path in _dead(root))


def sweep() -> None:
    """Remove the instances of dead runs. Raises PrivilegeError or UnavailableError."""
    with _explained(), _tracefs() as root:
        for path in _dead(root):
            _remove(path)


def _dead(root: Path) -> list[Path]:
    """Instances named for a process that is gone, or for another one that had its id before."""
    found = []
    for path in (root / "instances").iterdir():
        named = _NAME.fullmatch(path.name)
        if named and _started(int(named[1])) != int(named[2]):
            found.append(path)
    return found


def _remove(instance: Path) -> None:
    try:
        instance.rmdir()
    except OSError as refusal:
        if refusal.errno not in _NOT_OURS_TO_REMOVE:
            raise


def _started(process: int) -> int | None:
    """When a process started, in clock ticks since boot; None without one (man 5 proc_pid_stat)."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


def _set(setting: Path, value: str) -> None:
    setting.write_text(value)


# The mount API has the same system call numbers on every architecture (Linux 5.2).
_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
_CREATE = 6  # FSCONFIG_CMD_CREATE
_CLOSE_ON_EXEC = 1
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def _tracefs() -> Iterator[Path]:
    """Where tracefs is, mounted by the system or else, while this lasts, by us and seen by nobody.

    fsmount() gives a mount that is attached nowhere and goes with its descriptor: no change to the
    machine's mounts, and no mount namespace, which could not be left again.
    """
    if (_MOUNTED / "instances").is_dir():
        yield _MOUNTED
        return
    context = _system_call(_FSOPEN, b"tracefs", _CLOSE_ON_EXEC)
    try:
        _system_call(_FSCONFIG, context, _CREATE, None, None, 0)
        mount = _system_call(_FSMOUNT, context, _CLOSE_ON_EXEC, 0)
    finally:
        os.close(context)
    try:
        yield Path(f"/proc/self/fd/{mount}")
    finally:
        os.close(mount)


def _system_call(number: int, *arguments: bytes | int | None) -> int:
    result: int = _libc.syscall(number, *arguments)
    if result < 0:
        failure = ctypes.get_errno()
        raise OSError(failure, os.strerror(failure))
    return result


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the system's refusals into errors that say what to do."""
    try:
        yield
    except PermissionError as refusal:
        raise _refused() from refusal
    except OSError as failure:
        raise UnavailableError(
            Text("The kernel's tracepoints cannot be read: {reason}.", reason=str(failure)),
            remedy=Text("It works without --trace, on states that sock_diag reports."),
        ) from failure


def _refused() -> TcplabError:
    if holds(Capability.SYS_ADMIN) and in_first_user_namespace():
        return UnavailableError(
            Text("The kernel refuses its tracepoints even to root (lockdown, or a container)."),
            remedy=Text("It works without --trace, on states that sock_diag reports."),
        )
    return PrivilegeError(
        Text("Only root may read the kernel's tracepoints."),
        remedy=Text("Run it as root: {command}", command=sudo()),
    )
