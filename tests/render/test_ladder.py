"""The ladder in a terminal: golden pictures, and what must be true at every width."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcplab.render import theme
from tcplab.render.findings import Findings
from tcplab.render.ladder import Ladder
from tcplab.render.picture import arranged
from tcplab.render.rows import Side
from tcplab.render.wording import SeqForm
from tcplab.timeline.timeline import Timeline

from . import samples
from .printing import printed


def drawn(
    timeline: Timeline, width: int, *, say=str, seq=SeqForm.RELATIVE, ascii_only=False
) -> str:
    ladder = Ladder(timeline, say=say, seq=seq, ascii_only=ascii_only)
    return printed(ladder, width=width)


@pytest.mark.parametrize("width", [40, 60, 80, 140])
@pytest.mark.parametrize("name", samples.ALL)
def test_golden_ladders(name, width, golden):
    assert drawn(samples.ALL[name](), width) == golden


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("name", ["four-way", "simultaneous-close", "retransmission", "prohibited"])
def test_golden_ladders_in_ascii(name, width, golden):
    text = drawn(samples.ALL[name](), width, ascii_only=True)
    assert text.isascii()
    assert text == golden


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("name", ["four-way", "simultaneous-close", "retransmission"])
def test_golden_ladders_in_korean(name, width, golden):
    text = drawn(samples.ALL[name](), width, say=samples.korean)
    assert text == golden


@pytest.mark.parametrize("seq", [SeqForm.ABSOLUTE, SeqForm.BOTH])
def test_golden_ladders_with_absolute_numbers(seq, golden):
    assert drawn(samples.four_way(), 80, seq=seq) == golden


def test_golden_run_with_findings(golden):
    timeline = samples.four_way()
    ladder = Ladder(timeline, say=str)
    findings = Findings(samples.four_way_findings(), timeline, say=str)
    assert printed(ladder, findings, width=80) == golden


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("say", [str, samples.korean])
@pytest.mark.parametrize("name", samples.ALL)
def test_every_line_fits_every_width(name, say, ascii_only):
    timeline = samples.ALL[name]()
    for width in (*range(40, 161), 200):
        for line in drawn(timeline, width, say=say, ascii_only=ascii_only).splitlines():
            assert cell_len(line) <= width, (width, line)


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("name", samples.ALL)
def test_every_segment_has_flags_direction_and_both_states_at_every_width(name, ascii_only):
    timeline = samples.ALL[name]()
    rows = list(arranged(timeline).segments())
    signs = theme.ASCII if ascii_only else theme.UNICODE
    heads = {Side.LEFT: signs.head_left, Side.RIGHT: signs.head_right}
    for width in range(40, 161):
        lines = iter(drawn(timeline, width, ascii_only=ascii_only).splitlines())
        for row in rows:
            flags = row.event.segment.flags.written
            arrow = next(line for line in lines if f" {row.number} " in line and flags in line)
            assert (signs.lost if row.lost else heads[row.toward]) in arrow
            block = [arrow, *(next(lines) for _ in range(0 if width >= 60 else 1))]
            while not _holds_both_states(block[-1], row):
                block.append(next(lines))
                assert width < 60, f"states beside arrow {row.number} at {width}"


def _holds_both_states(line: str, row) -> bool:
    left, right = (re.escape(str(end.after or "?")) for end in row.ends)
    return re.search(rf"\b{left} .* {right}", line) is not None


def test_lifelines_stay_aligned_under_korean_words():
    lines = drawn(samples.simultaneous_close(), 80, say=samples.korean).splitlines()[3:]
    columns = {
        tuple(cell_len(line[:at]) for at, sign in enumerate(line) if sign in "│●├┤┊")
        for line in lines
    }
    assert columns == {(15, 56)}


def test_colour_changes_no_character():
    timeline = samples.simultaneous_close()
    ladder = Ladder(timeline, say=str)
    coloured = printed(ladder, width=100, color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == printed(ladder, width=100)


def test_hostile_payload_reaches_the_terminal_harmless():
    for width in (40, 80, 140):
        text = drawn(samples.hostile(), width)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
        assert "[bold]" in text  # shown, not obeyed


def test_lane_observed_and_inferred_marks_what_was_inferred():
    story = samples.Story()
    story.open()
    story.call(500, "server", "close", "FIN-WAIT-1")
    timeline = story.timeline()
    doubtful = samples.with_source(timeline, host="server", i=5)
    text = drawn(doubtful, 80)
    assert "states observed (? inferred)" in text
    assert "close() ─● FIN-WAIT-1?" in text


def test_run_without_segments_says_so():
    text = drawn(samples.Story().timeline(), 80)
    assert text.splitlines()[-1] == " No segment was seen."


def test_long_ipv6_addresses_break_rather_than_overflow():
    timeline = samples.four_way()
    ip = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
    hosts = tuple(replace(host, ip=ip) for host in timeline.hosts)
    for width in (40, 60, 80, 100):
        lines = drawn(replace(timeline, hosts=hosts), width).splitlines()
        assert all(cell_len(line) <= width for line in lines)
        head = "".join(lines[:8]).replace(" ", "")
        assert head.count(f"[{ip}]:") == 2


def test_importing_it_imports_nothing_of_rich_that_a_console_does_not():
    program = (
        "import sys, rich.console, rich.text, rich.table, rich.cells\n"
        "before = set(sys.modules)\n"
        "import tcplab.render.ladder, tcplab.render.findings\n"
        "print(*(set(sys.modules) - before))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    strangers = {name for name in ran.stdout.split() if not name.startswith("tcplab")}
    assert strangers <= {"unicodedata"}
