"""Ladders of whole scenarios: acts on the wire, expectations, settings, several connections."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcplab.analysis.explain import explain
from tcplab.render.findings import Findings
from tcplab.render.ladder import Ladder
from tcplab.render.picture import arranged
from tcplab.render.rows import ActRow, ConnectionRow, ExpectRow, IcmpRow, SegmentRow, Side
from tcplab.render.wording import SeqForm, Wording
from tcplab.timeline.events import IcmpEvent, WireEvent
from tcplab.timeline.timeline import Setting, Timeline

from . import plays, samples
from .printing import printed


def drawn(timeline: Timeline, width: int, *, ascii_only=False, verbose=False) -> str:
    ladder = Ladder(timeline, say=str, ascii_only=ascii_only, verbose=verbose)
    findings = Findings(
        explain(timeline), timeline, say=str, ascii_only=ascii_only, verbose=verbose
    )
    return printed(ladder, findings, width=width)


@pytest.mark.parametrize("width", [40, 60, 80, 140])
@pytest.mark.parametrize("name", plays.ALL)
def test_golden_plays(name, width, golden):
    assert drawn(plays.ALL[name](), width) == golden


@pytest.mark.parametrize("width", [40, 80])
def test_golden_play_in_ascii(width, golden):
    text = drawn(plays.pulled_cable(), width, ascii_only=True)
    assert text.isascii()
    assert text == golden


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("name", plays.ALL)
def test_every_line_fits_every_width(name, ascii_only):
    timeline = plays.ALL[name]()
    for width in (*range(40, 161, 3), 200):
        for line in drawn(timeline, width, ascii_only=ascii_only).splitlines():
            assert cell_len(line) <= width, (width, line)


def test_a_step_on_the_wire_and_what_was_expected_have_rows():
    rows = arranged(plays.pulled_cable()).rows
    assert [row.event.rule for row in rows if isinstance(row, ActRow)] == [
        "cut server",
        "restore server",
        "the moon: full",
    ]
    assert [row.event.met for row in rows if isinstance(row, ExpectRow)] == [True, False, True]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("hold", "hold every frame"),
        ("release", "release what was held"),
        ("cut server", "✂ cut server"),
        ("restore server", "server is heard again"),
        ("silence client", "✂ client falls silent"),
        ("reboot server", "reboot server"),
        ("readdress client 7", "client gets a new address"),
        ("lift firewall 1", "lift firewall 1"),
        ("cut", "✂ cut"),
        (
            "the middlebox that forgets flows",
            "the middlebox that forgets flows",
        ),
        ("nat \x1b[31m", "nat \\x1b[31m"),
    ],
)
def test_words_for_steps_on_the_wire(rule, words):
    play = plays.Play()
    play.act(10, rule)
    timeline = play.timeline()
    assert f" {words} " in printed(Ladder(timeline, say=str), width=80)


def test_settings_stand_in_the_header_once_for_all_hosts():
    lines = printed(Ladder(plays.pulled_cable(), say=str), width=80).splitlines()
    assert lines[2:5] == [
        " server, client: net.ipv4.tcp_retries2 = 3 (default 15)",
        " client: net.ipv4.tcp_sack = 1 (the default)",
        " client: net.ipv4.tcp_syn_linear_timeouts (this kernel has no such setting)",
    ]


def test_hostile_setting_is_harmless():
    hostile = Setting(host="server", name="\x1b[2J", value="\u202e", default="")
    timeline = replace(samples.four_way(), settings=(hostile,))
    assert "server: \\x1b[2J = \\u202e (default )" in printed(Ladder(timeline, say=str), width=80)


def predicates(**how) -> list[str]:
    rows = arranged(plays.two_connections(), **how).rows
    return [row.event.predicate for row in rows if isinstance(row, ExpectRow)]


def test_without_those_that_were_met_expectations_that_were_not_still_stand_there():
    assert len(predicates()) == 3
    assert predicates(met=False) == ["client.state == CLOSED", "client[c2].state == CLOSED"]
    assert predicates(met=False, verbose=True) == predicates()


def test_dropped_segment_names_the_rule():
    rows = arranged(plays.pulled_cable()).rows
    lost = [row for row in rows if isinstance(row, SegmentRow) and row.lost]
    assert [row.rules for row in lost] == [("cut server",)]


def test_connections_have_their_ports_and_their_own_states():
    rows = arranged(plays.ten_connections()).rows
    headings = [row for row in rows if isinstance(row, ConnectionRow)]
    assert [row.conn for row in headings] == [f"c{n}" for n in range(1, 11)]
    assert [row.ports for row in headings] == [(40122 + n, 80) for n in range(1, 11)]
    states = [(str(left.after), str(right.after)) for left, right in (row.ends for row in headings)]
    assert states == [("CLOSED", "LISTEN")] * 10


def test_options_are_told_once_for_connections_that_offer_the_same():
    rows = list(arranged(plays.ten_connections()).segments())
    assert [row.familiar for row in rows[:6]] == [False, False, False, True, True, False]


def test_icmp_goes_to_the_connection_whose_ports_it_quotes():
    timeline = plays.ten_connections()
    quoted = IcmpEvent(
        i=len(timeline.events),
        at_ns=10**9,
        version=4,
        reporter="192.0.2.254",
        type=3,
        code=1,
        sport=80,
        dport=40125,
    )
    rows = arranged(replace(timeline, events=(*timeline.events, quoted))).rows
    assert isinstance(rows[-1], IcmpRow)
    assert rows[-1].toward is Side.RIGHT
    assert isinstance(rows[-2], ConnectionRow)
    assert rows[-2].conn == "c3"


def test_strangers_are_named_and_speak_in_the_numbers_of_the_end_they_pretend_to_be():
    rows = list(arranged(plays.strangers()).segments())[3:]
    assert [(row.origin, row.target, row.seq, row.ack) for row in rows] == [
        ("firewall 1", None, 1, 1),
        ("firewall 1", None, 1, 1),
        (None, "attacker", 1, 1),
    ]


def test_wire_event_without_segment_is_no_rule_of_a_segment():
    play = plays.Play()
    play.segment(0, "client", "S", 0)
    play.note(WireEvent(i=0, at_ns=1, rule="hold", segment=None))
    (row,) = arranged(play.timeline()).segments()
    assert row.rules == ()


def test_findings_of_many_connections_are_told_once_unless_verbose():
    timeline = plays.ten_connections()
    assert drawn(timeline, 140).count("Three-way handshake") == 1
    assert "And 9 more like it." in drawn(timeline, 140)
    assert drawn(timeline, 140, verbose=True).count("Three-way handshake") == 10


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (("cut server", "restore server"), "plug server in again"),
        (("cut server", "silence server", "restore server"), "plug server in again"),
        (("silence server", "reboot server", "restore server"), "server is heard again"),
        (("cut client", "silence server", "restore server"), "server is heard again"),
        (
            ("cut server", "restore server", "silence server", "restore server"),
            "server is heard again",
        ),
    ],
)
def test_only_a_cable_that_was_pulled_is_plugged_in(rules, words):
    play = plays.Play()
    for at_us, rule in enumerate(rules):
        play.act(at_us, rule)
    rows = [row for row in arranged(play.timeline()).rows if isinstance(row, ActRow)]
    wording = Wording(str, seq=SeqForm.RELATIVE, ascii_only=False)
    assert wording.act(rows[-1]) == words
