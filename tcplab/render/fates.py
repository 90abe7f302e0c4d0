"""What became of a segment on its way, and which rule of the wire did it, in one short line."""

from tcplab.analysis.wording import ATTACKER, injected
from tcplab.render.rows import SegmentRow
from tcplab.text import Text, verbatim
from tcplab.timeline.events import Fate

_WAIT_NS = 10_000_000
"""A segment that was let through so much later had to wait, whatever its fate is called."""
_ROUGH_NS = 10_000_000
_NOBODY = "nobody has "
"""What the wire says, and the address, where a frame could go nowhere."""


def duration(ns: int) -> str:
    """A span of time, as exact as it is short."""
    return f"{ns / 1e6:.2f} ms" if abs(ns) < 1_000_000_000 else f"{ns / 1e9:.3f} s"


def roughly(ns: int) -> str:
    """A span of time that nobody needs to know exactly: "0.28 ms", "21 ms", "1.25 s"."""
    if ns < _ROUGH_NS:
        return duration(ns)
    return f"{ns / 1e6:.0f} ms" if ns < 1_000_000_000 else f"{ns / 1e9:.2f} s"


def fate(row: SegmentRow) -> Text | None:
    """What the wire did to the segment; None if it did nothing, or what the header says it does."""
    if row.delayed_as_all:
        return None
    if row.delayed_as_all is False and not row.rules:
        return Text("not delayed")
    if not row.rules:
        return _unruled(row)
    return _ruled(row, _why(row.rules))


def names_sender(row: SegmentRow) -> bool:
    """Does what became of it say already who sent it?"""
    return row.event.fate is Fate.INJECTED and not row.rules and row.origin == ATTACKER


def _held(row: SegmentRow) -> int:
    return (row.event.delivered_ns or row.event.at_ns) - row.event.at_ns


def _unruled(row: SegmentRow) -> Text | None:
    """What was done to it, as nobody knows by which rule."""
    held = roughly(_held(row))
    match row.event.fate:
        case Fate.DROPPED:
            return Text("dropped by the wire")
        case Fate.HELD | Fate.DELAYED if row.lost:
            return Text("held by the wire, never delivered")
        case Fate.HELD:
            return Text("held by the wire for {time}", time=held)
        case Fate.DELAYED:
            return Text("delayed by the wire for {time}", time=held)
        case Fate.DUPLICATED if row.repeats is not None:
            return Text("a copy of {number} made by the wire", number=row.repeats)
        case Fate.DUPLICATED:
            return Text("duplicated by the wire")
        case Fate.CORRUPTED:
            return Text("corrupted by the wire")
        case Fate.INJECTED:
            return injected(row.event.sender)
        case Fate.DELIVERED | Fate.CAPTURED:
            return None


def _why(rules: tuple[str, ...]) -> Text:
    """The rules by their names; what the wire says of its own accord in words."""
    if len(rules) == 1 and rules[0].startswith(_NOBODY):
        return Text("nobody has {address}", address=rules[0].removeprefix(_NOBODY))
    if len(rules) == 1 and rules[0].startswith("cut "):
        return Text("cut {host}", host=rules[0].removeprefix("cut "))
    return verbatim(", ".join(rules))


def _ruled(row: SegmentRow, rule: Text) -> Text:
    """What that rule did to it."""
    held_ns = _held(row)
    match row.event.fate:
        case Fate.DROPPED:
            return Text("dropped: {rule}", rule=rule)
        case Fate.DUPLICATED if row.repeats is not None:
            return Text("a copy of {number}: {rule}", number=row.repeats, rule=rule)
        case Fate.DUPLICATED:
            return Text("duplicated: {rule}", rule=rule)
        case Fate.CORRUPTED:
            return Text("corrupted: {rule}", rule=rule)
        case Fate.INJECTED:
            return Text("injected: {rule}", rule=rule)
        case Fate.DELIVERED | Fate.CAPTURED if held_ns < _WAIT_NS:
            return Text("wire rule: {rule}", rule=rule)
        case Fate.HELD | Fate.DELAYED | Fate.DELIVERED | Fate.CAPTURED:
            return _kept(row, rule, roughly(held_ns))


def _kept(row: SegmentRow, rule: Text, time: str) -> Text:
    """For how long that rule kept it back."""
    if row.lost:
        return Text("held, never delivered: {rule}", rule=rule)
    if row.event.fate is Fate.DELAYED:
        return Text("delayed {time}: {rule}", time=time, rule=rule)
    return Text("held {time}: {rule}", time=time, rule=rule)
