"""The picture of a run as an SVG, laid out by hand; it refers to nothing outside itself.

It suits light and dark pages. Shapes tell what colours tell: a bar is filled where states were
observed, tinted where they were crafted, dashed where they were inferred.
"""

from collections.abc import Container, Sequence
from itertools import takewhile

from tcplab.analysis.finding import Finding, Verdict
from tcplab.render.cells import cell_len, wrapped
from tcplab.render.findings import count, ordered, proof
from tcplab.render.harmless import harmless
from tcplab.render.lifelines import LIFELINES, MARGIN, WIDTH
from tcplab.render.marks import mark
from tcplab.render.markup import element
from tcplab.render.palette import STYLE_SHEET
from tcplab.render.picture import arranged
from tcplab.render.rows import Known, Picture, Side
from tcplab.render.rungs import Rungs
from tcplab.render.wording import SeqForm, Wording
from tcplab.text import Say, Text
from tcplab.timeline.timeline import Timeline

_SENTENCE_CELLS, _CITED_CELLS, _SETTING_CELLS = 100, 12, 120
_TOP = 176
_SETTING = 16
"""The height of a line that tells a setting."""


def svg(
    timeline: Timeline,
    findings: Sequence[Finding],
    *,
    say: Say,
    seq: SeqForm = SeqForm.RELATIVE,
    verbose: bool = False,
    met: bool = True,
    shown: Container[int] | None = None,
) -> str:
    """The whole document. It is valid XML whatever the timeline holds. `verbose` leaves nothing
    out; without `met` there are no expectations that were met. Only segments with these indices are
    `shown` (None: everything).
    """
    wording = Wording(say, seq=seq, ascii_only=False)
    picture = arranged(timeline, verbose=verbose, met=met, shown=shown)
    settings = _settings(picture, wording)
    rungs = Rungs(picture, wording, _TOP + _SETTING * len(settings))
    told = ordered(findings, timeline, verbose=verbose), count(findings)
    legend = _Legend(picture, wording, *told, rungs.bottom + 34)
    title = _title(timeline)
    page = (
        element("title", text=title),
        element("desc", text=_described(picture, wording, findings)),
        f"<style>{STYLE_SHEET}</style>",
        element(
            "rect",
            class_="page",
            x=0.5,
            y=0.5,
            width=WIDTH - 1,
            height=legend.bottom - 1,
            rx=10,
        ),
        element("text", class_="title", x=MARGIN, y=40, text=title),
        element("text", class_="small quiet", x=MARGIN, y=60, text=_place(timeline, wording)),
        *settings,
        *_introductions(picture, wording, 92 + _SETTING * len(settings)),
        *rungs.parts,
        *legend.parts,
    )
    return element(
        "svg",
        *(f"{part}\n" for part in page),
        xmlns="http://www.w3.org/2000/svg",
        class_="tcplab",
        role="img",
        viewBox=f"0 0 {WIDTH} {legend.bottom:.0f}",
        width=WIDTH,
        height=legend.bottom,
    )


def _title(timeline: Timeline) -> str:
    """The command without its options, most of which say where the output went."""
    words = [*takewhile(lambda word: not word.startswith("-"), timeline.command)]
    if timeline.scenario is not None and timeline.scenario not in words:
        words += ["·", timeline.scenario]
    return harmless(" ".join(("tcplab", *words)))


def _place(timeline: Timeline, wording: Wording) -> str:
    return wording.said(
        Text(
            "recorded by tcplab {version} on Linux {kernel}",
            version=timeline.tcplab,
            kernel=timeline.testbed.kernel.partition("-")[0],
        )
    )


def _described(picture: Picture, wording: Wording, findings: Sequence[Finding]) -> str:
    """The picture for those who hear it: every segment, then the findings."""
    lines = []
    for row in picture.segments():
        numbers = " ".join((row.event.segment.flags.written, *wording.label(row)))
        way = f"{harmless(row.event.sender)} → {harmless(row.event.receiver)}"
        states = " | ".join(str(end.after or "?") for end in row.ends)
        lines.append(f"{row.number}: {way} {numbers} ({states})")
    lines += [wording.said(finding.sentence) for finding in findings]
    return "\n".join(lines)


def _settings(picture: Picture, wording: Wording) -> list[str]:
    """How the scenario set the hosts' kernels."""
    lines = [line for words in wording.settings(picture) for line in wrapped(words, _SETTING_CELLS)]
    return [
        element("text", class_="small quiet", x=MARGIN, y=60 + _SETTING * n, text=line)
        for n, line in enumerate(lines, start=1)
    ]


def _introductions(picture: Picture, wording: Wording, top: float) -> list[str]:
    """Who each lifeline is, above it."""
    parts = []
    for side, x in zip(Side, LIFELINES, strict=True):
        name, address = wording.host(picture, side)
        lines = (
            ("host", name),
            ("", address),
            ("small quiet", wording.stack(picture, side)),
            ("small quiet", wording.known(picture.known[side.value])),
        )
        for n, (kind, words) in enumerate(lines):
            y = top + n * 18
            parts.append(element("text", class_=kind, x=x, y=y, text_anchor="middle", text=words))
    return parts


class _Legend:
    """Below the lifelines: what the bars mean, and what the run proved."""

    def __init__(
        self,
        picture: Picture,
        wording: Wording,
        findings: Sequence[Finding],
        met: tuple[Verdict, Text] | None,
        top: float,
    ) -> None:
        self.parts: list[str] = []
        self._y = top
        self._wording = wording
        self._bars()
        self._y += 34
        for finding in findings:
            cited = proof(finding, picture.timeline)
            self._finding(finding.verdict, finding.sentence, f"[{cited}]" if cited else "")
        if met is not None:
            self._finding(*met, "")
        for note in wording.closing(picture):
            self._sentence(note, "")
        self.bottom = self._y + 4

    def _bars(self) -> None:
        meanings = {
            Known.OBSERVED: Text("observed: read from a kernel"),
            Known.CRAFTED: Text("crafted: tcplab's own TCP"),
            Known.INFERRED: Text("inferred from the segments"),
        }
        x: float = MARGIN
        for known, meaning in meanings.items():
            words = self._wording.said(meaning)
            self.parts += [
                element(
                    "rect",
                    class_=f"bar established {known.value}",
                    x=x + 1,
                    y=self._y - 6,
                    width=22,
                    height=8,
                    rx=2,
                ),
                element("text", class_="small quiet", x=x + 31, y=self._y + 2, text=words),
            ]
            x += 31 + 6.8 * cell_len(words) + 30

    def _finding(self, verdict: Verdict, sentence: Text, cited: str) -> None:
        self.parts.append(mark(verdict, MARGIN, self._y))
        self._sentence(self._wording.said(sentence), cited)

    def _sentence(self, words: str, cited: str) -> None:
        lines = wrapped(words, _SENTENCE_CELLS)
        if cited and cell_len(lines[-1]) + cell_len(cited) > _SENTENCE_CELLS + _CITED_CELLS:
            lines.append("")
        for line in lines:
            self.parts.append(element("text", class_="words", x=MARGIN + 24, y=self._y, text=line))
            self._y += 21
        self.parts.append(
            element(
                "text",
                class_="small quiet",
                x=WIDTH - MARGIN,
                y=self._y - 21,
                text_anchor="end",
                text=cited,
            )
        )
        self._y += 5
