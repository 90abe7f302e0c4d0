"""Whatever ends a run, nothing of it is left: no process, interface, namespace or file."""

import contextlib
import ctypes
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tcplab.kernel import links, tracefs
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.testbed.netns import Namespace
from tests.leftovers import Watch
from tests.links import apart, until

PROMPTLY_S = 40.0
"""A deadline for whatever should end at once; the machine may be busy."""
MISSES = 100
"""So many runs in a row are not over before their moment by chance."""

RUNS = (
    ("handshake",),
    ("handshake", "--client", "kernel"),
    ("handshake", "-6"),
    ("teardown",),
    ("teardown", "--client", "crafted"),
    ("teardown", "--how", "simultaneous", "-6"),
)


@pytest.fixture
def watch(tmp_path) -> Watch:
    return Watch(tmp_path)


@pytest.fixture
def chance() -> random.Random:
    """Random moments that can be had again: the seed is in the failed test's output."""
    seed = random.getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


class End(NamedTuple):
    """How a run ended: its status as a shell would say it, and what it wrote.

    `heeded` says that it heeded signals when one was sent to it: before that Python itself still
    started, and what becomes of a signal then is Python's affair.
    """

    status: int
    out: str
    err: str
    heeded: bool = True


def ended(process: subprocess.Popen, within_s: float = PROMPTLY_S) -> End:
    """Wait for it."""
    out, err = process.communicate(timeout=within_s)
    code = process.returncode
    return End(128 - code if code < 0 else code, out, err)


def heeds_signals(pid: int) -> bool:
    """Has that process a handler for SIGTERM, which Python itself never has (man 5 proc)?"""
    (caught,) = re.findall(r"SigCgt:\s+(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def duration_s(watch: Watch, program: Path, run: tuple[str, ...]) -> float:
    """How long a run takes that nobody disturbs."""
    began_s = time.monotonic()
    end = ended(watch.start(program, *run))
    assert end.status == 0, end.err
    return time.monotonic() - began_s


class Disturber:
    """Starts runs at random and sends each a signal at a random moment of its life.

    How long they last is the machine's affair, and changes with what else it does: a run that was
    over before its moment is not counted, and tells how long such runs last now.
    """

    def __init__(self, watch: Watch, program: Path, runs, chance: random.Random) -> None:
        self._watch, self._program, self._chance = watch, program, chance
        self._lasts_s = {run: duration_s(watch, program, run) for run in runs}

    def disturb(self, number: signal.Signals) -> End:
        """How a run ended that got that signal while it ran."""
        for _ in range(MISSES):
            run = self._chance.choice(list(self._lasts_s))
            moment_s = self._chance.uniform(0, self._lasts_s[run])
            process = self._watch.start(self._program, *run)
            began_s = time.monotonic()
            try:
                end = ended(process, moment_s)
            except subprocess.TimeoutExpired:
                heeded = heeds_signals(process.pid)
                process.send_signal(number)
                # They may last longer by now: else only young ones would be hit.
                self._lasts_s[run] = max(self._lasts_s[run], 1.1 * moment_s)
                return ended(process)._replace(heeded=heeded)
            assert end.status == 0, end.err
            self._lasts_s[run] = time.monotonic() - began_s
        raise AssertionError(f"{MISSES} runs in a row were over before their moment")


# --- kill -9 ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_kill_9_at_50_random_moments_leaves_nothing(watch, chance, tcplab_program):
    disturber = Disturber(watch, tcplab_program, RUNS, chance)
    killed = 0
    for _ in range(50):
        end = disturber.disturb(signal.SIGKILL)
        # 0: it was over in that very instant.
        assert end.status in (0, 128 + signal.SIGKILL), end.err
        killed += end.status != 0
        assert watch.left() == []

    assert killed > 25


TRACED = (
    ("handshake", "--trace"),
    ("handshake", "--client", "kernel", "--trace"),
    ("teardown", "--trace"),
)


@pytest.mark.traces
@pytest.mark.slow
def test_kill_9_of_a_traced_run_leaves_nothing_after_the_next_one(watch, chance, tcplab_program):
    disturber = Disturber(watch, tcplab_program, TRACED, chance)
    for _ in range(50):
        disturber.disturb(signal.SIGKILL)
    duration_s(watch, tcplab_program, TRACED[0])

    assert watch.left() == []


# --- signals that are heeded --------------------------------------------------------------------

HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.slow
@pytest.mark.parametrize("number", HEEDED, ids=lambda number: number.name)
def test_a_signal_ends_a_run_promptly_and_leaves_nothing(watch, chance, tcplab_program, number):
    disturber = Disturber(watch, tcplab_program, RUNS, chance)
    statuses = set()
    for _ in range(20):
        end = disturber.disturb(number)
        assert watch.left() == []
        if end.heeded:
            assert end.status in (0, 128 + number), end.err
            statuses.add(end.status)

    assert 128 + number in statuses


@pytest.mark.traces
@pytest.mark.slow
@pytest.mark.parametrize("number", HEEDED, ids=lambda number: number.name)
def test_a_signal_ends_a_traced_run_and_leaves_nothing(watch, chance, tcplab_program, number):
    disturber = Disturber(watch, tcplab_program, TRACED, chance)
    for _ in range(10):
        end = disturber.disturb(number)
        assert watch.left() == []
        assert end.status in (0, 128 + number) or not end.heeded, end.err


# --- the detector itself ------------------------------------------------------------------------


def test_nothing_left_is_found_where_nothing_was_planted(watch, tcplab_program):
    duration_s(watch, tcplab_program, ("handshake", "--client", "kernel"))

    assert watch.left() == []


def found_in(watch: Watch) -> list[str]:
    """What it finds; in the midst of execve() a process has no environment for a moment."""
    until(lambda: watch.left() != [])
    return watch.left()


def test_a_planted_process_is_found(watch):
    planted = watch.start("sleep", "60")
    try:
        (found,) = found_in(watch)
    finally:
        planted.kill()
        ended(planted)

    assert found.startswith(f"process {planted.pid}: sleep in net:")


def test_a_planted_grandchild_is_found_when_its_parent_is_gone(watch):
    planted = watch.start("sh", "-c", "sleep 60 >&- 2>&- & echo $!")
    child = int(ended(planted).out)
    try:
        (found,) = found_in(watch)
    finally:
        os.kill(child, signal.SIGKILL)

    assert found.startswith(f"process {child}: sleep in net:")


def test_a_planted_file_is_found(watch):
    (watch.room / "deep").mkdir()
    (watch.room / "deep" / "file").touch()

    assert watch.left() == [f"file {watch.room}/deep", f"file {watch.room}/deep/file"]


def planted_interfaces(place: Path) -> list[str]:
    watch = Watch(place)
    elsewhere = Namespace()
    with contextlib.closing(Netlink(ROUTE)) as netlink:
        netlink.tell(
            [
                links.veth(
                    name="planted",
                    mac="02:00:00:00:00:01",
                    index=10,
                    peer="eth0",
                    peer_mac="02:00:00:00:00:02",
                    peer_index=10,
                    peer_netns=elsewhere.fd,
                )
            ]
        )
    return watch.left()


def test_a_planted_interface_is_found(tmp_path):
    assert apart(planted_interfaces, tmp_path) == ["interface planted"]


NEW_MOUNTS, BIND = 0x00020000, 0x1000  # CLONE_NEWNS, MS_BIND


def planted_namespace(place: Path, beside: Path) -> list[str]:
    """A network namespace that needs no process, mounted where only this process sees it."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(NEW_MOUNTS) == 0
    watch = Watch(place)
    beside.touch()
    planted = f"/proc/self/fd/{Namespace().fd}"
    assert libc.mount(planted.encode(), str(beside).encode(), None, BIND, None) == 0
    return watch.left()


def test_a_planted_namespace_is_found(tmp_path):
    beside = tmp_path / "namespace"

    assert apart(planted_namespace, tmp_path, beside) == [f"namespace {beside}"]


@pytest.mark.traces
def test_a_planted_tracing_instance_is_found(watch):
    planted = watch.start("true")
    ended(planted)
    name = f"tcplab-{planted.pid}-1"
    with tracefs._tracefs() as root:
        instance = root / "instances" / name

        def planted_and_found() -> bool:
            instance.mkdir(exist_ok=True)  # others that trace may sweep it away
            found[:] = watch.left()
            return found != []

        found: list[str] = []
        try:
            until(planted_and_found)
        finally:
            tracefs._remove(instance)

    assert found == [f"tracing instance {name}"]
