"""The word on standard error while one waits."""

import io
import sys

import pytest

from tcplab.cli.progress import Progress, Waiting
from tests.analysis.ladder import ladder

FOUR_SYNS = ladder("@0 client S\n@1000 client S seq=0\n@3000 client S seq=0\n@7000 client S seq=0")


class Terminal(io.TextIOWrapper):
    """Standard error as a terminal, and what was written on it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def isatty(self) -> bool:
        return True

    def written(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()


def on_terminal(monkeypatch, word, **environment) -> str:
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"LANG": "C.UTF-8", "TERM": "xterm-256color"} | environment).items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = word(lambda text: str(text))
    for event in FOUR_SYNS.events:
        progress.heed(event)
    progress.clear()
    return terminal.written()


@pytest.mark.parametrize("word", [Progress, Waiting])
def test_on_a_terminal_it_is_written_over_and_taken_back(monkeypatch, word):
    written = on_terminal(monkeypatch, word)
    assert written.count("…") == 3
    assert written.endswith("\r\x1b[K")


@pytest.mark.parametrize("word", [Progress, Waiting])
@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"LANG": "C"}], ids=str)
def test_on_one_that_shows_ascii_only_there_is_none(monkeypatch, word, environment):
    assert on_terminal(monkeypatch, word, **environment) == ""
