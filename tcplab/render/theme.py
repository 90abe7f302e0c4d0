"""How things look: the signs that are drawn with, and a colour for each kind of thing.

Colours come from the terminal's own sixteen, so they suit its background, and repeat what the signs
and words already say.
"""

from dataclasses import dataclass
from typing import Final

from tcplab.analysis.finding import Verdict
from tcplab.render.rows import Known
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What lines, arrows and marks are drawn with. Each sign is one cell wide, marks may be two."""

    lifeline: str
    silence: str
    change: str
    fork: str
    join: str
    ground: str
    shaft: str
    thin_shaft: str
    head_right: str
    head_left: str
    lost: str
    crossing: str
    becomes: str
    dot: str
    ellipsis: str
    verdicts: tuple[str, str, str]

    def verdict(self, verdict: Verdict) -> str:
        """The mark of a finding."""
        return self.verdicts[list(Verdict).index(verdict)]


UNICODE: Final = Signs(
    lifeline="│",
    silence="┊",
    change="●",
    fork="├",
    join="┤",
    ground="┬",
    shaft="─",
    thin_shaft="┄",
    head_right="▶",
    head_left="◀",
    lost="✗",
    crossing="╳",
    becomes="→",
    dot="·",
    ellipsis="…",
    verdicts=("✔", "✘", "?"),
)
ASCII: Final = Signs(
    lifeline="|",
    silence=":",
    change="*",
    fork="+",
    join="+",
    ground="+",
    shaft="-",
    thin_shaft=".",
    head_right=">",
    head_left="<",
    lost="x",
    crossing="X",
    becomes="->",
    dot="-",
    ellipsis="...",
    verdicts=("OK", "NO", "??"),
)

FRAME: Final = "bright_black"
QUIET: Final = "dim"
WARNING: Final = "yellow"
CALL: Final = "bold blue"
DATA: Final = "cyan"
NUMBER: Final = "bold"
HOST: Final = "bold"
EXPECTED: Final = "default"
FAILED: Final = "bold"

_STATES = {
    State.CLOSED: "bright_black",
    State.LISTEN: "blue",
    State.SYN_SENT: "yellow",
    State.SYN_RECEIVED: "yellow",
    State.ESTABLISHED: "green",
    State.FIN_WAIT_1: "magenta",
    State.FIN_WAIT_2: "magenta",
    State.CLOSING: "magenta",
    State.CLOSE_WAIT: "cyan",
    State.LAST_ACK: "cyan",
    State.TIME_WAIT: "bright_magenta",
}
_KNOWN = {
    Known.OBSERVED: "green",
    Known.CRAFTED: "magenta",
    Known.INFERRED: "yellow",
    Known.UNKNOWN: QUIET,
}
_VERDICTS = {Verdict.YES: "bold green", Verdict.NO: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}


def state_style(state: State, *, changed: bool) -> str:
    """A state stands out where it is new."""
    return f"{'bold' if changed else 'dim'} {_STATES[state]}"


def known_style(known: Known) -> str:
    """The way in which a lane's states are known."""
    return _KNOWN[known]


def verdict_style(verdict: Verdict) -> str:
    """The mark of a finding."""
    return _VERDICTS[verdict]


def segment_style(segment: Segment) -> str:
    """A segment's colour is that of the most telling thing about it."""
    for flag, style in ((Flags.RST, "red"), (Flags.SYN, "yellow"), (Flags.FIN, "magenta")):
        if segment.has(flag):
            return style
    return DATA if segment.data_octets else "default"
