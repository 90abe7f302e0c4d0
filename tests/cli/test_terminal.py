"""Terminals of every width and kind, pipes, and streams that are full or closed."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from tests.cli.conftest import DEADLINE_S, Run, environment

QUICK = ("handshake", "--client", "kernel")
CROSSED = ("teardown", "--how", "simultaneous")
ESCAPE = "\x1b"
STATE = re.compile(r"[A-Z]+-(?:[A-Z]+-?)+\d?|CLOSED|LISTEN|ESTABLISHED")


# --- width --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [(*QUICK, "-6"), CROSSED, ("handshake",), ("doctor",)])
@pytest.mark.parametrize("width", [40, 60, 80, 140, 200])
def test_every_line_fits(run: Run, command, width):
    done = run(*command, COLUMNS=str(width))
    assert done.status == 0
    # A command that mends something is never broken, so that it can be copied.
    lines = [line for line in done.out.splitlines() if not line.startswith("    sudo ")]
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [40, 80, 140])
def test_every_segment_shows_flags_direction_and_both_states(run: Run, width):
    done = run(*QUICK, COLUMNS=str(width))
    lines = done.out.splitlines()
    shown = []
    for n, line in enumerate(lines):
        if arrow := re.search(r"\[([A-Z, ]+)\].*▶|◀.*\[([A-Z, ]+)\]", line):
            states = next(filter(None, map(STATE.findall, lines[n:])))
            shown.append((arrow[1] or arrow[2], "▶" in line, states[0], states[-1]))
    after = [
        ("SYN", True, "SYN-SENT", "SYN-RECEIVED"),
        ("SYN, ACK", False, "ESTABLISHED", "SYN-RECEIVED"),
        ("ACK", True, "ESTABLISHED", "ESTABLISHED"),
        ("PSH, ACK", True, "ESTABLISHED", "ESTABLISHED"),
        ("ACK", False, "ESTABLISHED", "ESTABLISHED"),
        ("FIN, ACK", True, "FIN-WAIT-1", "CLOSE-WAIT"),
        ("ACK", False, "FIN-WAIT-2", "CLOSE-WAIT"),
        ("FIN, ACK", False, "TIME-WAIT", "LAST-ACK"),
        ("ACK", True, "TIME-WAIT", "CLOSED"),
    ]
    if width >= 120:  # there both states of a change are shown, and the first is the one before
        shown = [(*each[:2], new[2], each[3]) for each, new in zip(shown, after, strict=True)]
    assert shown == after


@pytest.mark.parametrize("width", ["1", "10", "39"])
def test_a_terminal_narrower_than_any_ladder_gets_the_narrowest(run: Run, width):
    done = run(*QUICK, COLUMNS=width)
    assert (done.status, done.err) == (0, "")
    assert done.widest == run(*QUICK, COLUMNS="40").widest == 40


@pytest.mark.parametrize("width", ["0", "", "many", None])
def test_a_width_that_says_nothing_is_80(run: Run, width):
    done = run(*QUICK, COLUMNS=width)
    assert (done.status, done.err) == (0, "")
    assert 70 < done.widest <= 80


# --- letters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {"TERM": "dumb"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX"},
        {"LANG": "en_US.ISO-8859-1"},
        {"LANG": "ko_KR.EUC-KR", "LC_MESSAGES": "C"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
    ],
    ids=lambda how: "-".join(how.values()),
)
@pytest.mark.parametrize("command", [(*QUICK, "-v", "--send", "é→"), ("doctor",)])
def test_where_unicode_does_not_fit_ascii_is_drawn(run: Run, command, how):
    done = run(*command, **how)
    assert (done.status, done.err) == (0, "")
    assert done.out.isascii()


@pytest.mark.parametrize("command", [(*QUICK, "--send", "é→"), CROSSED, ("doctor",)])
def test_ascii_may_be_asked_for(run: Run, command):
    done = run(*command, "--ascii")
    assert done.status == 0
    assert done.out.isascii()


def test_an_ascii_ladder_still_has_flags_direction_and_states(run: Run):
    line = next(line for line in run(*QUICK, "--ascii").out.splitlines() if "[SYN, ACK]" in line)
    assert re.fullmatch(
        r" ESTABLISHED 2 \* <-+ \[SYN, ACK\] seq 0 ack 1 -- \| SYN-RECEIVED .*", line
    )


def test_a_mistake_is_told_in_ascii_where_unicode_does_not_fit(run: Run):
    assert run("handshake", "-p", "0", LC_ALL="C").err == (
        "tcplab: Port 0 does not exist.\n  -> Ports are 1 to 65535.\n"
    )


# --- colour -------------------------------------------------------------------------------------


def on_terminal(program: Path, *arguments: str, columns: int = 80, **changes: str | None) -> str:
    """What the program leaves on a terminal: without what it has taken back, the word about a run
    that lasts.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [program, *arguments],
        env=environment(COLUMNS=None, **changes),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = b""
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            try:
                while octets := terminal.read(1 << 16):
                    written += octets
            except OSError:  # EIO: the other end was closed
                pass
        assert process.wait(DEADLINE_S) == 0
    return re.sub(r"[^\n]*\r\x1b\[K", "", written.decode()).replace("\r\n", "\n")


def plain(written: str) -> str:
    """Without the sequences that colour it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", written)


@pytest.mark.parametrize("command", [QUICK, ("doctor",)])
def test_a_terminal_gets_colour_and_nothing_else_besides(tcplab_program: Path, command):
    written = on_terminal(tcplab_program, *command)
    assert f"{ESCAPE}[" in written
    assert ESCAPE not in plain(written)


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        (("--no-color",), {}),
        ((), {"NO_COLOR": "1"}),
        ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}),
        ((), {"TERM": "dumb"}),
    ],
    ids=str,
)
def test_colour_may_be_declined(tcplab_program: Path, options, changes):
    assert ESCAPE not in on_terminal(tcplab_program, *QUICK, *options, **changes)


def test_a_terminal_s_own_width_is_used(tcplab_program: Path):
    lines = plain(on_terminal(tcplab_program, *QUICK, columns=40)).splitlines()
    assert max(map(len, lines)) == 40


def test_a_pipe_gets_no_colour_unless_it_is_forced(run: Run):
    assert ESCAPE not in run(*QUICK).out
    assert f"{ESCAPE}[" in run(*QUICK, FORCE_COLOR="1").out


# --- streams ------------------------------------------------------------------------------------

SPEAKING = [QUICK, (*QUICK, "--json"), ("doctor",), ("--help",)]


@pytest.mark.parametrize("command", SPEAKING)
@pytest.mark.parametrize("unbuffered", [None, "1"])
def test_a_reader_who_is_gone_ends_it_quietly(run: Run, command, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = run(*command, stdout=pipe, PYTHONUNBUFFERED=unbuffered)
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("command", SPEAKING)
@pytest.mark.parametrize("unbuffered", [None, "1"])
def test_a_full_disk_under_standard_output_is_told(run: Run, command, unbuffered):
    with Path("/dev/full").open("wb") as full:
        done = run(*command, stdout=full, PYTHONUNBUFFERED=unbuffered)
    assert done.status == 2
    assert done.err == (
        "tcplab: Standard output could not be written: No space left on device.\n"
        "  → Send it where there is room for it.\n"
    )


def closed(program: Path, streams: str, *arguments: str) -> subprocess.CompletedProcess:
    """The program started by a shell that closes its standard streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" "$@" {streams}', program, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.parametrize("command", SPEAKING)
@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_does_no_harm(tcplab_program: Path, command, streams):
    done = closed(tcplab_program, streams, *command)
    assert (done.returncode, done.stderr) == (0, "")
    assert (done.stdout == "") == (" >&-" in f" {streams}")


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_a_mistake_has_its_status_though_nobody_can_be_told(tcplab_program: Path, streams):
    done = closed(tcplab_program, streams, "handshake", "-p", "0")
    assert (done.returncode, done.stdout) == (2, "")


def test_json_goes_to_standard_output_alone(run: Run):
    done = run(*QUICK, "--json")
    assert done.err == ""
    assert done.document["schema"] == "tcplab.timeline/1"
