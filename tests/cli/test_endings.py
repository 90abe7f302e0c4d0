"""Ctrl-C and other signals: what was seen is shown and saved, the status says which it was."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import DEADLINE_S, Pipe, environment
from tests.links import heeding_signals

LONG = ("handshake", "--client", "kernel", "--send", "x" * 32_767)
"""Cut into dozens of segments: it runs for some milliseconds."""
CUT_SHORT = "Cut short: this is what was seen until then."


def started(program: Path, directory: Path, *arguments: str, ignored: int | None = None):
    return subprocess.Popen(
        [program, *arguments],
        cwd=directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ignored and (lambda: signal.signal(ignored, signal.SIG_IGN)),
    )


def wait_for_testbed(process: subprocess.Popen) -> None:
    """Until the process holds network namespaces, which its testbed is made of, or has ended."""
    descriptors = Path(f"/proc/{process.pid}/fd")
    until_s = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        assert time.monotonic() < until_s
        with contextlib.suppress(OSError):  # it was closed meanwhile, or the process ended
            if any(os.readlink(each).startswith("net:") for each in descriptors.iterdir()):
                return


AT_A_FRAME = """
import signal, sys
from tcplab.__main__ import main
from tcplab.testbed.namespace import NamespaceTestbed

number, last = int(sys.argv.pop(1)), int(sys.argv.pop(1))
put, frames = NamespaceTestbed._put, []

def interrupted(self, frame, name):
    frames.append(frame)
    if len(frames) == last:
        signal.raise_signal(number)
    return put(self, frame, name)

NamespaceTestbed._put = interrupted
main()
"""
"""The program, which gets a signal when the wire is about to deliver one of its frames."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("frame", [1, 4, 20])
def test_what_was_seen_is_shown_and_saved(tmp_path: Path, number, frame):
    """-v shows every segment: without, alike ones are folded."""
    outputs = ("-v", "--save", "run.jsonl", "--svg", "run.svg")
    done = subprocess.run(
        [sys.executable, "-c", AT_A_FRAME, str(int(number)), str(frame), *LONG, *outputs],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        preexec_fn=heeding_signals,
    )
    assert (done.returncode, done.stderr) == (128 + number, "")
    assert CUT_SHORT in done.stdout
    assert "Each SYN takes one sequence number" not in done.stdout  # what a whole run would show
    header, *events = map(json.loads, (tmp_path / "run.jsonl").read_text().splitlines())
    assert header["interrupted"] is True
    segments = [event for event in events if event["kind"] == "segment"]
    assert len(segments) == len(re.findall(r"\[[A-Z, ]+\] seq", done.stdout))
    assert len(segments) >= frame  # those that it held have been seen as well
    assert not any("F" in event["flags"] for event in segments)
    assert (tmp_path / "run.svg").stat().st_size > 0


def test_a_signal_after_the_run_lets_the_result_be_shown(tcplab_program: Path, tmp_path: Path):
    """Files are written when all has been shown, and a full pipe waits for its reader."""
    pipe = Pipe(tmp_path / "pipe")
    process = started(tcplab_program, tmp_path, *LONG, "--save", "pipe", "--svg", "run.svg")
    pipe.wait()
    process.send_signal(signal.SIGINT)
    saved = pipe.read_all()
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (130, "")
    assert json.loads(saved.splitlines()[0])["interrupted"] is False
    assert (tmp_path / "run.svg").stat().st_size > 0
    assert out.count("[SYN]") == 1


def test_a_run_started_to_ignore_a_signal_ignores_it(tcplab_program: Path, tmp_path: Path):
    process = started(tcplab_program, tmp_path, *LONG, ignored=signal.SIGHUP)
    wait_for_testbed(process)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (0, "")
    assert CUT_SHORT not in out


DEAF = """
import signal, sys, time
from tcplab.cli.ending import exit_status_of, heed_signals

class Deaf:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

def command():
    Deaf()
    for _ in range(1000):
        time.sleep(0.01)

heed_signals()
sys.exit(exit_status_of(command, str))
"""
"""A signal comes where Python swallows what is raised, and prints it instead."""


def test_a_signal_that_python_swallows_comes_again():
    done = subprocess.run(
        [sys.executable, "-c", DEAF], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


LATE = """
import atexit, os, signal, sys, threading, time
from tcplab.cli.ending import heed_signals, last_status_of

class Gone:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGALRM)
        os.kill(os.getpid(), signal.SIGINT)

def command():
    os.kill(os.getpid(), signal.SIGTERM)

heed_signals()
sys.gone = Gone()
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
sys.exit(last_status_of(command, str))
"""
"""Further signals come while Python ends, and when it minds none any more. A thread lives on, as
one does that closes sockets.
"""


def test_signals_at_the_very_end_do_not_change_the_status():
    done = subprocess.run(
        [sys.executable, "-c", LATE], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


UNREAD = """
import os, signal, sys
from tcplab.cli.ending import finish, heed_signals, last_status_of

def command():
    heed_signals()
    finish()
    os.write(2, b"finished\\n")
    sys.stdout.write("x" * 1_000_000)

sys.exit(last_status_of(command, str))
"""
"""What it prints is more than a pipe holds."""


def test_a_second_signal_ends_a_run_whose_reader_does_not_read():
    process = subprocess.Popen(
        [sys.executable, "-c", UNREAD],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heeding_signals,
    )
    assert process.stderr.readline() == b"finished\n"
    until_s = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        assert time.monotonic() < until_s
        process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    assert process.returncode == 143
    assert process.communicate(timeout=DEADLINE_S)[1] == b""


ANOTHER = """
import signal, sys
from tcplab.cli import ending

silence, flush, came = ending._silence, ending._flush, []

def once(what):
    if what not in came:
        came.append(what)
        signal.raise_signal(signal.SIGTERM)

def silenced(number):
    once("a second one")
    silence(number)

def flushed():
    once("a first one")
    flush()

ending._silence, ending._flush = silenced, flushed
sys.exit(ending.last_status_of(ending.heed_signals, str))
"""
"""Another signal comes while a first one is dealt with that came at the end."""


def test_a_signal_while_another_one_is_dealt_with_changes_nothing():
    done = subprocess.run(
        [sys.executable, "-c", ANOTHER], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


AT_ONCE = """
import signal
from tcplab.cli import ending, main

heed = ending.heed_signals

def heed_and_hear():
    heed()
    signal.raise_signal(signal.SIGTERM)

ending.heed_signals = heed_and_hear
main()
"""
"""A signal comes as soon as the program heeds signals."""


def test_the_first_signal_that_is_heeded_is_a_status():
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


BUG = """
import signal, sys
from tcplab.cli.ending import exit_status_of, finish, heed_signals

def command():
    finish()
    signal.raise_signal(signal.SIGINT)
    raise RuntimeError("while it is shown")

heed_signals()
sys.exit(exit_status_of(command, str))
"""


def test_a_signal_does_not_hide_a_bug_that_has_nothing_to_do_with_it():
    done = subprocess.run(
        [sys.executable, "-c", BUG], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert done.returncode == 70
    assert "RuntimeError: while it is shown" in done.stderr


WRAPPED = """
import signal, sys
from tcplab.cli.ending import exit_status_of, heed_signals

class Named:
    def __set_name__(self, owner, name):
        signal.raise_signal(signal.SIGINT)

def command():
    try:
        type("Owner", (), {"named": Named()})
    except KeyboardInterrupt as interrupt:
        raise RuntimeError("error calling __set_name__") from interrupt

heed_signals()
sys.exit(exit_status_of(command, str))
"""
"""As Python wraps what is raised there, before 3.12 even a KeyboardInterrupt."""


def test_a_signal_that_python_wraps_into_another_exception_ends_the_run():
    done = subprocess.run(
        [sys.executable, "-c", WRAPPED], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


REFUSED = """
import sys
from tcplab.errors import RefusedError
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.text import Text
from tcplab.cli import main

put, frames = NamespaceTestbed._put, []

def refuse(self, frame, name):
    frames.append(frame)
    if len(frames) > 4:
        raise RefusedError(Text("a stranger is here"), remedy=Text("send it away"))
    return put(self, frame, name)

NamespaceTestbed._put = refuse
main()
"""


@pytest.mark.parametrize(
    "command",
    [
        ("handshake", "--client", "kernel"),
        ("teardown", "--how", "half-close"),
        ("run", "half-close"),
        ("reset",),
        ("half-open", "--how", "cookie"),
    ],
    ids=" ".join,
)
def test_what_was_seen_before_an_error_is_shown_and_saved(tmp_path: Path, command):
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, *command, "--save", "run.jsonl"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert (done.returncode, done.stderr) == (
        6,
        "tcplab: a stranger is here\n  → send it away\n",
    )
    assert "[SYN, ACK]" in done.stdout
    assert CUT_SHORT in done.stdout
    header = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[0])
    assert header["interrupted"] is True
