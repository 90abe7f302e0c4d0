"""The pictures of a SYN flood, the live view of it, and its JSON."""

import json
from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcplab.analysis.flooding.report import ConditionId
from tcplab.render.flood import moments, page
from tcplab.render.flood_json import document
from tcplab.render.flood_live import live
from tcplab.render.flood_table import table
from tcplab.render.page import Style, bare
from tcplab.text import Text
from tests.render import flood_reports

WIDTHS = [40, 60, 80, 140]


def shown(lines) -> str:
    return "".join(f"{bare(line)}\n" for line in lines)


def korean(text: Text) -> str:
    return "한국어 문장은 두 칸씩: " + str(text)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["denied", "by_cookie"])
def test_page(name, width, golden):
    assert shown(page(flood_reports.ALL[name](), width=width, say=str)) == golden


@pytest.mark.parametrize(
    "name",
    [
        *("always", "limited", "bare", "late", "partly", "sometimes"),
        *("partial", "doubtful", "unserved_before"),
    ],
)
def test_page_of_other_floods(name, golden):
    assert shown(page(flood_reports.ALL[name](), width=80, say=str)) == golden


@pytest.mark.parametrize("width", WIDTHS)
def test_table(width, golden):
    assert shown(table(flood_reports.COMPARED, width=width, say=str)) == golden


def test_table_of_what_was_stopped(golden):
    reports = (flood_reports.denied(), flood_reports.partial())
    assert shown(table(reports, width=80, say=str)) == golden


def test_table_of_who_was_served_partly(golden):
    reports = (flood_reports.partly(), flood_reports.doubtful(), flood_reports.unserved_before())
    assert shown(table(reports, width=80, say=str)) == golden


def test_table_of_one_report_is_not_of_several_defences():
    lines = shown(table(flood_reports.COMPARED[:1], width=80, say=str)).splitlines()
    assert lines[0] == " A SYN flood, and the first of the defences"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("denied", False),
        ("limited", False),
        ("limited_in_vain", "Even one SYN a second, the lowest limit that there is, filled a"),
        ("partly", "At most 20 SYNs a second still filled the queue within 3.0 s"),
    ],
)
def test_a_limit_that_the_queue_does_not_bear_is_said_to_be_in_vain(name, told):
    report = flood_reports.ALL[name]()
    for lines in (page(report, width=80, say=str), table((report,), width=80, say=str)):
        words = " ".join(shown(lines).split())
        assert told in words if told else "limit" not in words


def test_table_of_nothing():
    assert shown(table((), width=80, say=str)) == " Stopped before anything was seen.\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_live_view(width, golden):
    report = flood_reports.by_cookie()
    assert shown(live(report.settings, report.looks[9], width=width, say=str)) == golden


def test_everything_in_ascii(golden):
    report = flood_reports.by_cookie()
    words = shown(page(report, width=80, say=str, ascii_only=True))
    words += shown(table(flood_reports.COMPARED, width=80, say=str, ascii_only=True))
    look = report.looks[9]
    words += shown(live(report.settings, look, width=80, say=str, ascii_only=True))
    assert words.isascii()
    assert words == golden


@pytest.mark.parametrize("say", [str, korean])
@pytest.mark.parametrize("width", range(40, 150))
def test_every_line_fits(width, say):
    lines = [*table(flood_reports.COMPARED, width=width, say=say)]
    for made in flood_reports.ALL.values():
        report = made()
        lines += page(report, width=width, say=say)
        for look in report.looks[:1]:
            lines += live(report.settings, look, width=width, say=say)
    assert max(cell_len(bare(line)) for line in lines) <= width


def test_who_is_served_is_good_and_who_is_not_is_bad():
    def style_of(report) -> Style:
        return next(
            style
            for line in page(report, width=80, say=str)
            for words, style in line
            if words.startswith(" The client was")
        )

    assert style_of(flood_reports.by_cookie()) is Style.GOOD_MARK
    assert style_of(flood_reports.denied()) is Style.BAD_MARK
    for report in (flood_reports.late(), flood_reports.partly(), flood_reports.sometimes()):
        assert style_of(report) is Style.WARNING_MARK


def test_control_characters_in_a_kernel_s_name_do_no_harm():
    report = replace(flood_reports.denied(), kernel="6.18\x1b[31m[bold]\u202e")
    for words in (
        shown(page(report, width=80, say=str)),
        shown(table((report,), width=80, say=str)),
    ):
        assert "6.18\\x1b[31m[bold]\\u202e" in words


def test_json_of_who_was_served_partly_says_in_how_many_tries():
    told = document((flood_reports.partly(),), command=("half-open",), say=str)
    (row,) = told["rows"]
    assert (row["served"], row["tries_served"], len(row["tries"])) == (True, 4, 15)


@pytest.mark.parametrize("count", [1, 2, 8, 9, 31, 1000])
def test_some_moments_from_the_first_to_the_last(count):
    looks = [replace(flood_reports.denied().looks[0], at_ns=n) for n in range(count)]
    chosen = [look.at_ns for look in moments(looks)]
    assert len(chosen) == min(count, 8)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert chosen == sorted(set(chosen))


def test_json_has_a_row_for_each_flood():
    told = document(flood_reports.COMPARED, command=("half-open",), say=str)
    assert json.loads(json.dumps(told)) == told
    assert told["schema"] == "tcplab.flood/1"
    rows = told["rows"]
    assert [row["cookies"] for row in rows] == ["off", "on", "always", "off"]
    assert [row["rate_limit"] for row in rows] == [None, None, None, 1]
    assert [row["served"] for row in rows] == [False, True, True, True]
    assert [row["tries_served"] for row in rows] == [0, 15, 15, 15]
    assert [row["served_after_ns"] for row in rows] == [None, 120_000, 120_000, 120_000]
    assert [row["syn_received_peak"] for row in rows] == [13, 17, 0, 3]
    assert rows[0]["options_kept"] is None
    assert rows[1]["options_kept"] == ["MSS", "SAckOK", "Timestamp", "WScale"]
    assert rows[1]["counters"]["TcpExtSyncookiesSent"] == 398
    assert [each["id"] for each in rows[0]["conditions"]] == [each.value for each in ConditionId]
    assert len(rows[0]["tries"]) == 15
    assert {each["took_ns"] for each in rows[0]["tries"]} == {None}
