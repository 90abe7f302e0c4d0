"""`--save`, `--pcap`, `--svg` and `--force`: what is kept, and which files cannot be."""

import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from tcplab.timeline import jsonl
from tests.cli.conftest import DEADLINE_S, Pipe, Run, environment
from tests.cli.runs import KINDS, Kind

QUICK = ("handshake", "--client", "kernel")
OUTPUTS = ["--save", "--pcap", "--svg"]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_saved_timeline_holds_the_events_that_json_prints(kept, kind: Kind):
    run = kept(kind)
    header, *events = map(json.loads, run.saved.read_text(encoding="utf-8").splitlines())
    assert events == run.document["events"]
    assert header.pop("event_count") == len(events)
    assert header == {
        key: value for key, value in run.document.items() if key not in ("events", "findings")
    }


def test_a_saved_timeline_reads_back(kept):
    run = kept(KINDS[0])
    with run.saved.open("rb") as file:
        timeline = jsonl.read(file)
    written = io.BytesIO()
    jsonl.write(timeline, written)
    assert written.getvalue() == run.saved.read_bytes()


@pytest.mark.parametrize("option", OUTPUTS)
def test_the_picture_is_shown_all_the_same(run: Run, tmp_path: Path, option):
    done = run(*QUICK, option, "kept")
    assert (done.status, done.err) == (0, "")
    assert "[SYN, ACK]" in done.out
    assert (tmp_path / "kept").stat().st_size > 500


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_file_that_exists_is_not_replaced(run: Run, tmp_path: Path, option):
    there = tmp_path / "there"
    there.write_text("mine")
    done = run(*QUICK, option, "there")
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "tcplab: there is there already.\n  → Name another file, or add --force to replace it.\n"
    )
    assert there.read_text() == "mine"


@pytest.mark.parametrize("option", OUTPUTS)
def test_force_replaces_it(run: Run, tmp_path: Path, option):
    there = tmp_path / "there"
    there.write_text("mine" * 100_000)
    done = run(*QUICK, option, "there", "--force")
    assert (done.status, done.err) == (0, "")
    assert b"mine" not in there.read_bytes()


def wrong_places(tmp_path: Path) -> dict[str, tuple[str, str]]:
    """(path, what is said of it), by what is wrong with it."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nowhere/file")
    return {
        "directory": ("directory", "directory is a directory."),
        "no-directory": ("nowhere/file", "nowhere/file cannot be written."),
        "under-a-file": ("file/below", "file/below cannot be written."),
        "loop": ("loop", "loop cannot be written."),
        "broken": ("broken", "broken cannot be written."),
        "long": ("x" * 256, f"{'x' * 256} cannot be written."),
        "escapes": ("nowhere/\x1b[31m\n", "nowhere/\\x1b[31m\\n cannot be written."),
        "empty": ("", "'' cannot be written."),
    }


@pytest.mark.parametrize("option", OUTPUTS)
@pytest.mark.parametrize(
    "wrong",
    ["directory", "no-directory", "under-a-file", "loop", "broken", "long", "escapes", "empty"],
)
def test_a_file_that_cannot_be_is_refused_before_the_run(run: Run, tmp_path, option, wrong):
    path, said = wrong_places(tmp_path)[wrong]
    done = run(*QUICK, option, path)
    assert (done.status, done.out) == (2, "")
    what, remedy, *more = done.err.splitlines()
    assert (what, more) == (f"tcplab: {said}", [])
    assert remedy.startswith("  → ")


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_directory_without_the_right_to_write_is_refused(run: Run, option):
    # /proc is nobody's to write to, root's neither.
    done = run(*QUICK, option, "/proc/ladder")
    assert done.status == 2
    assert "/proc/ladder" in done.err.splitlines()[0]
    assert len(done.err.splitlines()) == 2


def test_two_outputs_in_one_file_are_refused(run: Run, tmp_path: Path):
    (tmp_path / "alias").symlink_to("kept")
    done = run(*QUICK, "--save", "kept", "--pcap", "alias")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("tcplab: The same file is named for two outputs.\n")
    assert not (tmp_path / "kept").exists()


def test_a_link_to_a_file_that_is_not_yet_there_makes_it(run: Run, tmp_path: Path):
    (tmp_path / "alias").symlink_to("kept")
    assert run(*QUICK, "--save", "alias").status == 0
    assert (tmp_path / "alias").is_symlink()
    assert (tmp_path / "kept").stat().st_size > 500


def test_a_device_is_written_to_without_force(run: Run):
    done = run(*QUICK, "--save", "/dev/null")
    assert (done.status, done.err) == (0, "")


def test_a_pipe_with_a_reader_gets_the_packets(tcplab_program: Path, tmp_path: Path):
    pipe = Pipe(tmp_path / "pipe")
    with subprocess.Popen(
        [tcplab_program, *QUICK, "--pcap", "pipe"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
    ) as process:
        assert pipe.read_all()[:4] == b"\x0a\x0d\x0d\x0a"
        assert process.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_pipe_that_nobody_reads_is_told_and_not_waited_for(run: Run, tmp_path: Path, option):
    os.mkfifo(tmp_path / "pipe")
    done = run(*QUICK, option, "pipe")
    assert done.status == 2
    assert done.err.splitlines() == [
        "tcplab: pipe is a pipe that nobody reads.",
        "  → Start its reader first: cat pipe > FILE &",
    ]
    assert "ESTABLISHED" in done.out


def test_a_full_disk_costs_one_file_and_neither_the_picture_nor_the_others(run: Run, tmp_path):
    done = run(*QUICK, "--save", "/dev/full", "--svg", "ladder.svg")
    assert done.status == 2
    assert "[SYN, ACK]" in done.out
    assert done.err == (
        "tcplab: /dev/full could not be written: No space left on device.\n"
        "  → Everything else is above; run it again with another file.\n"
    )
    assert (tmp_path / "ladder.svg").stat().st_size > 500


def test_files_are_kept_though_nobody_reads_the_picture(run: Run, tmp_path: Path):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = run(*QUICK, "--save", "run.jsonl", stdout=pipe)
    assert (done.status, done.err) == (0, "")
    assert (tmp_path / "run.jsonl").stat().st_size > 500


def test_names_may_hold_anything_that_a_file_name_may(run: Run, tmp_path: Path):
    names = [b"\xff.jsonl", "래더.pcapng".encode(), b" -\x1b[31m\n.svg"]
    done = run(*QUICK, *(word for pair in zip(OUTPUTS, names, strict=True) for word in pair))
    assert (done.status, done.err) == (0, "")
    assert sorted(os.listdir(os.fsencode(tmp_path))) == sorted(names)
