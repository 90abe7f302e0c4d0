"""One run of every kind, with everything that it can leave: made once, read by many tests."""

import subprocess
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from json import loads
from pathlib import Path
from typing import Any

from tcplab.timeline import jsonl
from tests.cli.conftest import DEADLINE_S, environment
from tests.experiment.pauses import acks_fell_due, syns_fell_due

TRIES = 50
HOWS = ("client-first", "server-first", "three-segment", "half-close", "simultaneous", "abort")


@dataclass(frozen=True)
class Kind:
    """A scenario, whose TCP the client is, and the family."""

    command: tuple[str, ...]
    client: str
    family: str

    def __str__(self) -> str:
        """For the names of tests."""
        return f"{self.command[-1]}-{self.client}-{self.family}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line."""
        return (*self.command, "--client", self.client, *(["-6"] * (self.family == "ipv6")))


KINDS = [
    Kind(command, client, family)
    for command, client, family in product(
        [("handshake",), *(("teardown", "--how", how) for how in HOWS)],
        ("crafted", "kernel"),
        ("ipv4", "ipv6"),
    )
]


@dataclass(frozen=True)
class Kept:
    """What one run left in its directory."""

    directory: Path
    status: int
    out: str
    err: str

    @cached_property
    def document(self) -> dict[str, Any]:
        """The object that --json printed."""
        return loads(self.out)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Its events of that kind."""
        return [event for event in self.document["events"] if event["kind"] == kind]

    @cached_property
    def numbered(self) -> dict[int, dict[str, Any]]:
        """Its segments by the numbers that pictures give them: in the order of their arrival."""
        arrived = sorted(self.told("segment"), key=lambda segment: segment["delivered_ns"])
        return dict(enumerate(arrived, 1))

    @property
    def saved(self) -> Path:
        return self.directory / "run.jsonl"

    @property
    def pcap(self) -> Path:
        return self.directory / "run.pcapng"

    @property
    def svg(self) -> Path:
        return self.directory / "run.svg"


def make(program: Path, kind: Kind, directory: Path) -> Kept:
    """Run it with --json, --save, --pcap and --svg at once; again if the machine paused where that
    makes a difference.
    """
    directory.mkdir()
    for number in range(TRIES):
        kept = _run(program, kind, directory / str(number))
        if not _disturbed(kept, kind):
            return kept
    raise AssertionError(f"the machine stood still in each of {TRIES} runs")


def _disturbed(kept: Kept, kind: Kind) -> bool:
    """Did a SYN fall due; or a delayed ACK, where nobody acknowledges at once?"""
    if not kept.saved.exists():
        return False
    with kept.saved.open("rb") as file:
        timeline = jsonl.read(file)
    return syns_fell_due(timeline) or ("three-segment" in kind.command and acks_fell_due(timeline))


def _run(program: Path, kind: Kind, directory: Path) -> Kept:
    directory.mkdir()
    files = ("--save", "run.jsonl", "--pcap", "run.pcapng", "--svg", "run.svg")
    done = subprocess.run(
        [program, *kind.arguments, "--json", *files],
        cwd=directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return Kept(directory, done.returncode, done.stdout, done.stderr)
