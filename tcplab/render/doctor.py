"""What this machine can do: a line for each ability, and under what is missing how to mend it."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Line

from tcplab.analysis.check import Check
from tcplab.analysis.finding import Verdict
from tcplab.render import theme
from tcplab.render.cells import cell_len, flush_left, wrapped
from tcplab.render.harmless import harmless, plain
from tcplab.render.ladder import WIDEST
from tcplab.text import Say, Text

_COLUMNS = 60
"""From how many cells on what was found stands beside the ability's name, not under it."""


class Doctor:
    """The checks, and whether the testbed runs; rich prints them in the width that it has.

    A command stands on a line of its own and is never broken, so that it can be copied; print with
    `crop=False`, and a narrower terminal carries it over, which still copies as one line.
    """

    def __init__(
        self, checks: Sequence[Check], *, testbed_runs: bool, say: Say, ascii_only: bool = False
    ) -> None:
        self._checks = checks
        self._runs = testbed_runs
        self._say = say
        self._ascii = ascii_only
        self._signs = theme.ASCII if ascii_only else theme.UNICODE

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        mark_cells = cell_len(self._mark(Verdict.YES))
        beside = max((cell_len(check.id) for check in self._checks), default=0) + 2
        name_cells = beside if width >= _COLUMNS else 0
        for check in self._checks:
            for line in self._lines(check, mark_cells, name_cells, width):
                line.no_wrap = True
                line.overflow = "ignore"
                yield line
        verdict = Verdict.YES if self._runs else Verdict.NO
        words = (
            Text("The testbed runs here.") if self._runs else Text("The testbed cannot run here.")
        )
        yield Line.assemble("\n", self._marked(verdict), self._said(words))

    def _lines(self, check: Check, mark_cells: int, name_cells: int, width: int) -> Iterator[Line]:
        head = self._marked(Verdict.YES if check.ok else Verdict.NO)
        found = wrapped(self._said(check.found), width - mark_cells - name_cells - 1)
        indent = " " * (mark_cells + name_cells)
        if name_cells:
            first, *rest = found
            yield Line.assemble(head, (flush_left(check.id, name_cells), theme.HOST), first)
        else:
            rest = found
            yield Line.assemble(head, (check.id, theme.HOST))
        for words in rest:
            yield Line(indent + words)
        if not check.ok:
            yield from self._advice(check, indent, width)

    def _advice(self, check: Check, indent: str, width: int) -> Iterator[Line]:
        """How to mend it, and what works until then."""
        room = width - len(indent) - 1
        if check.remedy is not None:
            for words in wrapped(self._said(check.remedy), room):
                yield Line(indent + words)
        if check.command is not None:
            yield Line.assemble("    ", (harmless(check.command), theme.CALL))
        for words in wrapped(self._said(check.without), room):
            yield Line.assemble(indent, (words, theme.QUIET))

    def _mark(self, verdict: Verdict) -> str:
        return f" {self._signs.verdict(verdict)} "

    def _marked(self, verdict: Verdict) -> tuple[str, str]:
        return self._mark(verdict), theme.verdict_style(verdict)

    def _said(self, text: Text) -> str:
        words = self._say(text)
        return harmless(plain(words) if self._ascii else words)


def document(
    checks: Sequence[Check], *, testbed_runs: bool, say: Say
) -> dict[str, str | bool | list[dict[str, str | bool | None]]]:
    """The same for machines (`tcplab.doctor/1`)."""
    return {
        "schema": "tcplab.doctor/1",
        "testbed": testbed_runs,
        "checks": [
            {
                "id": check.id,
                "ok": check.ok,
                "found": say(check.found),
                "remedy": None if check.remedy is None else say(check.remedy),
                "command": check.command,
                "without": say(check.without),
            }
            for check in checks
        ],
    }
