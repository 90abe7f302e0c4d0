"""The catalogue page and the table of verdicts: aligned in every width and language."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tcplab.analysis.finding import Verdict
from tcplab.analysis.standing import Standing
from tcplab.render.catalogue import Catalogue, Shelf, document
from tcplab.text import Text
from tests.render.printing import printed

KOREAN = {
    "Opening": "연결 열기",
    "Closing": "연결 닫기",
    "Three segments open a connection": "연결을 여는 세 세그먼트",
    "SYNs that nobody answers": "아무도 답하지 않는 SYN",
    "The last ACK is lost": "마지막 ACK가 사라지면",
    "The accept queue is full, and the server's kernel says nothing of it": (
        "accept queue가 가득 찼는데 서버 커널은 아무 말도 하지 않는다"
    ),
    "as expected": "예상대로",
    "not as expected": "예상과 다름",
}


def korean(text: Text) -> str:
    return text.said_by(lambda msgid: KOREAN.get(msgid, msgid))


def standing(name: str, group: str, title: str, **result) -> Standing:
    return Standing(name=name, group=group, title=Text(title), again=f"tcplab run {name}", **result)


SHELVES = (
    Shelf(
        title=Text("Opening"),
        standings=(
            standing("three-way", "opening", "Three segments open a connection"),
            standing("filtered-port", "opening", "SYNs that nobody answers"),
            standing(
                "accept-queue-full",
                "opening",
                "The accept queue is full, and the server's kernel says nothing of it",
            ),
        ),
    ),
    Shelf(
        title=Text("Closing"),
        standings=(standing("last-ack-lost", "closing", "The last ACK is lost"),),
    ),
)

RESULTS = {
    "three-way": {"verdict": Verdict.YES, "runs": 1, "held": 1, "traces": 1},
    "filtered-port": {
        "verdict": Verdict.INCONCLUSIVE,
        "runs": 1,
        "why": (Text("The process that played it was ended by SIGKILL."),),
    },
    "accept-queue-full": {"verdict": Verdict.YES, "runs": 1, "held": 1, "traces": 1},
    "last-ack-lost": {
        "verdict": Verdict.NO,
        "runs": 1,
        "why": (
            Text("Expected server.retransmitted.fin >= 1; instead server.retransmitted.fin was 0."),
        ),
    },
}
REPEATED = {
    "three-way": {"verdict": Verdict.YES, "runs": 20, "held": 20, "traces": 1},
    "filtered-port": {"verdict": Verdict.YES, "runs": 20, "held": 20},
    "accept-queue-full": {
        "verdict": Verdict.NO,
        "runs": 20,
        "held": 20,
        "traces": 2,
        "why": (Text("2 different joint traces."),),
    },
}


def after(results) -> list[Shelf]:
    return [
        replace(
            shelf,
            standings=tuple(
                replace(each, **results.get(each.name, {})) for each in shelf.standings
            ),
        )
        for shelf in SHELVES
    ]


def shown(width: int, shelves=SHELVES, *, verdicts=False, say=str, ascii_only=False) -> str:
    page = Catalogue(shelves, verdicts=verdicts, say=say, ascii_only=ascii_only)
    return printed(page, width=width)


@pytest.mark.parametrize("say", [str, korean])
@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_list(width: int, say, golden):
    assert shown(width, say=say) == golden


@pytest.mark.parametrize("say", [str, korean])
@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_verdicts(width: int, say, golden):
    assert shown(width, after(RESULTS), verdicts=True, say=say) == golden


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_repeated(width: int, golden):
    assert shown(width, after(REPEATED), verdicts=True) == golden


def test_verdicts_in_ascii(golden):
    page = shown(80, after(RESULTS), verdicts=True, ascii_only=True)
    assert page.isascii()
    assert page == golden


@pytest.mark.parametrize("say", [str, korean])
@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_list_has_one_line_each_with_titles_in_one_column(width: int, say):
    names = {each.name: each for shelf in SHELVES for each in shelf.standings}
    lines = [line for line in shown(width, say=say).splitlines() if line.split()[:1]]
    entries = [line for line in lines if line.split()[0] in names]
    assert [line.split()[0] for line in entries] == [*names]
    assert len(lines) == len(entries) + len(SHELVES)
    columns = {
        cell_len(line[: len(line) - len(line.lstrip().partition(" ")[2].lstrip())])
        for line in entries
    }
    assert len(columns) == 1


@pytest.mark.parametrize("say", [str, korean])
@pytest.mark.parametrize("results", [{}, RESULTS, REPEATED])
def test_every_line_but_a_command_fits_every_width(say, results):
    for width in range(40, 161):
        page = shown(width, after(results), verdicts=bool(results), say=say)
        assert [line for line in page.splitlines() if cell_len(line) > width] == []


@pytest.mark.parametrize("results", [RESULTS, REPEATED])
def test_results_stand_in_one_column_on_the_right(results):
    lines = shown(140, after(results), verdicts=True, say=korean).splitlines()
    named = [line for line in lines if any(f" {name}  " in line for name in results)]
    assert len(named) == len(results)
    assert len({cell_len(line) for line in named}) == 1


def test_control_characters_do_no_harm():
    evil = Shelf(title=None, standings=(standing("\x1b[31m", "x", "\x1b]0;\x07"),))
    assert "\x1b" not in shown(80, (evil,))


def test_what_was_not_played_is_null_in_the_document():
    assert document(SHELVES[1:], say=korean) == {
        "schema": "tcplab.catalogue/1",
        "scenarios": [
            {
                "name": "last-ack-lost",
                "group": "closing",
                "title": "마지막 ACK가 사라지면",
                "verdict": None,
                "runs": 0,
                "held": 0,
                "traces": None,
                "why": [],
            }
        ],
    }


def test_what_was_played_has_its_verdict_in_the_document():
    (first, *_), (last,) = (document([shelf], say=str)["scenarios"] for shelf in after(RESULTS))
    assert (first["verdict"], first["held"], first["traces"]) == ("yes", 1, 1)
    assert (last["verdict"], last["why"]) == (
        "no",
        ["Expected server.retransmitted.fin >= 1; instead server.retransmitted.fin was 0."],
    )
