"""`tcplab half-open` as a user runs it."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from select import select

import pytest

from tcplab.scenario import catalogue
from tests.cli.conftest import DEADLINE_S, Run, environment
from tests.leftovers import Watch

FLOOD = ("half-open", "--how", "flood", "--seconds", "1")
every_family = pytest.mark.parametrize("family", [(), ("-6",)], ids=["IPv4", "IPv6"])


# --- no-ack and cookie --------------------------------------------------------------------------


@every_family
def test_no_ack_shows_the_wait_and_its_end(run: Run, family):
    done = run("half-open", "--synack-retries", "0", *family)
    assert (done.status, done.err) == (0, "")
    assert "A SYN that is never acknowledged" in done.out
    assert "net.ipv4.tcp_synack_retries = 0 (default 5)" in done.out
    assert "The server waited 1." in " ".join(done.out.split())
    assert "✔ Expectations met: 2 of 2." in done.out
    assert done.widest <= 80


@pytest.mark.parametrize("cookies", ["on", "always"])
def test_cookie_as_a_timeline(run: Run, cookies):
    done = run("half-open", "--how", "cookie", "--cookies", cookies, "--json")
    assert (done.status, done.err) == (0, "")
    assert done.document["schema"] == "tcplab.timeline/1"
    ids = {finding["id"] for finding in done.document["findings"]}
    assert {"cookie.no-socket", "cookie.forged", "cookie.established"} <= ids


def test_cookie_can_be_kept(run: Run, tmp_path: Path):
    done = run("half-open", "--how", "cookie", "--save", "c.jsonl", "--pcap", "c.pcapng")
    assert (done.status, done.err) == (0, "")


# --- the flood ----------------------------------------------------------------------------------


@every_family
def test_flood_denies_and_a_cookie_serves(run: Run, family):
    denied = run(*FLOOD, *family)
    assert (denied.status, denied.err) == (0, "")
    assert "The client was not served" in denied.out
    served = run(*FLOOD, "--cookies", "on", *family)
    assert (served.status, served.err) == (0, "")
    assert "The client was served: all of its" in served.out
    assert "TCP options that survived the cookie" in served.out


def test_without_timestamps_the_mss_alone_survives(run: Run):
    done = run(*FLOOD, "--cookies", "always", "--no-timestamps", "--json")
    assert done.status == 0
    (row,) = done.document["rows"]
    assert (row["served"], row["options_kept"]) == (True, ["MSS"])


def test_options_of_a_flood_without_how_mean_a_flood(run: Run):
    done = run("half-open", "--seconds", "0.4", "--frames", "7", "--backlog", "9", "--json")
    assert done.status == 0
    assert done.document["schema"] == "tcplab.flood/1"
    (row,) = done.document["rows"]
    assert (row["frames"], row["sent"], row["backlog"]) == (7, 7, 9)


@every_family
def test_every_defence_in_one_table(run: Run, family):
    done = run("half-open", "--how", "flood", "--compare", "--seconds", "1", "--json", *family)
    assert (done.status, done.err) == (0, "")
    rows = done.document["rows"]
    assert [(row["cookies"], row["rate_limit"] is None, row["served"]) for row in rows] == [
        ("off", True, False),
        ("on", True, True),
        ("always", True, True),
        ("off", False, True),
    ]


@pytest.mark.parametrize("width", [40, 80, 140])
def test_every_line_of_a_flood_fits(run: Run, width):
    for options in ((), ("--compare",), ("--cookies", "on", "--ascii")):
        done = run("half-open", "--how", "flood", "--seconds", "0.2", *options, COLUMNS=str(width))
        assert done.status == 0
        assert done.widest <= width


# --- what cannot be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("192.0.2.2",), 2, "unexpected extra argument"),
        (("--how", "flood", "192.0.2.2"), 2, "unexpected extra argument"),
        (("--how", "slowly"), 2, "is not one of"),
        (("--frames", "20001"), 6, "more than 20,000 frames is refused"),
        (("--frames", "9" * 30), 6, "more than 20,000 frames is refused"),
        (("--frames", "0"), 2, "Give --frames a whole number, 1 to 20000."),
        (("--frames", "-1"), 2, "Give --frames a whole number, 1 to 20000."),
        (("--frames", "many"), 2, "Give --frames a whole number, 1 to 20000."),
        (("--frames", "٤٠٠"), 2, "Give --frames a whole number, 1 to 20000."),
        (("--seconds", "10.1"), 6, "more than 10 s is refused"),
        (("--seconds", "inf"), 2, "Give --seconds a number, 0.2 to 10."),
        (("--seconds", "nan"), 2, "Give --seconds a number, 0.2 to 10."),
        (("--seconds", "0_1"), 2, "Give --seconds a number, 0.2 to 10."),
        (("--seconds", "３"), 2, "Give --seconds a number, 0.2 to 10."),
        (("--seconds", "0"), 2, "Give --seconds a number, 0.2 to 10."),
        (("--backlog", "0"), 2, "Give --backlog a whole number, 1 to 65535."),
        (("--max-syn-backlog", "65536"), 2, "Give --max-syn-backlog a whole number"),
        (("--rate-limit", "1.5"), 2, "Give --rate-limit a whole number"),
        (("--synack-retries", "6"), 2, "Give --synack-retries a whole number, 0 to 5."),
        (("--how", "cookie", "--cookies", "off"), 2, "no cookie to take apart"),
        (("--how", "cookie", "--backlog", "3"), 2, "--backlog is for --how flood, not for"),
        (("--how", "no-ack", "--cookies", "on"), 2, "--cookies is for --how flood, --how cookie"),
        (("--how", "flood", "--synack-retries", "1"), 2, "--synack-retries is for --how no-ack"),
        (("--how", "flood", "--pcap", "f.pcapng"), 2, "--pcap is for --how no-ack, --how cookie"),
        (("--compare", "--cookies", "on"), 2, "every setting of --cookies"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_is_told_in_two_lines(run: Run, options, status, words):
    done = run("half-open", *options)
    assert (done.status, done.out) == (status, "")
    what, remedy = done.err.splitlines()
    assert words in f"{what} {remedy}"
    assert remedy.startswith("  → ")


def test_help_points_to_what_else_is_half_open(run: Run):
    words = "".join(run("half-open", "--help").out.split())
    for name in ("half-open", "peer-rebooted", "accept-queue-full", "descriptor-exhaustion"):
        assert name in catalogue.names()
        assert name in words


# --- while it lasts -----------------------------------------------------------------------------


def watched(watch: Watch, program: Path, *options: str) -> tuple[subprocess.Popen, int]:
    """A flood with standard error on a terminal, under way; and our end of the terminal."""
    ours, theirs = pty.openpty()
    environ = environment() | watch.environment | {"TERM": "xterm-256color"}
    flood = subprocess.Popen(
        [program, "half-open", "--how", "flood", "--seconds", "10", "--json", *options],
        cwd=watch.room,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    return flood, ours


def heard(terminal: int, words: bytes) -> bytes:
    """What the terminal shows, up to those words."""
    shown = b""
    while words not in shown:
        assert select([terminal], [], [], DEADLINE_S)[0], shown
        shown += os.read(terminal, 1 << 16)
    return shown


@pytest.mark.parametrize("options", [(), ("--compare",)], ids=["one", "compare"])
def test_ctrl_c_leaves_nothing_running_and_shows_what_was_seen(
    tcplab_program: Path, tmp_path: Path, options
):
    watch = Watch(tmp_path)
    flood, terminal = watched(watch, tcplab_program, *options)
    try:
        view = heard(terminal, b"tries served")
        flood.send_signal(signal.SIGINT)
        out, _ = flood.communicate(timeout=DEADLINE_S)
    finally:
        flood.kill()
        flood.wait()
        os.close(terminal)
    for words in (b"SYN-RECEIVED", b"listen queue", b"ListenDrops", b"TCPReqQFullDrop"):
        assert words in view
    for words in (b"SyncookiesSent", b"SyncookiesRecv", b"SyncookiesFailed"):
        assert words in view
    assert flood.returncode == 130
    rows = json.loads(out)["rows"]
    assert rows[-1]["partial"] is True
    assert watch.left() == []


def test_nothing_of_the_view_goes_into_a_pipe(run: Run):
    done = run(*FLOOD)
    assert done.err == ""
    assert "\x1b" not in done.out
