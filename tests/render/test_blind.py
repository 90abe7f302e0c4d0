"""What an attack from off the path shows: the arithmetic, the attempt, the verdict."""

import json
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcplab.analysis.blind import COUNTERS, AckRule, BlindReport, BlindSettings
from tcplab.render.blind import page
from tcplab.render.blind_json import document
from tcplab.render.language import Language, speaker
from tcplab.render.page import bare
from tcplab.scenario.attacks.attack import Weapon
from tcplab.tcp.states import State

PORTS = 28_232


def report(weapon: Weapon = Weapon.RST, **counted: int) -> BlindReport:
    return BlindReport(
        settings=BlindSettings(weapon=weapon),
        kernel="6.18.44-generic",
        rootless=True,
        window=65536,
        client_window=64512,
        acknowledged=2624,
        ack_rule=AckRule.SENT if weapon is Weapon.DATA else None,
        ports=1,
        sent=20_000,
        seconds=0.25,
        exchanges=40,
        client=State.ESTABLISHED,
        server=State.ESTABLISHED,
        counters=dict.fromkeys(COUNTERS, 0) | counted,
    )


def shown(told: BlindReport, width: int = 80, *, say=str, ascii_only: bool = False) -> str:
    lines = page(told, width=width, ports=PORTS, say=say, ascii_only=ascii_only)
    return "".join(f"{bare(line)}\n" for line in lines)


def said(told: BlindReport) -> str:
    return re.sub(r"\s+", " ", shown(told))


@pytest.mark.parametrize(
    "weapon", [Weapon.RST, Weapon.SYN, Weapon.DATA], ids=lambda each: each.value
)
def test_page(weapon, golden):
    assert shown(report(weapon, TcpExtTCPChallengeACK=1, TcpExtTCPACKSkippedChallenge=1)) == golden


@pytest.mark.parametrize("width", [40, 60, 120])
@pytest.mark.parametrize("language", Language, ids=lambda each: each.value)
def test_page_fits(width, language):
    lines = shown(report(), width, say=speaker(language)).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_page_in_ascii_has_nothing_else():
    assert shown(report(), ascii_only=True).isascii()


def test_before_rfc_5961_a_window_is_enough():
    assert "Before RFC 5961, with the client's port known: 65,536 frames" in said(report())
    assert f"Before RFC 5961, with one of 28,232 ports: {65_536 * PORTS:,} frames" in said(report())


def test_today_every_number_has_to_be_tried():
    assert "Today, with the client's port known: 4,294,967,296 frames" in said(report())
    assert f"Today, with one of 28,232 ports: {2**32 * PORTS:,} frames" in said(report())


def test_an_acknowledgment_number_reaches_as_far_as_was_acknowledged():
    told = report(Weapon.DATA)
    assert f"Today, with the client's port known: {65_536 * -(-(2**32) // 2625):,} f" in said(told)
    assert "an ACK number may be 2,624 octets old: the client has acknowledged 2,624" in said(told)


def test_nor_farther_than_the_window():
    told = replace(report(Weapon.DATA), acknowledged=70_000)
    assert "an ACK number may be 64,512 octets old" in said(told)


def test_an_older_kernel_believes_a_whole_window():
    told = replace(report(Weapon.DATA), ack_rule=AckRule.WINDOW)
    assert f"Today, with the client's port known: {65_536 * -(-(2**32) // 64_513):,} " in said(told)
    assert "64,512 octets old: the client's window, whether the server has sent" in said(told)


def test_what_was_questioned_would_once_have_been_believed():
    told = report(TcpExtTCPChallengeACK=1, TcpExtTCPACKSkippedChallenge=2)
    assert "questioned 3 of the frames; of those it answered 1" in said(told)
    assert "Under RFC 793 each frame that was questioned" in said(told)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "✔ It failed: nothing was believed."),
        ({"server": State.CLOSED}, "✘ It succeeded, by luck: the connection has ended."),
        ({"forged_octets": 28}, "✘ It succeeded, by luck: the server's program read 28 octets"),
        ({"partial": True}, "? Stopped before its end; until then nothing was believed."),
        ({"partial": True, "sent": 0, "seconds": 0.0}, "? Stopped before its end;"),
    ],
)
def test_verdict(change, verdict):
    assert verdict in said(replace(report(), **change))


def test_document():
    told = document(report(Weapon.SYN), command=("reset",), ports=PORTS)
    assert json.loads(json.dumps(told)) == told
    assert told["needs"]["port_known"] == {
        "before_rfc_5961": {"frames": 65536, "chance": 20_000 / 65536},
        "after_rfc_5961": None,
    }
    assert told["needs"]["port_unknown"]["ports"] == PORTS
    assert (told["sent"], told["succeeded"]) == (20_000, False)
    assert (told["ack_rule"], told["ack_reach"]) == (None, None)


def test_document_tells_how_old_an_acknowledgment_number_may_be():
    told = document(report(Weapon.DATA), command=("reset",), ports=PORTS)
    assert (told["ack_rule"], told["ack_reach"]) == ("sent", 2624)
