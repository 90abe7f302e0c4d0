"""Finds what a run of tcplab has left behind on this machine.

Others work on it at the same time, so what counts is what can be told to come from the watched
runs: their processes carry a mark in the environment, their files have a room of their own.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from secrets import token_hex

from tcplab.errors import PrivilegeError, UnavailableError
from tcplab.kernel import tracefs
from tests.links import heeding_signals

_NAMED_NAMESPACES = Path("/run/netns")  # man 8 ip-netns


class Watch:
    """Looks at this machine now; `left` says what the runs that it starts have left since.

    `place` is an empty directory. In it are `room`, where they run and may put temporary files (a
    path of its own choice ruff forbids the program, S108), and `caches`, where Scapy keeps what is
    meant to stay: its tables, so that it starts faster.
    """

    def __init__(self, place: Path) -> None:
        self.room, self._caches = place / "room", place / "caches"
        self.room.mkdir()
        self._mark = f"TCPLAB_WATCHED={token_hex(8)}"
        self._pids: set[int] = set()
        self._interfaces = _interfaces()
        self._namespaces = _kept_namespaces()

    @cached_property
    def environment(self) -> dict[str, str]:
        """What a watched run needs in its environment."""
        name, value = self._mark.split("=")
        return {
            name: value,
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            **dict.fromkeys(("HOME", "TMPDIR", "XDG_RUNTIME_DIR"), str(self.room)),
            **dict.fromkeys(("XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(self._caches)),
        }

    def start(self, *command: str | Path) -> subprocess.Popen:
        """Start a watched run. Its output can be read from the process."""
        process = subprocess.Popen(
            command,
            cwd=self.room,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heeding_signals,
        )
        self._pids.add(process.pid)
        return process

    def left(self) -> list[str]:
        """What is here now and was not, in words; empty if all is gone."""
        return [
            *(f"process {pid}: {what}" for pid, what in self._processes()),
            *(f"interface {name}" for name in sorted(_interfaces() - self._interfaces)),
            *(f"namespace {name}" for name in sorted(_kept_namespaces() - self._namespaces)),
            *(f"file {path}" for path in sorted(self.room.rglob("*"))),
            *(f"tracing instance {name}" for name in self._tracing_instances()),
        ]

    def _processes(self) -> Iterator[tuple[int, str]]:
        """Those with the mark, which children inherit; and the network namespace each keeps."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                marked = self._mark.encode() in (entry / "environ").read_bytes().split(b"\0")
                if marked:
                    command = (entry / "comm").read_text().strip()
                    yield int(entry.name), f"{command} in {(entry / 'ns/net').readlink()}"
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it has just ended, or is somebody else's

    def _tracing_instances(self) -> list[str]:
        """Those of our runs that nobody uses any more. None for who may not look."""
        try:
            dead = tracefs.leftovers()
        except (PrivilegeError, UnavailableError):
            return []
        return [name for name in dead if int(name.split("-")[1]) in self._pids]


def _interfaces() -> frozenset[str]:
    return frozenset(name for _index, name in socket.if_nameindex())


def _kept_namespaces() -> frozenset[str]:
    """Network namespaces that need no process, since they have a name or are mounted somewhere."""
    named = os.listdir(_NAMED_NAMESPACES) if _NAMED_NAMESPACES.is_dir() else []
    mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return frozenset((*named, *(fields[4] for fields in mounts if fields[3].startswith("net:"))))
