"""The options of `tcplab scan`: what they ask for, what goes together, and how it ends.

Nothing is sent here: what scans is replaced by what remembers how it was asked.
"""

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from tcplab.analysis.scanning.report import Method, PaceCause, Silence
from tcplab.cli import screen, tcplab
from tcplab.cli.ending import exit_status_of
from tcplab.cli.scan_progress import description, duration
from tcplab.cli.scan_result import status
from tcplab.cli.services import port_of, service_names
from tcplab.errors import Exit
from tcplab.scenario.ports import parse_ports, spelled, written
from tcplab.testbed.plan import Family
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import Timeline
from tests.cli.conftest import DEADLINE_S, environment
from tests.cli.shape import each, either, faults, one_of
from tests.recorded import scans
from tests.render import scan_reports

EVERY, USUAL = (range(1, 65536),), (range(1, 1025),)


@dataclass
class Scanned:
    """How the last scan was asked for, and what a scan is to come to."""

    report: Any
    asked: dict[str, Any]
    timeline: Timeline | None = None

    def scan_testbed(self, ports, **how):
        self.asked = {"ports": ports, **how}
        return self.report

    def scan_host(self, host, ports, *, announce, **how):
        self.asked = {"host": host, "ports": ports, **how}
        announce(sum(map(len, ports)), how["rate"] or 1000)
        return self.report, self.timeline


def unprivileged(*capabilities) -> bool:
    return False


@pytest.fixture
def scanned(monkeypatch) -> Scanned:
    """In the place of `tcplab.experiment.scan`."""
    made = Scanned(report=scan_reports.syn(), asked={})
    fake = ModuleType("tcplab.experiment.scan")
    fake.scan_testbed, fake.scan_host = made.scan_testbed, made.scan_host
    monkeypatch.setitem(sys.modules, "tcplab.experiment.scan", fake)
    monkeypatch.setenv("COLUMNS", "80")
    return made


def ran(*arguments: str) -> int:
    """The exit status."""
    return exit_status_of(
        lambda: tcplab.main(["scan", *arguments], "tcplab", standalone_mode=False, obj=str), str
    )


# --- what is asked for --------------------------------------------------------------------------


def test_without_host_every_port_of_the_testbed_by_syn(scanned):
    assert ran() == Exit.DONE
    heed = scanned.asked.pop("heed")
    assert callable(heed)
    assert scanned.asked == {
        "ports": EVERY,
        "method": Method.SYN,
        "family": Family.IPV4,
        "record": None,
        "ring_slots": None,
    }


def test_options_of_the_testbed(scanned, tmp_path):
    pcap = str(tmp_path / "scan.pcapng")
    assert ran("-6", "-p", "ssh,80-82", "--ring-slots", "64", "--pcap", pcap) == Exit.DONE
    assert scanned.asked["ports"] == (range(22, 23), range(80, 83))
    assert scanned.asked["family"] is Family.IPV6
    assert (scanned.asked["ring_slots"], scanned.asked["record"].path) == (64, pcap)


def test_all_ports_are_a_hyphen(scanned):
    assert ran("192.0.2.10", "-p", "-", "--connect") == Exit.DONE
    assert scanned.asked["ports"] == EVERY
    assert scanned.asked["method"] is Method.CONNECT


def test_with_a_host_the_usual_ports_at_the_rate_of_its_tier(scanned):
    assert ran("192.0.2.10") == Exit.DONE
    del scanned.asked["heed"]
    assert scanned.asked == {
        "host": "192.0.2.10",
        "ports": USUAL,
        "method": Method.SYN,
        "version": None,
        "rate": None,
        "unlimited": False,
        "authorized": None,
        "record": None,
        "ring_slots": None,
        "ladder": None,
        "command": (),
    }


@pytest.mark.parametrize(
    ("rate", "asked"), [("5000", (5000, False)), ("1", (1, False)), ("max", (None, True))]
)
def test_rates(scanned, rate, asked):
    assert ran("192.0.2.10", "-4", "--rate", rate, "--authorized", "me") == Exit.DONE
    assert (scanned.asked["rate"], scanned.asked["unlimited"]) == asked
    assert (scanned.asked["authorized"], scanned.asked["version"]) == ("me", 4)


# --- mistakes -----------------------------------------------------------------------------------

RATE = "Give --rate the packets a second, 1 or more; or max: as fast as the path answers."
SLOTS = "Give --ring-slots a number, 16 to 262144."


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"),
    [
        (
            ("-p", "22,80-"),
            "Character 4 of the list of ports: the range '80-' has no end.",
            "Write 80-65535 for all ports from there on, or 80 for that one.",
        ),
        (
            ("-p", ""),
            "The list of ports is empty.",
            "Write ports as 22,80,1-1024, or - for all.",
        ),
        (
            ("-p", "nonsense"),
            "Character 1 of the list of ports: there is no TCP service named 'nonsense'.",
            "Give a port as a number, 1 to 65535, or a name from /etc/services.",
        ),
        (("h", "--rate", "0"), "'0' is no rate.", RATE),
        (("h", "--rate", "-5"), "'-5' is no rate.", RATE),
        (("h", "--rate", "fast"), "'fast' is no rate.", RATE),
        (("h", "--rate", "9" * 5000), f"'{'9' * 5000}' is no rate.", RATE),
        (("--ring-slots", "1"), "A receive ring cannot have '1' slots.", SLOTS),
        (
            ("--rate", "100"),
            "In the testbed a scan always goes as fast as the path answers.",
            "Omit --rate, or name a HOST.",
        ),
        (
            ("--authorized", "me"),
            "The testbed is tcplab's own: nobody has to authorize its scan.",
            "Omit --authorized, or name a HOST.",
        ),
        (
            ("h", "--authorized", "  "),
            "--authorized names nobody.",
            'Say who allowed the scan: --authorized "who said so"',
        ),
        (
            ("h", "--compare"),
            (
                "--compare shows what the server's kernel and its application went through, which "
                "only the testbed knows."
            ),
            "Omit HOST, or scan it with --syn and then with --connect.",
        ),
        (
            ("--syn", "--connect"),
            "--syn and --connect cannot be used together.",
            "Omit one of them.",
        ),
        (
            ("--syn", "--compare"),
            "--syn and --compare cannot be used together.",
            "Omit one of them.",
        ),
        (
            ("--compare", "--pcap", "x"),
            "--pcap and --compare cannot be used together.",
            "Omit one of them.",
        ),
        (
            ("--connect", "--ring-slots", "64"),
            "A connect scan has no receive ring: the kernel hears the answers.",
            "Omit --ring-slots, or omit --connect.",
        ),
        (
            ("-p", "80", "--ladder", "22"),
            "Port 22 is not among the ports of this scan.",
            "Give --ladder one of them, or add 22 to -p.",
        ),
        (
            ("-4", "-6"),
            "-4 and -6 cannot be used together.",
            "Give one of them, or neither.",
        ),
        (
            ("--pcap", "/"),
            "/ is a directory.",
            "Name a file in it.",
        ),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_told_before_anything_is_sent(scanned, capsys, arguments, what, remedy):
    assert ran(*arguments) == Exit.USAGE
    assert scanned.asked == {}
    assert capsys.readouterr() == ("", f"tcplab: {what}\n  → {remedy}\n")


@pytest.mark.parametrize(
    ("arguments", "offer"),
    [
        (("192.0.2.10", "-p", "-"), "add --connect"),
        (("192.0.2.10", "--connect", "--pcap", "scan.pcapng"), "omit --pcap"),
        (("192.0.2.10", "--connect", "-p", "80", "--ladder", "80"), "--ladder"),
    ],
)
def test_without_privilege_the_whole_sudo_line(capsys, monkeypatch, arguments, offer):
    monkeypatch.setattr("tcplab.experiment.permission.holds", unprivileged)
    monkeypatch.setattr(sys, "argv", ["/opt/bin/tcplab", "scan", *arguments])
    assert ran(*arguments) == Exit.PRIVILEGE
    out, err = capsys.readouterr()
    line = " ".join(("sudo /opt/bin/tcplab scan", *arguments))
    assert (out, err.count("\n")) == ("", 2)
    assert f"  → Run: {line}   (or " in err
    assert offer in err


# --- how it ends --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({}, Exit.DONE),
        ({"silence": Silence.DOWN}, Exit.NO),
        ({"doubt": Text("drops")}, Exit.INCONCLUSIVE),
        ({"partial": True}, Exit.INTERRUPTED),
        ({"partial": True, "doubt": Text("the link went down")}, Exit.INCONCLUSIVE),
    ],
)
def test_status(scanned, changes, ends):
    scanned.report = replace(scanned.report, **changes)
    assert ran() == ends == status(scanned.report)


def test_no_open_port_is_an_answer_as_well(scanned):
    scanned.report = scan_reports.closed()
    assert ran("192.0.2.10") == Exit.DONE


# --- what is printed ----------------------------------------------------------------------------


def test_page_on_standard_output(scanned, capsys):
    ran("--no-color")
    out, err = capsys.readouterr()
    assert "   22  ssh" in out
    assert "65,523 closed (RST, ACK)" in out
    assert err == ""


def test_all_ports_are_printed_without_a_pause(scanned, capsys):
    ran("--all", "--ascii")
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") > 65_535


def test_a_long_scan_is_announced(scanned, capsys):
    ran("192.0.2.10", "-p", "-")
    assert capsys.readouterr().err == (
        "65,535 ports at 1,000 packets a second: at least 1 min 6 s. Ctrl-C shows what is known "
        "by then.\n"
    )


def test_a_short_scan_is_not(scanned, capsys):
    ran("192.0.2.10", "-p", "1-5000")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (59.4, "1 min 0 s"), (65.535, "1 min 6 s"), (7261, "2 h 1 min")],
)
def test_duration(seconds, said):
    assert str(duration(seconds)) == said


COMPLETE = {"open": [int], "closed": str, "filtered": str, "rejected": str}
PARTIAL = COMPLETE | {"filtered": one_of(""), "unanswered": str}
MAYBE = either(str, one_of(None))
PPS = either(int, one_of("max"))
REJECTION = {"version": one_of(4, 6), "type": int, "code": int, "from": str, "ports": str}
ROUND = {
    "number": int, "probes": int, "controls": int, "answers": int, "began_ns": int,
    "ended_ns": int, "rto_ns": int,
}  # fmt: skip
SAW = {
    "connections_accepted": int,
    "accepted": [{"ip": str, "port": int, "server_port": int}],
    "syn_received_peak": either(int, one_of(None)),
    "counters": each(int),
}
SCAN = {
    "schema": one_of("tcplab.scan/1"),
    "tcplab": str,
    "command": [str],
    "target": str,
    "address": str,
    "source": str,
    "interface": str,
    "testbed": bool,
    "method": one_of("syn", "connect"),
    "rate": PPS,
    "authorized": MAYBE,
    "asked": str,
    "ports": either(COMPLETE, PARTIAL),
    "reasons": each(str),
    "reasons_complete": bool,
    "ttl": each(int),
    "rtt_ns": each(int),
    "rejections": [REJECTION],
    "sent": int,
    "received": int,
    "duplicates": int,
    "forged": int,
    "drops": int,
    "send_errors": int,
    "rounds": int,
    "each_round": [ROUND],
    "pace": [{"at_ms": int, "pps": PPS, "cause": one_of(*(cause.value for cause in PaceCause))}],
    "seconds": float,
    "partial": bool,
    "doubt": MAYBE,
    "caveat": MAYBE,
    "silence": one_of(None, *(silence.value for silence in Silence)),
    "server_saw": either(SAW, one_of(None)),
}


@pytest.mark.parametrize("more", [(), ("--all",), ("--reason",)])
@pytest.mark.parametrize("name", scan_reports.ALL)
def test_json_has_the_shape_that_was_promised(scanned, capsys, name, more):
    scanned.report = scan_reports.ALL[name]()
    ran("--json", *more)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    document = json.loads(out)
    assert faults(document, SCAN) == []
    assert document["reasons_complete"] is bool(more)
    ports = scanned.report.census.ports()
    assert len(document["reasons"]) == (ports if more else len(document["ports"]["open"]))


def test_json_says_every_port_once(scanned, capsys):
    ran("--json", "--all")
    document = json.loads(capsys.readouterr().out)
    found = document["ports"]
    assert found["open"] == list(scan_reports.OPEN)
    assert found["filtered"] == "135,137-139,445"
    assert found["rejected"] == "23,25"
    lists = (written(found["open"]), found["closed"], found["filtered"], found["rejected"])
    assert spelled(parse_ports(",".join(lists), service=port_of)) == "1-65535"
    assert document["reasons"]["23"] == "ICMP type 3, code 13"
    assert document["reasons"]["24"] == "RST, ACK"
    assert document["reasons"]["135"] == "no answer"


def test_json_of_a_scan_that_was_ended_early(scanned, capsys):
    scanned.report = scan_reports.partial()
    ran("--json")
    document = json.loads(capsys.readouterr().out)
    assert document["ports"]["filtered"] == ""
    assert document["ports"]["unanswered"] == "135,137-139,445,40000-65535"
    assert (document["rounds"], document["each_round"]) == (1, [])


# --- the ladder ---------------------------------------------------------------------------------


def heard(segments: int) -> Timeline:
    """Of a scan of port 22 that was ended when so many segments had passed."""
    whole = scans.timeline(22, Method.SYN)
    kept = [event for event in whole.events if isinstance(event, SegmentEvent)][:segments]
    events = whole.events[: kept[-1].i + 1] if kept else ()
    return replace(whole, events=events, interrupted=True)


def test_ladder_of_a_host_is_shown_though_the_scan_was_ended(scanned, capsys):
    scanned.report, scanned.timeline = scan_reports.partial(), heard(2)
    ran("192.0.2.10", "-p", "22", "--ladder", "22", "--json")
    found, *_ = json.loads(capsys.readouterr().out)["ladder"]["findings"]
    assert found["sentence"] == ("Port 22 is open: a listener answered the SYN with SYN, ACK.")


def test_ladder_does_not_call_filtered_what_may_still_answer(scanned, capsys):
    scanned.report, scanned.timeline = scan_reports.partial(), heard(1)
    ran("192.0.2.10", "-p", "22", "--ladder", "22", "--json")
    found, *_ = json.loads(capsys.readouterr().out)["ladder"]["findings"]
    assert found["verdict"] == "inconclusive"
    assert found["sentence"].startswith("Port 22 has not answered yet")


def test_ladder_of_a_port_that_was_not_asked_is_left_out(scanned, capsys):
    scanned.report, scanned.timeline = scan_reports.partial(), heard(0)
    ran("192.0.2.10", "-p", "22", "--ladder", "22", "--json")
    assert "ladder" not in json.loads(capsys.readouterr().out)


# --- the bar ------------------------------------------------------------------------------------

BAR = """
import sys
from dataclasses import dataclass
from tcplab.cli.scan_progress import ScanBar

@dataclass
class Standing:
    ports: int; answered: int; round: int; sent: int; at_ns: int; left_s: float | None

bar = ScanBar(str, no_color=True, ascii_only={ascii_only})
bar.heed(Standing(65535, 0, 0, 100, 400_000_000, None))
print("early" if "rich" in sys.modules else "late")
bar.heed(Standing(65535, 30000, 0, 40000, 2_000_000_000, 1.2))
import threading
print(threading.active_count())
bar.clear()
bar.clear()
"""


def drawn(*, ascii_only: bool = False) -> tuple[str, str]:
    """(what the script printed, what a terminal of 80 columns got on standard error)."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", BAR.format(ascii_only=ascii_only)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=DEADLINE_S,
            check=True,
        )
        return done.stdout.decode(), os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_bar_comes_after_half_a_second_without_a_thread_and_goes():
    printed, terminal = drawn()
    assert printed == "late\n1\n"
    assert "30,000 of 65,535 answered, round 1, 20,000/s, 2 s left" in terminal
    assert terminal.endswith(("\x1b[2K", "\x1b[?25h"))


def test_the_bar_in_ascii():
    assert drawn(ascii_only=True)[1].isascii()


def test_no_bar_in_a_pipe():
    done = subprocess.run(
        [sys.executable, "-c", BAR.format(ascii_only=False)],
        env=environment(),
        capture_output=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"late\n1\n", b"")


def test_no_time_is_left_where_nobody_knows_how_much():
    class Standing:
        ports, answered, round, sent, at_ns, left_s = 100, 90, 1, 110, 10**9, None

    assert str(description(Standing())) == "90 of 100 answered, round 2, 110/s"


# --- without rich -------------------------------------------------------------------------------

UP_TO_THE_SCAN = """
import sys
from types import ModuleType
fake = ModuleType("tcplab.experiment.scan")
def scan(*arguments, **how):
    print(*sys.modules, file=sys.stderr)
    sys.exit()
fake.scan_testbed = fake.scan_host = scan
sys.modules[fake.__name__] = fake
from tcplab.cli import main
main()
"""


def test_a_scan_begins_before_anything_heavy_is_imported():
    done = subprocess.run(
        [sys.executable, "-c", UP_TO_THE_SCAN, "scan"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    modules = {*done.stderr.split()}
    assert "tcplab.cli.scan" in modules
    heavy = ("rich", "scapy", "dpkt", "json", "ipaddress", "importlib.metadata")
    assert modules.isdisjoint({*heavy, "tcplab.timeline", "tcplab.render.scan"})


RENDERED = """
import sys
from tests.render.scan_reports import syn
from types import ModuleType
fake = ModuleType("tcplab.experiment.scan")
fake.scan_host = None
fake.scan_testbed = lambda *arguments, **how: syn()
sys.modules[fake.__name__] = fake
from tcplab.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_a_page_needs_no_console_of_rich():
    done = subprocess.run(
        [sys.executable, "-c", RENDERED, "scan"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    modules = {*done.stderr.split()}
    assert "65,523 closed" in done.stdout
    assert "rich.cells" in modules
    assert modules.isdisjoint({"rich.console", "rich.text", "rich.table", "json"})


@pytest.mark.parametrize(
    ("columns", "width"), [("80", 80), ("20", 40), ("200", 200), ("x", 80), ("0", 80), ("", 80)]
)
def test_width_is_that_of_columns(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(os, "get_terminal_size", no_terminal)
    assert screen.width() == width


def no_terminal(_fd: int) -> os.terminal_size:
    raise OSError


@pytest.mark.parametrize(
    ("variables", "no_color", "painted"),
    [
        ({}, False, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours(monkeypatch, variables, no_color, painted):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert screen.paints(no_color=no_color) is painted


# --- services -----------------------------------------------------------------------------------


def test_services_are_named_as_the_file_does(tmp_path):
    file = tmp_path / "services"
    file.write_text(
        "# services\n\nssh\t\t22/tcp\t# SSH\nhttp 80/tcp www\nwww2 80/tcp\ndns 53/udp\nbad\n"
        "odd x/tcp\n",
    )
    assert service_names(str(file)) == {22: "ssh", 80: "http"}


def test_without_the_file_there_are_no_names(tmp_path):
    assert service_names(str(tmp_path / "none")) == {}


@pytest.mark.parametrize("name", ["", "\0", "no such service", "\udcff"])
def test_what_is_no_service_has_no_port(name):
    assert port_of(name) is None
