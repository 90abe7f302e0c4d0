"""Runs the installed program as a user does, in an environment of its own."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from json import loads
from pathlib import Path
from select import select
from typing import Any

import pytest

DEADLINE_S = 60.0
"""Far more than any run needs, so that a hang fails instead of lasting."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How the program ended, and what it said."""

    status: int
    out: str
    err: str

    @cached_property
    def document(self) -> dict[str, Any]:
        """What --json printed: one object, and nothing else."""
        assert self.out.count("\n") == 1
        return loads(self.out)

    @property
    def widest(self) -> int:
        """The longest line, in characters: of English each is one cell wide."""
        return max(map(len, self.out.splitlines()))


Run = Callable[..., Result]


def environment(**changes: str | None) -> dict[str, str]:
    """A terminal emulator's, 80 columns wide; `changes` set variables, or take them away (None)."""
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "COLUMNS": "80"}
    return {name: value for name, value in (env | changes).items() if value is not None}


class Pipe:
    """A named pipe that is read, so that whoever opens it to write need not wait."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait(self) -> None:
        """Until something was written."""
        assert select([self._fd], [], [], DEADLINE_S)[0], "nothing was written"

    def read_all(self) -> bytes:
        """What is written, until its writer has closed it."""
        written = b""
        while True:
            self.wait()
            octets = os.read(self._fd, 1 << 16)
            if not octets:
                os.close(self._fd)
                return written
            written += octets


@pytest.fixture
def run(tcplab_program: Path, tmp_path: Path) -> Run:
    """`run("handshake", "-6", COLUMNS="40")`: the program in an empty directory, output in pipes.

    Keyword arguments in small letters are subprocess's.
    """

    def run(*arguments: str | bytes, **how: Any) -> Result:
        changes = {name: how.pop(name) for name in [*how] if name.isupper()}
        done = subprocess.run(
            [tcplab_program, *arguments],
            cwd=tmp_path,
            env=environment(**changes),
            timeout=DEADLINE_S,
            check=False,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            | how,
        )
        out, err = ((stream or b"").decode() for stream in (done.stdout, done.stderr))
        return Result(status=done.returncode, out=out, err=err)

    return run


@pytest.fixture(scope="session")
def kept(tcplab_program: Path, tmp_path_factory: pytest.TempPathFactory):
    """`kept(kind)`: what a run of that kind left; each runs once, when it is first asked for."""
    from tests.cli.runs import Kept, Kind, make

    runs: dict[Kind, Kept] = {}

    def kept(kind: Kind) -> Kept:
        if kind not in runs:
            directory = tmp_path_factory.mktemp("runs", numbered=True) / str(kind)
            runs[kind] = make(tcplab_program, kind, directory)
        return runs[kind]

    return kept
