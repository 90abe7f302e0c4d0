"""`tcplab run --all` and `--repeat`: every verdict, every exit status, nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tcplab.cli.many import Choice, play_them
from tcplab.cli.options import Presentation
from tcplab.errors import PrivilegeError, UnavailableError
from tcplab.scenario import catalogue
from tcplab.text import Text
from tests.cli.conftest import DEADLINE_S, Run, environment
from tests.cli.test_endings import started
from tests.cli.test_run import EXPECTING, HEAD, ROOT
from tests.links import until
from tests.render import samples

GROUP = ("--all", "--group", "resets")
NAMES = [name for name in catalogue.names() if catalogue.group_of(name) == "resets"]
CHOICE = Choice(client=None, ipv6=False, trace=False)
PLAY = "tcplab.experiment.on_testbed.play"
TIMELINE = next(iter(samples.ALL.values()))()


def rows(out: str, sign: str) -> list[str]:
    """The names in the table that have this mark."""
    table, _, _ = out.partition("\n As expected: ")
    return re.findall(rf"^ {re.escape(sign)} +(\S+)", table, re.MULTILINE)


def test_all_of_a_group_are_played_and_are_as_expected(run: Run):
    done = run("run", *GROUP)
    assert (done.status, done.err) == (0, "")
    assert rows(done.out, "✔") == NAMES
    last = done.out.splitlines()[-1]
    assert last == f" As expected: {len(NAMES)}. Not as expected: 0. Inconclusive: 0."


def test_in_korean_in_ascii_and_over_ipv6(run: Run):
    assert "예상대로" in run("run", *GROUP, "--lang", "ko").out
    assert run("run", *GROUP, "--ascii").out.isascii()
    assert run("run", *GROUP, "-6").status == 0


def test_all_for_machines(run: Run):
    done = run("run", *GROUP, "--json")
    assert (done.status, done.err) == (0, "")
    assert done.document["schema"] == "tcplab.catalogue/1"
    told = [(each["name"], each["group"], each["verdict"]) for each in done.document["scenarios"]]
    assert told == [(name, "resets", "yes") for name in NAMES]


def test_repeated_it_says_how_often_each_held_and_how_many_traces_there_were(run: Run):
    done = run("run", "simultaneous", "--repeat", "5")
    assert (done.status, done.err) == (0, "")
    assert re.search(r"^ ✔ simultaneous .* 5 of 5, traces: 1$", done.out, re.MULTILINE)


def test_repeated_for_machines(run: Run):
    (told,) = run("run", "abort", "--repeat", "3", "--json").document["scenarios"]
    assert (told["runs"], told["held"], told["traces"], told["verdict"]) == (3, 3, 1, "yes")


def test_what_is_not_as_expected_is_told_with_the_command_that_shows_it(run: Run, tmp_path: Path):
    (tmp_path / "my own.toml").write_text(HEAD + EXPECTING.format("server.sent.rst == 7"))
    done = run("run", "my own.toml", "--repeat", "2")
    assert (done.status, done.err) == (1, "")
    assert rows(done.out, "✘") == ["my"]
    assert done.out.endswith(
        " As expected: 0. Not as expected: 1. Inconclusive: 0.\n"
        "\n"
        " ✘ my own\n"
        "   Expected server.sent.rst == 7; instead server.sent.rst was 1.\n"
        "   tcplab run 'my own.toml'\n"
    )


CALM = """
from tcplab.cli import main
from tcplab.experiment import on_testbed
from tests.experiment.pauses import acks_fell_due, stood_still_in, undisturbed
from tests.experiment.test_catalogue import hangs_on_delayed_acks

def calmly(scenario, *, play=on_testbed.play, rootless=None, **how):
    def disturbed(timeline):
        if hangs_on_delayed_acks(scenario):
            return acks_fell_due(timeline)
        return not scenario.timed and stood_still_in(scenario, timeline)

    def once(rootless):
        return play(scenario, rootless=rootless, **how)

    return undisturbed(once, disturbed, rootless=rootless)

on_testbed.play = calmly
main()
"""
"""The program, which plays a run again if the machine paused where that makes a difference."""


@pytest.mark.slow
def test_everything_is_as_expected_within_90_s(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", CALM, "run", "--all"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert rows(done.stdout, "✔") == [*catalogue.names()]


# --- what goes wrong in a run ---------------------------------------------------------------------


def shown(**changes) -> Presentation:
    plain = {"json": False, "ascii": False, "no_color": True, "seq": "relative", "verbose": False}
    files = {"force": False, "save": None, "pcap": None, "svg": None}
    return Presentation(**({"say": str} | plain | files | changes))


def chosen(*names: str):
    return [(catalogue.load(name), f"tcplab run {name}") for name in names]


@pytest.mark.parametrize(
    ("failing", "status", "words"),
    [
        (lambda: 1 // 0, 70, "ZeroDivisionError"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), 5, "was ended by SIGKILL"),
        (
            lambda: (_ for _ in ()).throw(UnavailableError(Text("No X."), remedy=Text("Get X."))),
            5,
            "No X.",
        ),
    ],
    ids=["bug", "killed", "unavailable"],
)
def test_one_that_fails_is_inconclusive_and_the_others_are_played(
    monkeypatch, capsys, failing, status, words
):
    def play(scenario, **_options):
        if scenario.name == "abort":
            failing()
        return TIMELINE

    monkeypatch.setattr(PLAY, play)
    found = play_them(chosen("abort", "three-way"), CHOICE, 1, shown(json=True))
    out, err = capsys.readouterr()
    verdicts = {each["name"]: each for each in json.loads(out)["scenarios"]}
    assert found == status
    assert verdicts["abort"]["verdict"] == "inconclusive"
    assert words in " ".join(verdicts["abort"]["why"])
    assert verdicts["three-way"]["runs"] == 1
    assert ("Traceback" in err, "This is a bug in tcplab" in err) == (status == 70, status == 70)


def test_where_nothing_can_run_that_is_one_error(monkeypatch):
    def play(_scenario, **_options):
        raise PrivilegeError(Text("Nobody may."), remedy=Text("Ask."))

    monkeypatch.setattr(PLAY, play)
    with pytest.raises(Exception, match="Nobody may") as raised:
        play_them(chosen("abort", "three-way"), CHOICE, 2, shown())
    assert raised.value.status == PrivilegeError.status


# --- Ctrl-C -------------------------------------------------------------------------------------

SLOW = HEAD.replace("unhurried", "timed") + "[[step]]\nwait = 100\n"


def children(process: subprocess.Popen) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


def slow(tcplab_program: Path, tmp_path: Path) -> subprocess.Popen:
    (tmp_path / "slow.toml").write_text(SLOW)
    process = started(tcplab_program, tmp_path, "run", "./slow.toml", "--repeat", "5")
    until(lambda: len(children(process)) == 5)
    return process


def test_ctrl_c_ends_every_child_and_the_table_is_shown(tcplab_program: Path, tmp_path: Path):
    process = slow(tcplab_program, tmp_path)
    pids = children(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1] == " As expected: 0. Not as expected: 0. Inconclusive: 0."
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_killed_it_leaves_no_child(tcplab_program: Path, tmp_path: Path):
    process = slow(tcplab_program, tmp_path)
    pids = children(process)
    process.kill()
    process.communicate(timeout=DEADLINE_S)
    until(lambda: not any(Path(f"/proc/{pid}/ns/net").exists() for pid in pids))


# --- progress -----------------------------------------------------------------------------------


def on_terminal_error(program: Path, *arguments: str, **changes: str) -> tuple[str, str]:
    """(standard output in a pipe, standard error as a terminal gets it)."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [program, *arguments],
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        out, _ = process.communicate(timeout=DEADLINE_S)
    written = b""
    try:
        while octets := os.read(ours, 1 << 16):
            written += octets
    except OSError:  # EIO: the other end was closed
        pass
    os.close(ours)
    return out, written.decode()


def test_a_terminal_sees_a_bar_that_goes_away(tcplab_program: Path):
    out, err = on_terminal_error(tcplab_program, "run", *GROUP)
    assert f"{len(NAMES)}/{len(NAMES)}" in err
    assert "━" in err
    assert err.rstrip().endswith("\x1b[2K")
    assert "━" not in out


def test_in_ascii_there_is_a_count_alone(tcplab_program: Path):
    _out, err = on_terminal_error(tcplab_program, "run", *GROUP, "--ascii")
    assert f"{len(NAMES)}/{len(NAMES)}" in err
    assert err.isascii()


def test_a_file_s_name_is_no_markup_to_the_bar(tcplab_program: Path, tmp_path: Path):
    path = tmp_path / "[red]a\x1b[31m.toml"
    path.write_text(HEAD)
    _out, err = on_terminal_error(tcplab_program, "run", str(path), "--repeat", "2")
    assert r"2/2 [red]a\x1b[31m" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err)


def test_a_long_run_says_how_far_it_is_and_takes_it_back(tcplab_program: Path, tmp_path: Path):
    """The SYN is dropped, and comes again after a second, or after two (tcp(7))."""
    path = tmp_path / "slow.toml"
    dropping = '[[step]]\non = "wire"\ndo = "drop"\nwhen = "seg.syn"\ntimes = 3\n'
    path.write_text(HEAD.replace("[[step]]", f"{dropping}[[step]]", 1).replace("2.0", "20.0"))
    began_s = time.monotonic()
    _out, err = on_terminal_error(tcplab_program, "run", str(path))
    assert time.monotonic() - began_s > 1
    assert re.search(r"\d\.\d s, [2-9] segments so far", err)
    assert err.endswith("\r\x1b[K")
