"""`tcplab reset`: what it shows, what goes together, and how it ends."""

import json
import re

import pytest

from tcplab.scenario.attacks.attack import COMBINATIONS, Aim, Weapon
from tests.cli.conftest import Run

MEANT = [(each.weapon, each.aim) for each in COMBINATIONS]
MEANINGLESS = [(weapon, aim) for weapon in Weapon for aim in Aim if (weapon, aim) not in MEANT]


def segments(document):
    return [each for each in document["events"] if each["kind"] == "segment"]


def test_without_options_an_exact_rst_is_believed(run: Run):
    done = run("reset", "--json")
    assert (done.status, done.err) == (0, "")
    (forged,) = (each for each in segments(done.document) if each["from"] == "attacker")
    assert (forged["flags"], forged["to"], forged["fate"]) == ("R", "server", "injected")
    told = {each["id"]: each for each in done.document["findings"]}
    assert told["reset.forged"]["verdict"] == "yes"
    assert forged["i"] in told["reset.forged"]["events"]
    assert "half-open" in told["reset.forged"]["sentence"]


def test_the_ladder_marks_what_was_forged(run: Run):
    done = run("reset", "--aim", "in-window", "--times", "5")
    assert (done.status, done.err) == (0, "")
    assert done.out.count("forged by the attacker") == 5
    assert "TcpExtTCPACKSkippedChallenge +4" in done.out
    assert "tcp_invalid_ratelimit" in done.out
    assert done.widest <= 80


def test_at_the_client_over_ipv6(run: Run):
    done = run("reset", "--at", "client", "-6", "--json")
    (forged,) = (each for each in segments(done.document) if each["from"] == "attacker")
    assert (done.status, forged["to"]) == (0, "client")
    assert done.document["hosts"]["client"]["ip"] == "2001:db8::1"


def test_data_is_read_and_a_login_is_stolen(run: Run):
    done = run("reset", "--with", "data", "--steal")
    assert (done.status, done.err) == (0, "")
    assert '"a2 DELETE INBOX\\r\\n"' in done.out
    ladder, told, findings = re.sub(r"[\s│]+", " ", done.out).partition("✔ The attacker has read")
    assert told
    assert "searches what it has heard: alice / s3cret (IMAP LOGIN)" in ladder
    assert "s3cret" in findings
    assert "17 of those from the client only by number" in ladder


def test_under_tls_nothing_is_read_and_nothing_is_stolen(run: Run):
    done = run("reset", "--with", "data", "--steal", "--tls")
    assert (done.status, done.err) == (0, "")
    assert "DECRYPTION_FAILED_OR_BAD_RECORD_MAC" in done.out
    assert "s3cret" not in done.out
    assert "alice" not in done.out
    assert re.search(
        r"searches what it has heard: TLS 1\.3 for server\.example, application data \d+ octets",
        re.sub(r"[\s│]+", " ", done.out),
    )
    assert "s left" not in done.out  # the timer is the testbed's own, and tells nothing


def test_sentences_are_korean_where_that_is_asked_for(run: Run):
    done = run("reset", "--with", "handshake", "--lang", "ko")
    assert (done.status, done.err) == (0, "")
    assert "다른 호스트의 이름으로 여는 연결" in done.out


def test_files_are_kept(run: Run, tmp_path):
    done = run("reset", "--save", "run.jsonl", "--pcap", "run.pcapng", "--svg", "run.svg")
    assert done.status == 0
    assert {each.name for each in tmp_path.iterdir()} == {"run.jsonl", "run.pcapng", "run.svg"}
    first, *_ = (tmp_path / "run.jsonl").read_text().splitlines()
    assert json.loads(first)["scenario"] == "rst-exact"


# --- off the path -------------------------------------------------------------------------------


@pytest.mark.parametrize("weapon", ["rst", "syn", "data"])
def test_a_blind_attack_fails_and_tells_what_it_would_take(run: Run, weapon):
    done = run("reset", "--with", weapon, "--aim", "blind", "--json")
    assert (done.status, done.err) == (0, "")
    told = done.document
    assert (told["schema"], told["with"]) == ("tcplab.blind/1", weapon)
    assert 0 < told["sent"] <= 20_000
    assert told["seconds"] <= 10
    assert told["states"] == {"client": "ESTABLISHED", "server": "ESTABLISHED"}
    known, unknown = told["needs"]["port_known"], told["needs"]["port_unknown"]
    assert known["before_rfc_5961"]["frames"] < unknown["before_rfc_5961"]["frames"]
    assert (known["after_rfc_5961"] is None) == (weapon == "syn")
    assert not told["succeeded"]


def test_a_blind_attack_on_a_terminal(run: Run):
    done = run("reset", "--aim", "blind", "-6")
    assert (done.status, done.err) == (0, "")
    assert "4,294,967,296 frames" in re.sub(r"\s+", " ", done.out)
    assert "It failed: nothing was believed." in done.out
    assert done.widest <= 80


# --- mistakes -----------------------------------------------------------------------------------


def test_help_lists_the_combinations_that_mean_something(run: Run):
    out = run("reset", "--help").out
    listed = re.findall(r"^  --with (\S+) --aim (\S+)", out, re.MULTILINE)
    assert listed == [(weapon.value, aim.value) for weapon, aim in MEANT]


@pytest.mark.parametrize(("weapon", "aim"), MEANINGLESS)
def test_other_combinations_are_mistakes_that_name_those_that_exist(run: Run, weapon, aim):
    done = run("reset", "--with", weapon.value, "--aim", aim.value)
    assert (done.status, done.out) == (2, "")
    what, remedy = done.err.splitlines()
    assert f"--with {weapon.value} --aim {aim.value}" in what
    offered = re.findall(r"--aim (\S+?)[,.](?=\s)", remedy)
    assert offered == [each.value for name, each in MEANT if name is weapon]


def test_some_combinations_mean_nothing():
    assert MEANINGLESS


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--tls", "--with", "syn"], "rst exact, fin exact, data exact"),
        (["--times", "5"], "rst in-window"),
        (["--steal", "--with", "handshake"], "everything but: --with handshake, --aim blind."),
        (["--steal", "--aim", "blind"], "everything but: --with handshake, --aim blind."),
        (["--with", "handshake", "--at", "client"], "--at server"),
        (["--aim", "blind", "--pcap", "run.pcapng"], "Omit one of them."),
        (["--aim", "blind", "--trace"], "Omit one of them."),
        (["--aim", "blind", "--force"], "Omit one of them."),
        (["--aim", "in-window", "--times", "0"], "from 1 to 100"),
        (["--aim", "in-window", "--times", "101"], "from 1 to 100"),
        (["--aim", "in-window", "--times", "many"], "from 1 to 100"),
        (["--with", "icmp"], "tcplab reset --help"),
    ],
)
def test_what_does_not_go_together_is_a_mistake(run: Run, arguments, remedy):
    done = run("reset", *arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2
    assert remedy in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["192.0.2.10"],
        ["localhost"],
        ["--host", "192.0.2.10"],
        ["--target", "192.0.2.10"],
        ["--interface", "eth0"],
        ["--with", "data", "--", "192.0.2.10"],
    ],
)
def test_there_is_no_way_to_name_a_host(run: Run, arguments):
    done = run("reset", *arguments, TCPLAB_HOST="192.0.2.10")
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2
