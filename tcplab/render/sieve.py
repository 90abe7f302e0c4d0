"""Leaves of a picture what a display filter lets through."""

from collections.abc import Container, Iterable, Iterator

from tcplab.render.rows import ConnectionRow, Row, SegmentRow, StateRow


def sifted(rows: Iterable[Row], shown: Container[int]) -> Iterator[Row]:
    """The segments whose events are `shown`, the states at the start, and the heads of connections
    of which a segment is left.
    """
    head: ConnectionRow | None = None
    for row in rows:
        if isinstance(row, ConnectionRow):
            head = row
        elif isinstance(row, StateRow) and row.initial:
            yield row
        elif isinstance(row, SegmentRow) and row.event.i in shown:
            if head is not None:
                yield head
                head = None
            yield row
