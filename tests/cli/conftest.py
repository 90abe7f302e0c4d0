"""Runs the installed program as a user does, in an environment of its own."""

import os
import subprocess
import time
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
_LOOK_S, _STOOD_STILL_S = 0.05, 0.4
_PATIENCE_S = 180.0


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


def watched(arguments: list[Any], how: dict[str, Any]) -> tuple[Result, bool]:
    """How a run ended, and whether this machine stood still meanwhile, for almost as long as a
    kernel's rate limit lasts (half a second) or a SYN waits for its answer (one): we are to look
    every now and then, and could not.
    """
    with subprocess.Popen(arguments, **how) as process:
        began_s = looked_s = time.monotonic()
        stood_still, streams = False, None
        while streams is None:
            try:
                streams = process.communicate(timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                if looked_s - began_s > DEADLINE_S:
                    process.kill()
                    raise
            before_s, looked_s = looked_s, time.monotonic()
            stood_still = stood_still or looked_s - before_s > _LOOK_S + _STOOD_STILL_S
    out, err = ((stream or b"").decode() for stream in streams)
    return Result(status=process.returncode, out=out, err=err), stood_still


@pytest.fixture
def run(tcplab_program: Path, tmp_path: Path) -> Run:
    """`run("handshake", "-6", COLUMNS="40")`: the program in an empty directory, output in pipes.

    Keyword arguments in small letters are subprocess's. A run during which the machine stood still
    is played again, without the files that it has made.
    """

    def run(*arguments: str | bytes, **how: Any) -> Result:
        changes = {name: how.pop(name) for name in [*how] if name.isupper()}
        streams = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        how = streams | {"cwd": tmp_path, "env": environment(**changes)} | how
        there = {*tmp_path.rglob("*")}
        end_s = time.monotonic() + _PATIENCE_S
        while True:
            result, stood_still = watched([tcplab_program, *arguments], how)
            if not stood_still:
                return result
            assert time.monotonic() < end_s, "the machine stood still in every run"
            for made in {*tmp_path.rglob("*")} - there:
                made.unlink()

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
