"""Which of a kernel's remarks share a row."""

from dataclasses import replace

from tcplab.render.readings import reading
from tcplab.render.remarkable import rank
from tcplab.render.rows import AsideRow
from tcplab.timeline.events import CounterEvent, ReasonEvent, SampleEvent


def joined(
    row: AsideRow, event: ReasonEvent | SampleEvent | CounterEvent, conns: tuple[str, ...]
) -> AsideRow | None:
    """The row with the event in it as well; None if the event needs a row of its own.

    Counters of one host with one cause stand together. Of timers that say the same at the end, for
    one connection each, the connections do.
    """
    last = row.events[-1]
    match event:
        case CounterEvent() if isinstance(last, CounterEvent) and last.cause == event.cause:
            earlier = [each for each in row.events if isinstance(each, CounterEvent)]
            counters: list[CounterEvent] = sorted((*earlier, event), key=rank)
            return replace(row, events=tuple(counters))
        case SampleEvent() if isinstance(last, SampleEvent) and conns and row.conns:
            if [*reading(last)] == [*reading(event)]:
                return replace(row, conns=row.conns + conns)
    return None
