"""Both scans side by side, one exchange alone, and the same for machines."""

import json
from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcplab.analysis.scanning.report import Method
from tcplab.render.comparison import OneExchange, SideBySide
from tcplab.render.comparison_json import document
from tests.recorded import scans

from .printing import printed


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_golden_comparison(width, golden):
    assert printed(SideBySide(scans.comparison(), say=str), width=width) == golden


@pytest.mark.parametrize("width", [60, 80, 140])
def test_golden_comparison_in_ascii(width, golden):
    text = printed(SideBySide(scans.comparison(), say=str, ascii_only=True), width=width)
    assert text.isascii()
    assert text == golden


@pytest.mark.parametrize("port", scans.PORTS)
@pytest.mark.parametrize("method", Method, ids=lambda method: method.value)
def test_golden_exchange(port, method, golden):
    assert printed(OneExchange(scans.of(port, method), say=str), width=80) == golden


@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_line_fits_every_width(ascii_only):
    comparison = scans.comparison()
    for width in (*range(30, 161, 7), 220, 400):
        picture = SideBySide(comparison, say=str, ascii_only=ascii_only)
        for line in printed(picture, width=width).splitlines():
            assert cell_len(line) <= width, (width, line)


def test_ladders_stand_beside_each_other_where_both_have_lanes():
    def headings(width):
        text = printed(SideBySide(scans.comparison(22), say=str), width=width)
        return [line for line in text.splitlines() if "scan of port" in line]

    assert len(headings(122)) == 2
    assert len(headings(123)) == 1


def test_colours_say_nothing_that_words_do_not():
    picture = SideBySide(scans.comparison(), say=str)
    plain, coloured = printed(picture, width=100), printed(picture, width=100, color=True)
    assert plain != coloured
    assert "\x1b" not in plain


def test_partial_comparison_says_so():
    partial = replace(scans.comparison(22), partial=True)
    last = printed(SideBySide(partial, say=str), width=80).splitlines()[-1]
    assert last == " Cut short: these are the ports that were done by then."


def test_nothing_compared_is_only_cut_short():
    nothing = replace(scans.comparison(22), pairs=(), partial=True)
    assert printed(SideBySide(nothing, say=str), width=80).count("\n") == 1


def test_document():
    whole = json.loads(json.dumps(document(scans.comparison(), str)))
    assert whole["schema"] == "tcplab.comparison/1"
    assert (whole["client"], whole["server"]) == ("192.0.2.1", "192.0.2.2")
    assert list(whole["ports"]) == ["22", "81", "135", "23"]
    assert whole["server_saw"] == {
        "syn": {"connections_accepted": 0, "syn_received_peak": 1},
        "connect": {"connections_accepted": 1, "syn_received_peak": 1},
    }
    syn, connect = whole["ports"]["22"]["syn"], whole["ports"]["22"]["connect"]
    assert syn["segments"] == {"to_server": 2, "to_client": 1}
    assert syn["server_states"] == ["LISTEN", "SYN-RECEIVED", "CLOSED"]
    assert connect["server_states"] == ["LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSED"]
    assert (syn["application_log"], len(connect["application_log"])) == ([], 1)
    assert (syn["reset_by"], connect["reset_by"]) == ("kernel", "application")
    assert [step["segment"] for step in syn["steps"] if "segment" in step] == ["S", "SA", "R"]
    assert whole["ports"]["23"]["syn"]["icmp"]["code"] == 13


def test_document_of_nothing():
    nothing = replace(scans.comparison(22), pairs=(), partial=True)
    assert document(nothing, str)["partial"] is True
