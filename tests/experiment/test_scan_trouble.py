"""Disturbed scans: the link goes, the user stops, answers are forged, the ring is small."""

import json
import os
import pty
import signal
import subprocess
from contextlib import closing
from select import select

import pytest

from tcplab.analysis.scanning.report import Method
from tcplab.cli.scan_result import status
from tcplab.experiment.scan import scan_path
from tcplab.kernel import links
from tcplab.render.scan_json import document
from tcplab.scenario.services import SERVICES
from tcplab.testbed.direct import DirectTestbed
from tests.cli.shape import faults
from tests.cli.test_scan_options import SCAN
from tests.forging import Forger
from tests.links import DEADLINE_S, PREFIX, PROGRAM, apart, every_version, on_link
from tests.live import forked
from tests.scans import OPEN, Scan, Scanned, Served, children, scanned, sockets_of

METHODS = ("--syn", "--connect")
FIRST_ONES = (22,)

every_method = pytest.mark.parametrize("method", METHODS)


# --- the link goes ------------------------------------------------------------------------------


def cut(version: int, method: str, end: str, *more: str) -> Scanned:
    """The cable is cut when fifty ports have answered; three thousand are asked. How many more have
    been by then is this process's luck: behind the first ones none is open.
    """
    served = Served(on_link(), version, ports=FIRST_ONES)
    scan = Scan(served.net.client, served.ip, method, "-p", "1-3000", *more)
    scan.wait_for(lambda: served.counted() >= 50)
    host = served.net.client if end == "client" else served.net.server
    host.tell(links.set_up(2, up=False))
    return scan.result()


@every_version
@every_method
@pytest.mark.parametrize("end", ["client", "server"])
def test_a_link_that_goes_down_in_mid_scan_leaves_what_is_known(end, method, version):
    done = apart(cut, version, method, end, "--json")

    assert (done.status, done.err) == (5, "")
    assert faults(done.document, SCAN) == []
    assert done.document["partial"] is True
    assert "eth0" in done.document["doubt"]
    assert done.document["silence"] is None
    assert done.ports["open"] == [*FIRST_ONES]
    assert 50 <= done.document["received"] < 3000
    assert done.ports["filtered"] == ""  # that is not known yet
    assert "3000" in done.ports["unanswered"]


@every_method
@pytest.mark.parametrize("end", ["client", "server"])
def test_a_lost_link_takes_nothing_from_the_ladder(end, method):
    done = apart(cut, 4, method, end, "--json", "--ladder", "22")

    assert (done.status, done.err) == (5, "")
    ladder = done.document["ladder"]
    flags = [event["flags"] for event in ladder["events"] if event["kind"] == "segment"]
    assert flags[:2] == ["S", "SA"]
    assert "Port 22 is open" in ladder["findings"][0]["sentence"]
    assert done.document["rounds"] == len(done.document["each_round"]) + 1


@every_method
def test_a_lost_link_is_told_in_words(method):
    done = apart(cut, 4, method, "server")

    assert (done.status, done.err) == (5, "")
    words = " ".join(done.out.split())
    assert "Stopped before its end" in words
    assert "without an answer so far" in words
    assert "Inconclusive: The way to 192.0.2.2 by eth0" in words


def readdressed(version: int, method: str) -> Scanned:
    """The client's address is taken away when fifty ports have answered."""
    served = Served(on_link(), version)
    scan = Scan(served.net.client, served.ip, method, "-p", "1-3000", "--json")
    scan.wait_for(lambda: served.counted() >= 50)
    served.net.client.tell(links.no_address(2, served.net.client.ip[version], PREFIX[version]))
    return scan.result()


@every_version
@every_method
def test_an_own_address_that_goes_in_mid_scan_is_not_silence(method, version):
    done = apart(readdressed, version, method)

    assert (done.status, done.err) == (5, "")
    assert (done.document["partial"], done.ports["filtered"]) == (True, "")
    assert "3000" in done.ports["unanswered"]
    assert "eth0" in done.document["doubt"]


# --- the host falls silent ----------------------------------------------------------------------


def struck_dumb(version: int, method: str, *more: str) -> tuple[Scanned, int]:
    """The server drops everything from when fifty ports have answered; its own count of those."""
    served = Served(on_link(), version)
    scan = Scan(served.net.client, served.ip, method, "-p", "1-3000", *more)
    scan.wait_for(lambda: served.counted() >= 50)
    served.drop_all()
    return scan.result(), served.counted()


@every_version
@every_method
def test_a_host_that_falls_silent_in_mid_scan_is_not_a_filter(method, version):
    done, resets = apart(struck_dumb, version, method, "--json")

    assert (done.status, done.err) == (5, "")
    assert faults(done.document, SCAN) == []
    assert (done.document["partial"], done.document["silence"]) == (True, None)
    assert "fallen silent" in done.document["doubt"]
    assert done.ports["filtered"] == ""
    assert "3000" in done.ports["unanswered"]
    assert 50 <= done.document["received"] <= resets + len(OPEN)
    knocks = [each for each in done.document["each_round"] if each["probes"] == each["controls"]]
    assert (len(knocks), {each["controls"] for each in knocks}) == (3, {16})


def test_a_host_that_has_fallen_silent_is_told_in_words():
    done, _resets = apart(struck_dumb, 4, "--syn")

    assert (done.status, done.err) == (5, "")
    words = " ".join(done.out.split())
    assert "without an answer so far" in words
    assert "Inconclusive: The host has fallen silent" in words
    assert "filtered" not in words


def cut_testbed(method: Method, at: str) -> tuple[int, dict]:
    """The testbed's own cable, in the midst of a scan that its rate makes last."""
    with closing(DirectTestbed(rootless=True)) as testbed:
        cuts = []

        def heed(standing) -> None:
            if standing.answered and not cuts:
                cuts.append(standing.answered)
                testbed.cut("client", at=at)

        report = scan_path(
            testbed.path(),
            (range(1, 65536),),
            method=method,
            target="server",
            testbed=True,
            icmp_limited=False,
            rate_pps=2000,
            heed=heed,
        )
        assert cuts
        return status(report), document(report, say=str)


@pytest.mark.parametrize("at", ["client", "server"])
@pytest.mark.parametrize("method", Method)
def test_the_testbeds_own_link_too(method, at):
    ended, told = forked(cut_testbed, method, at)

    assert ended == 5
    assert told["partial"] is True
    assert "lost in mid-scan" in told["doubt"] or "is gone" in told["doubt"]


# --- Ctrl-C -------------------------------------------------------------------------------------


def interrupted(version: int, method: str, number: signal.Signals, *more: str):
    """When fifty ports have answered, or some more: see `cut`."""
    served = Served(on_link(), version, ports=FIRST_ONES)
    scan = Scan(served.net.client, served.ip, method, "-p", "1-5000", *more)
    scan.wait_for(lambda: served.counted() >= 50)
    scan.interrupt(number)
    done = scan.result()
    return done, sockets_of(served.net.client), children()


@every_version
@every_method
def test_ctrl_c_shows_what_is_known(method, version):
    done, sockets, processes = apart(interrupted, version, method, signal.SIGINT, "--json")

    assert (done.status, done.err) == (130, "")
    assert faults(done.document, SCAN) == []
    assert (done.document["partial"], done.document["doubt"]) == (True, None)
    assert done.ports["open"] == [*FIRST_ONES]
    assert (sockets, processes) == ([], [])


@every_method
def test_ctrl_c_takes_nothing_from_the_ladder(method):
    more = ("--json", "--ladder", "22")
    done, sockets, _processes = apart(interrupted, 4, method, signal.SIGINT, *more)

    assert (done.status, done.err, sockets) == (130, "", [])
    assert "Port 22 is open" in done.document["ladder"]["findings"][0]["sentence"]
    assert done.ports["filtered"] == ""


def test_a_ladder_of_a_port_that_ctrl_c_came_before_is_left_out():
    more = ("--json", "--ladder", "5000")
    done, _sockets, _processes = apart(interrupted, 4, "--syn", signal.SIGINT, *more)

    assert done.status == 130
    assert "ladder" not in done.document
    assert "5000" in done.ports["unanswered"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_other_signals_end_it_as_well(number):
    done, sockets, _processes = apart(interrupted, 4, "--syn", number)

    assert (done.status, sockets) == (128 + number, [])
    assert "Stopped before its end" in done.out


# --- the bar ------------------------------------------------------------------------------------


def on_terminal(ports: str) -> tuple[Scanned, bytes]:
    """Of a scan whose standard error is a terminal, what that got."""
    served = Served(on_link(), 4)
    ours, theirs = pty.openpty()
    scan = Scan(served.net.client, served.ip, "-p", ports, "--json", stderr=theirs)
    os.close(theirs)
    got = b""
    while select([ours], [], [], DEADLINE_S)[0]:
        try:
            got += os.read(ours, 1 << 16)
        except OSError:  # EIO: nobody has the other end any more
            break
    os.close(ours)
    return scan.result(), got


def test_a_scan_that_lasts_has_a_bar_with_the_time_that_is_left():
    done, terminal = apart(on_terminal, "1-2000")

    assert done.status == 0
    assert b"of 2,000 answered" in terminal
    assert b" s left" in terminal
    assert terminal.endswith(b"\x1b[2K")  # it is taken away


# --- forged answers -----------------------------------------------------------------------------


def flooded(version: int, *arguments: str) -> tuple[Scanned, int]:
    """Somebody at the server's end answers every probe, too, and wrongly; the whole scan long."""
    served = Served(on_link(), version)
    served.firewall()
    with closing(Forger(served.net.server, served.ip)) as forger:
        done = scanned(served.net.client, served.ip, *arguments, "-p", "1-1500", "--json")
        return done, forger.stop()


@every_version
def test_forged_answers_never_open_a_port(version):
    done, forged = apart(flooded, version)

    assert forged > 100
    assert done.document["forged"] > 100
    assert done.status == 0, done.document["doubt"]
    assert done.ports == {
        "open": [*OPEN],
        "closed": "1-21,23-79,81-99,105-199,204-442,444-1500",
        "filtered": "100-104",
        "rejected": "200-203",
    }


# --- a small ring -------------------------------------------------------------------------------


SMALL_RING_S = 240.0
"""On a machine with too much to do, so small a ring takes a minute for all ports."""


def small_ring(ports: str) -> dict:
    """`tcplab scan --ring-slots 64`, in the testbed."""
    done = subprocess.run(
        [PROGRAM, "scan", "--ring-slots", "64", "-p", ports, "--json"],
        capture_output=True,
        text=True,
        timeout=SMALL_RING_S,
    )
    return {"status": done.returncode, "err": done.stderr, **json.loads(done.stdout)}


def is_exact(told: dict) -> bool:
    """The testbed's services, and everything else closed?"""
    ports = told["ports"]
    return (
        ports["open"] == [*SERVICES.open]
        and ports["filtered"] == "135,137-139,445"
        and ports["rejected"] == "23,25"
    )


def is_exact_or_says_so(told: dict) -> bool:
    """And does it say why, if it is not?"""
    if told["status"] == 0:
        return is_exact(told)
    return told["status"] == 5 and bool(told["doubt"])


@pytest.mark.timeout(300)
def test_with_a_small_ring_the_rate_falls_and_rises():
    told = small_ring("1-20000")

    assert is_exact_or_says_so(told), told
    assert (told["err"], told["drops"] > 0) == ("", True)
    falls = [change for change in told["pace"] if change["cause"] == "receive drops"]
    rises = [change for change in told["pace"] if change["cause"] == "no trouble"]
    assert len(falls) > 1
    assert min(change["pps"] for change in falls) < falls[0]["pps"]
    assert any(rise["at_ms"] > falls[0]["at_ms"] for rise in rises)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_with_a_small_ring_twenty_of_twenty_are_exact_or_say_so():
    runs = [small_ring("-") for _ in range(20)]

    assert [told["ports"] for told in runs if not is_exact_or_says_so(told)] == []
    assert any(told["status"] == 0 for told in runs)
