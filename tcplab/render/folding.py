"""Folds long runs of segments that are much alike, as in a download, so that a ladder stays short.

Nothing that tells a story is folded: a change of state, a loss, a retransmission, a duplicate ACK,
a closed window, a probe, anything that an application called, or that the wire did to some only. A
delay that all of them share is folded with them.
"""

from collections.abc import Iterator, Sequence

from tcplab.render.rows import FoldRow, Row, SegmentRow
from tcplab.tcp.flags import Flags
from tcplab.timeline.events import Fate

_LEAST = 8
"""The shortest run that is folded, in segments."""
_SHOWN = 2
"""How many segments are left standing at either end of it."""
_COMMON = Flags.ACK | Flags.PSH
_ARRIVED = frozenset({Fate.DELIVERED, Fate.CAPTURED, Fate.DELAYED})


def folded(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows, with one row for the middle of each long run."""
    run = _Run()
    for row in rows:
        if isinstance(row, SegmentRow) and _is_plain(row):
            if not run.takes(row):
                yield from run.ended()
            run.add(row)
        else:
            yield from run.ended()
            yield row
    yield from run.ended()


class _Run:
    """Plain segments of one connection, each of which goes on where its sender was."""

    def __init__(self) -> None:
        self._rows: list[SegmentRow] = []
        self._last: dict[str, SegmentRow] = {}

    def takes(self, row: SegmentRow) -> bool:
        """Does the segment go on with the run?"""
        if self._rows and _kind(self._rows[-1]) != _kind(row):
            return False
        last = self._last.get(row.event.sender)
        if last is None:
            return True
        octets = row.event.segment.data_octets
        news = octets > 0 or last.ack != row.ack or last.wnd_octets != row.wnd_octets
        return news and row.seq == last.seq + last.event.segment.data_octets

    def add(self, row: SegmentRow) -> None:
        """The segment is the run's last one now."""
        self._rows.append(row)
        self._last[row.event.sender] = row

    def ended(self) -> Iterator[Row]:
        """The run, folded if it is long; after this it is empty."""
        rows = self._rows
        self._rows, self._last = [], {}
        if len(rows) < _LEAST:
            yield from rows
            return
        hidden = rows[_SHOWN:-_SHOWN]
        yield from rows[:_SHOWN]
        octets = sum(row.event.segment.data_octets for row in hidden)
        yield FoldRow(segments=len(hidden), octets=octets)
        yield from rows[-_SHOWN:]


def _kind(row: SegmentRow) -> tuple[object, ...]:
    """What is the same in all segments of a run."""
    return row.event.conn, row.event.fate, row.rules, row.delayed_as_all


def _is_plain(row: SegmentRow) -> bool:
    """Is it data or an acknowledgment about which there is nothing else to say?"""
    event, segment = row.event, row.event.segment
    return (
        segment.has(Flags.ACK)
        and not segment.flags & ~_COMMON
        and event.fate in _ARRIVED
        and segment.checksum_ok is not False
        and row.wnd_octets > 0
        and row.repeats is None
        and (event.fate is Fate.DELAYED or not row.rules)
        and not any((row.crosses, row.sack, row.origin, row.target, row.lost))
        and not any(end.changed for end in row.ends)
    )
