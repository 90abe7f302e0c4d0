"""What a middlebox is to the wire: somebody who is shown every frame, and may refuse it."""

from dataclasses import dataclass
from typing import Protocol

from tcplab.wire.frame import Frame
from tcplab.wire.passage import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Does the frame pass? `replies` go to its sender."""

    passes: bool
    replies: tuple[Frame, ...] = ()


class Middlebox(Protocol):
    """Anything on the way that may refuse a frame."""

    @property
    def name(self) -> str:
        """What ladders call it, and `Lift` ends it by."""

    def judge(self, arrival: Arrival, now_ns: int) -> Judgement:
        """Say what becomes of a frame that has come at `now_ns` (monotonic)."""
