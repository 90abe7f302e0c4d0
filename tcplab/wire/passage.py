"""A frame's way over the wire: that a host sent it, and what became of it."""

from dataclasses import dataclass, replace

from tcplab.timeline.events import Fate
from tcplab.wire.frame import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A frame that a host has put on the wire: `sender` is the host's name, `at_ns` monotonic.

    `injected` marks a frame that no host's kernel sent: one made by hand in that host's place, or
    by a middlebox, whose name `sender` then is.
    """

    sender: str
    at_ns: int
    frame: Frame
    injected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A frame that is to go on now, or (DROPPED) never. `rule` names what acted, if anything did: a
    rule, a middlebox, or "cut HOST" and "silence HOST".

    `arrival` is what was sent; `spoiled` is what goes on in its place (CORRUPTED).
    """

    arrival: Arrival
    fate: Fate
    rule: str | None = None
    spoiled: Frame | None = None

    @property
    def carried(self) -> Arrival:
        """What the receiver gets."""
        if self.spoiled is None:
            return self.arrival
        return replace(self.arrival, frame=self.spoiled)

    def dropped(self, rule: str) -> "Passage":
        """The same frame, which never goes on, because of `rule`."""
        return replace(self, fate=Fate.DROPPED, rule=rule, spoiled=None)
