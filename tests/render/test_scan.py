"""The picture of a scan: what stands in it, at every width."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcplab.analysis.scanning.report import Silence
from tcplab.render.language import Language, speaker
from tcplab.render.page import Style, bare, coloured
from tcplab.render.scan import Wanted, above_ladder, page
from tcplab.text import Text
from tests.render import scan_reports

NOTHING_MORE = Wanted()
EVERYTHING = Wanted(all_ports=True, reason=True)


def shown(report, width: int = 80, *, say=str, ascii_only=False, wanted=NOTHING_MORE) -> str:
    lines = page(
        report,
        width=width,
        services=scan_reports.NAMES.get,
        say=say,
        ascii_only=ascii_only,
        wanted=wanted,
    )
    return "".join(f"{bare(line)}\n" for line in lines)


def korean(text: Text) -> str:
    return "포트마다 다른 답: " + str(text)


@pytest.mark.parametrize("width", [40, 60, 80, 140])
@pytest.mark.parametrize("name", ["syn", "connect", "host"])
def test_page(name, width, golden):
    assert shown(scan_reports.ALL[name](), width) == golden


@pytest.mark.parametrize(
    "name",
    [
        *("troubled", "ever-changing", "partial", "hurried", "fallen-silent", "silent"),
        *("unreachable", "closed"),
    ],
)
def test_page_of_what_did_not_go_well(name, golden):
    assert shown(scan_reports.ALL[name]()) == golden


@pytest.mark.parametrize("width", [40, 80])
def test_every_port_with_its_reason(width, golden):
    assert shown(scan_reports.few(), width, wanted=EVERYTHING) == golden


def test_reasons_of_a_whole_scan(golden):
    assert shown(scan_reports.syn(), wanted=Wanted(reason=True)) == golden


def test_page_in_ascii(golden):
    words = shown(scan_reports.host(), ascii_only=True, wanted=Wanted(reason=True))
    assert words.isascii()
    assert words == golden


@pytest.mark.parametrize("say", [str, korean, speaker(Language.KO)])
@pytest.mark.parametrize("name", scan_reports.ALL)
def test_every_line_fits_every_width(name, say):
    report = scan_reports.ALL[name]()
    wanted = Wanted(reason=True, all_ports=name == "few")
    for width in range(40, 141):
        lines = shown(report, width, say=say, wanted=wanted).splitlines()
        assert [line for line in lines if cell_len(line) > width] == []


@pytest.mark.parametrize("width", [40, 80])
def test_all_ports_have_a_row_each(width):
    lines = shown(scan_reports.syn(), width, wanted=Wanted(all_ports=True)).splitlines()
    rows = [line.split() for line in lines if line[1:6].strip().isdigit() and len(line[:6]) == 6]
    ports = [int(row[0]) for row in rows if row[1] in ("open", "closed", "filtered", "rejected")]
    assert ports == [*range(1, 65536)]
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("silence", Silence)
def test_a_silent_host_is_never_said_to_be_closed(silence):
    words = shown(scan_reports.silent(silence))
    assert "closed" not in words
    assert ("filtered" in words) == (silence in (Silence.FILTERED, Silence.DOWN_OR_FILTERED))
    told = ("seems down", "cannot be reached", "is up, and everything is filtered")
    assert any(f"198.51.100.7 {each}" in words for each in told)


def test_what_was_not_asked_often_enough_is_not_called_filtered():
    for wanted in (Wanted(), EVERYTHING):
        words = shown(scan_reports.partial(), wanted=wanted)
        assert "Stopped before its end" in words
        assert "filtered" not in words
        assert "discards" not in words
        assert ("not answered yet" in words) == wanted.all_ports


def test_the_round_that_was_cut_short_counts():
    words = shown(replace(scan_reports.syn(), partial=True, cut_round=True))
    rounds = len(scan_reports.syn().rounds) + 1
    assert f"Rounds: {rounds}." in words


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_ladder_that_was_played_anew_says_so(width):
    lines = [bare(line) for line in above_ladder(width=width, say=str)]
    assert "played anew on the stepped wire" in " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= width


def test_control_characters_do_no_harm():
    assert "\x1b" not in shown(scan_reports.host())


def test_colours_add_nothing_to_the_words():
    lines = [*page(scan_reports.syn(), width=80, services={}.get, say=str)]
    assert any(style is Style.GOOD for line in lines for _words, style in line)
    for line in lines:
        painted = coloured(line)
        for style in Style:
            painted = painted.replace(f"\x1b[{style.value}m", "").replace("\x1b[0m", "")
        assert painted.rstrip() == bare(line)
