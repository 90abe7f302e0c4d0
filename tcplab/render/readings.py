"""What a kernel's numbers are called beside a ladder: times in milliseconds, timers in seconds."""

from collections.abc import Iterator

from tcplab.text import Text, verbatim
from tcplab.timeline.events import SampleEvent

_MICROSECONDS = frozenset({"rto", "ato", "rtt", "rttvar", "min_rtt", "rcv_rtt"})
"""The fields of tcp_info that Linux counts in microseconds."""


def reading(event: SampleEvent) -> Iterator[Text]:
    """Each number with its name; of a timer at the end of a run, how long it will still run."""
    fields = dict(event.fields)
    left = fields.get("expires_ms")
    if event.cause is None and isinstance(left, int):
        timer, seconds = str(fields.pop("timer", "")), f"{left / 1000:.1f}"
        del fields["expires_ms"]
        yield Text("{timer} timer: {seconds} s left", timer=timer, seconds=seconds)
    for name, value in fields.items():
        yield verbatim(f"{name} {_milliseconds(value) if name in _MICROSECONDS else value}")


def _milliseconds(value: int | str) -> str:
    if not isinstance(value, int):
        return value
    ms = value / 1000
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.2f}".rstrip("0").rstrip(".") + " ms"
