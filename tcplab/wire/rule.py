"""Rules: what the wire does to the frames for which a predicate is true."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, unique

from tcplab.wire.frame import Frame
from tcplab.wire.passage import Arrival


@unique
class Action(Enum):
    """What a rule does to a frame that it matches."""

    DROP = "drop"
    HOLD = "hold"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`action` on frames for which `when` is true; at most `times` times (None: without end).

    With a `share` below 1 the rule acts on each such frame with that probability, drawn from a
    generator of its own that begins with `seed`: the same frames have the same luck in every run.
    `delay_ns` belongs to DELAY.
    """

    name: str
    action: Action
    when: Callable[[Arrival], bool]
    times: int | None = None
    share: float = 1.0
    seed: int = 0
    delay_ns: int = 0


class Standing:
    """A rule in force, and how often it may still act."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._left = rule.times
        self._draw = _generator(rule.seed) if rule.share < 1 else None

    def acts_on(self, arrival: Arrival) -> bool:
        """Does the rule act on this frame? If it does, that counts."""
        if self._left == 0 or not self.rule.when(arrival):
            return False
        if self._draw is not None and self._draw() >= self.rule.share:
            return False
        if self._left is not None:
            self._left -= 1
        return True


def _generator(seed: int) -> Callable[[], float]:
    from random import Random  # 1 ms that a run without losses need not pay

    return Random(seed).random  # noqa: S311 - it has to be repeatable, not secret


def corrupted(frame: Frame) -> Frame:
    """The frame with its last octet inverted, so that its TCP checksum does not fit any more."""
    octets = frame.octets[:-1] + bytes((frame.octets[-1] ^ 0xFF,))
    segment = frame.segment
    if segment is not None:
        payload = segment.payload and segment.payload[:-1] + octets[-1:]
        segment = replace(segment, payload=payload, checksum_ok=False)
    return replace(frame, octets=octets, segment=segment)
