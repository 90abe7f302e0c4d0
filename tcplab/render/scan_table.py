"""A table of ports: one row each, in the columns that there is room for."""

from collections.abc import Callable, Iterator, Sequence

from tcplab.analysis.scanning.census import Census, PortState
from tcplab.analysis.scanning.groups import Group
from tcplab.render.cells import cell_len, cropped, flush_left, flush_right
from tcplab.render.harmless import harmless
from tcplab.render.page import Line, Style
from tcplab.render.scan_words import reason, state_of
from tcplab.text import Say, Text, verbatim

_STYLES = {
    PortState.OPEN: Style.GOOD,
    PortState.CLOSED: Style.QUIET,
    PortState.FILTERED: Style.WARNING,
    PortState.REJECTED: Style.BAD,
}
_PORT, _PORT_CELLS = Text("PORT"), 5
_HEADINGS = {
    "state": Text("STATE"),
    "service": Text("SERVICE"),
    "reason": Text("REASON"),
    "ttl": Text("TTL"),
    "rtt": verbatim("RTT"),
}
_DEAREST_FIRST = (
    *(("service", 4), ("ttl", 0), ("rtt", 0), ("service", 0), ("reason", 8), ("state", 4)),
    ("reason", 1),
)
"""Which column yields, and down to how many cells, until the row fits."""
_RIGHT = frozenset({"ttl", "rtt"})


class PortTable:
    """Rows for the ports of some groups. `services` has the names of ports, as /etc/services does.

    `states` asks for a column of states; `partial` is a scan that was ended early. A column in
    which nothing would stand is left out.
    """

    def __init__(
        self,
        census: Census,
        shown: Sequence[Group],
        *,
        states: bool,
        partial: bool,
        services: Callable[[int], str | None],
        say: Say,
        ellipsis: str,
    ) -> None:
        self._census = census
        self._say = say
        self._partial = partial
        self._ellipsis = ellipsis
        self._of = {port: group for group in shown for port in group}
        self._services = {
            port: harmless(name) for port in self._of if (name := services(port)) is not None
        }
        self._cells = {
            "state": max((cell_len(self._state(group)) for group in shown), default=0)
            if states
            else 0,
            "service": max(map(cell_len, self._services.values()), default=0),
            "reason": max((cell_len(self._reason(group)) for group in shown), default=0),
            "ttl": 3
            if any(any(census.ttls[e.start : e.stop]) for g in shown for e in g.ranges)
            else 0,
            "rtt": max(
                (cell_len(_ms(census.rtts_ns[p])) for p in self._of if p in census.rtts_ns),
                default=0,
            ),
        }
        self._cells = {
            column: max(cells, cell_len(say(_HEADINGS[column]))) if cells else 0
            for column, cells in self._cells.items()
        }

    def lines(self, width: int) -> Iterator[Line]:
        """The headings, and the rows in the order of their ports."""
        cells, gap = self._fitted(width)
        yield self._headings(cells, gap)
        tails = {id(group): self._tail(group, cells) for group in set(self._of.values())}
        names = {
            port: cropped(name, cells["service"], self._ellipsis)
            for port, name in self._services.items()
        }
        space = " " * gap
        ttls, rtts = self._census.ttls, self._census.rtts_ns
        for port in sorted(self._of):
            state, why, style = tails[id(self._of[port])]
            words = ""
            if cells["service"]:
                words += (
                    space + flush_left(names[port], cells["service"])
                    if port in names
                    else (" " * (gap + cells["service"]))
                )
            tail = ""
            if cells["ttl"]:
                tail += f"{space}{ttls[port] or '':>{cells['ttl']}}"
            if cells["rtt"]:
                tail += space + flush_right(_ms(rtts[port]) if port in rtts else "", cells["rtt"])
            yield (
                (f" {port:>{_PORT_CELLS}}", Style.STRONG if style is Style.GOOD else Style.PLAIN),
                (space + state if state else "", style),
                (words, Style.PLAIN),
                (space + why, style),
                (tail, Style.PLAIN),
            )

    def _tail(self, group: Group, cells: dict[str, int]) -> tuple[str, str, Style]:
        """What stands in every row of a group: its state, its reason, and their style."""
        state = cropped(self._state(group), cells["state"], self._ellipsis)
        state = flush_left(state, cells["state"])
        why = cropped(self._reason(group), cells["reason"], self._ellipsis)
        return state, flush_left(why, cells["reason"]), _STYLES[group.state]

    def _headings(self, cells: dict[str, int], gap: int) -> Line:
        words = f" {flush_right(self._say(_PORT), _PORT_CELLS)}"
        for column, heading in _HEADINGS.items():
            if cells[column]:
                flush = flush_right if column in _RIGHT else flush_left
                words += " " * gap + flush(self._say(heading), cells[column])
        return ((words, Style.QUIET),)

    def _state(self, group: Group) -> str:
        return self._say(state_of(group, partial=self._partial))

    def _reason(self, group: Group) -> str:
        return self._say(reason(group.proof, group.rejection))

    def _fitted(self, width: int) -> tuple[dict[str, int], int]:
        """(the cells of each column, those between two): what is dearest goes first."""
        cells = dict(self._cells)

        def excess(gap: int) -> int:
            shown = [each for each in cells.values() if each]
            return 1 + _PORT_CELLS + sum(shown) + gap * len(shown) - width

        if excess(2) <= 0:
            return cells, 2
        for column, least in _DEAREST_FIRST:
            over = excess(1)
            if over > 0:
                cells[column] = max(min(least, cells[column]), cells[column] - over) if least else 0
        return cells, 1


def _ms(ns: int) -> str:
    """A round trip, to the microsecond if it is short."""
    ms = ns / 1e6
    return f"{ms:.3f} ms" if ms < 10 else f"{ms:.1f} ms" if ms < 1000 else f"{ms:,.0f} ms"
