"""`tcplab scan` as a user runs it, in the testbed."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from select import select

import pytest

from tcplab.scenario.services import SERVICES
from tests.cli.conftest import DEADLINE_S, Run, environment
from tests.cli.shape import faults
from tests.cli.test_scan_options import SCAN

FEW = "22-25,80,81,135,443"


@pytest.mark.parametrize("family", [(), ("-6",)], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("method", ["--syn", "--connect"])
def test_few_ports_of_every_kind(run: Run, method, family):
    done = run("scan", method, *family, "-p", FEW, "--json")
    assert (done.status, done.err) == (0, "")
    assert faults(done.document, SCAN) == []
    assert done.document["ports"] == {
        "open": [22, 80, 443],
        "closed": "24,81",
        "filtered": "135",
        "rejected": "23,25",
    }
    accepted = {each["server_port"] for each in done.document["server_saw"]["accepted"]}
    assert accepted == ({22, 80, 443} if method == "--connect" else set())


@pytest.mark.parametrize(("ports", "peak"), [("24,81", 0), ("22,81", 1), ("22,80", None)])
def test_peak_is_told_where_the_counters_leave_one_answer(run: Run, ports, peak):
    done = run("scan", "--connect", "-p", ports, "--json")
    assert done.document["server_saw"]["syn_received_peak"] == peak


def test_every_port(run: Run):
    done = run("scan")
    assert (done.status, done.err) == (0, "")
    closed = 65_535 - sum(map(len, (SERVICES.open, SERVICES.filtered, SERVICES.rejected)))
    assert f" {closed:,} closed (RST, ACK)\n" in done.out
    assert " 5 filtered (no answer)\n" in done.out
    assert "The server's application log: nothing." in done.out
    assert done.widest <= 80


def test_ladder_of_one_port(run: Run):
    done = run("scan", "-p", "79-82", "--ladder", "80")
    assert done.status == 0
    assert "SYN-RECEIVED" in done.out
    assert "[SYN, ACK] seq 0 ack 1" in done.out


def test_ladder_in_json_is_a_timeline(run: Run):
    ladder = run("scan", "-p", "79-82", "--connect", "--ladder", "81", "--json").document["ladder"]
    assert ladder["schema"] == "tcplab.timeline/1"
    assert [each["flags"] for each in ladder["events"] if each["kind"] == "segment"] == ["S", "RA"]


def test_both_ways_side_by_side(run: Run):
    done = run("scan", "--compare", "-p", "80,81")
    assert (done.status, done.err) == (0, "")
    assert "SYN scan of port 80" in done.out
    assert "Both scans find the same" in done.out


def test_both_ways_in_json(run: Run):
    done = run("scan", "--compare", "--json")
    assert done.status == 0
    assert done.document["schema"] == "tcplab.comparison/1"
    assert [*done.document["ports"]] == ["80", "81", "135", "25"]


def test_ctrl_c_shows_what_is_known_and_says_that_it_is_partial(
    tcplab_program: Path, tmp_path: Path
):
    """The bar on the terminal says that the scan is under way: with a ring this small it lasts."""
    ours, theirs = pty.openpty()
    scan = subprocess.Popen(
        [tcplab_program, "scan", "--ring-slots", "16", "--json"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        terminal = b""
        while b" answered" not in terminal:
            assert select([ours], [], [], DEADLINE_S)[0], terminal
            terminal += os.read(ours, 1 << 16)
        scan.send_signal(signal.SIGINT)
        out, _ = scan.communicate(timeout=DEADLINE_S)
    finally:
        scan.kill()
        scan.wait()
        os.close(ours)
    document = json.loads(out)
    assert scan.returncode == 130
    assert document["partial"] is True
    assert faults(document, SCAN) == []
