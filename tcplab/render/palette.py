"""The colours of the SVG, for light and dark pages, as one style sheet."""

from typing import Final

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.states import State

_FAMILIES = {
    "closed": (("#8a9199", "#eceff2", "#454c53"), ("#7d868f", "#2b3138", "#c3cad1")),
    "listen": (("#4a7fd6", "#e3edfc", "#1f4f9e"), ("#6a9bea", "#1c2c47", "#a9c7f8")),
    "opening": (("#d9981a", "#fdf0d3", "#744d00"), ("#e0ac45", "#3b2e10", "#f3d188")),
    "established": (("#2f9e57", "#dcf4e4", "#155c34"), ("#4cc07a", "#153524", "#9be3b6")),
    "active": (("#a25bd0", "#f2e5fb", "#672a8f"), ("#bb83e2", "#33204a", "#dcbcf3")),
    "passive": (("#1a9bb0", "#daf2f6", "#0a5461"), ("#42bccf", "#12343b", "#9fdee8")),
    "waiting": (("#d6478f", "#fce3ef", "#8b1b55"), ("#e876ae", "#431d31", "#f7b4d4")),
    "reset": (("#d1392f", "#fde4e2", "#96201a"), ("#ef6a60", "#451f1d", "#f8b0aa")),
    "plain": (("#5b646d", "#ffffff", "#2a3037"), ("#a4adb6", "#171b20", "#dde3e9")),
}
"""Each family's (line, tint, ink), on a light page and on a dark one."""

_FAMILY = {
    State.CLOSED: "closed",
    State.LISTEN: "listen",
    State.SYN_SENT: "opening",
    State.SYN_RECEIVED: "opening",
    State.ESTABLISHED: "established",
    State.FIN_WAIT_1: "active",
    State.FIN_WAIT_2: "active",
    State.CLOSING: "active",
    State.CLOSE_WAIT: "passive",
    State.LAST_ACK: "passive",
    State.TIME_WAIT: "waiting",
}

_PAGE = (("#ffffff", "#d5dae0", "#1d2329", "#646d76"), ("#171b20", "#363d45", "#e8edf2", "#98a1ab"))
"""(background, hairlines, ink, quiet ink), light and dark."""

_SHAPES = """\
.tcplab text { font: 12px ui-monospace, monospace; white-space: pre; }
.tcplab .title { font: bold 19px system-ui, sans-serif; }
.tcplab .host { font: bold 15px system-ui, sans-serif; }
.tcplab .words { font: 13.5px system-ui, sans-serif; }
.tcplab .small, .tcplab .note { font-size: 11px; }
.tcplab .flags, .tcplab .call, .tcplab .number { font-weight: bold; }
.tcplab .number { font-size: 11px; text-anchor: middle; }
.tcplab .arrow { fill: none; stroke-width: 1.7; }
.tcplab .thin { stroke-dasharray: 3 4; }
.tcplab .silence { stroke-width: 2; stroke-dasharray: 2 5; }
.tcplab .mark { fill: none; stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round; }
.tcplab .crafted { fill-opacity: .3; stroke-width: 1.4; }
.tcplab .inferred { fill-opacity: 0; stroke-width: 1.4; stroke-dasharray: 3 3; }
"""


def family(state: State | None) -> str:
    """The class of a state's colour."""
    return "plain" if state is None else _FAMILY[state]


def segment_family(segment: Segment) -> str:
    """The class of an arrow's colour: that of the most telling thing about the segment."""
    for flag, name in ((Flags.RST, "reset"), (Flags.SYN, "opening"), (Flags.FIN, "active")):
        if segment.has(flag):
            return name
    return "passive" if segment.data_octets else "plain"


def _colours(dark: bool) -> str:
    page, hairline, ink, quiet = _PAGE[dark]
    rules = [
        f".tcplab text {{ fill: {ink}; }}",
        f".tcplab .page {{ fill: {page}; stroke: {hairline}; }}",
        f".tcplab .hairline {{ stroke: {hairline}; }}",
        f".tcplab .quiet {{ fill: {quiet}; }}",
        f".tcplab .silence {{ stroke: {quiet}; }}",
    ]
    for name, tones in _FAMILIES.items():
        line, tint, deep = tones[dark]
        rules += [
            f".tcplab .line.{name} {{ stroke: {line}; }}",
            f".tcplab .body.{name} {{ fill: {line}; }}",
            f".tcplab .bar.{name} {{ fill: {line}; stroke: {line}; }}",
            f".tcplab .pill.{name} {{ fill: {tint}; stroke: {line}; }}",
            f".tcplab .ink.{name} {{ fill: {deep}; }}",
        ]
    return "\n".join(rules)


STYLE_SHEET: Final = (
    f"{_SHAPES}{_colours(False)}\n@media (prefers-color-scheme: dark) {{\n{_colours(True)}\n}}\n"
)
