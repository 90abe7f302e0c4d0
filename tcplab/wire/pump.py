"""The wire's mind: which frame goes on to its receiver, when, how often and in what shape.

Pure: frames and the time go in, passages come out. Whoever holds the NICs asks `due` and sends. A
frame passes at once unless a rule says otherwise; the first rule that matches decides.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, unique
from heapq import heappop, heappush
from itertools import count

from tcplab.timeline.events import Fate
from tcplab.wire.frame import Frame


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
class Arrival:
    """A frame that a host has put on the wire: `sender` is the host's name, `at_ns` monotonic.

    `injected` marks a frame that no host sent, but the wire itself made.
    """

    sender: str
    at_ns: int
    frame: Frame
    injected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`action` on frames for which `when` is true; on the first `times` of them (None: on all).

    `delay_ns` belongs to DELAY.
    """

    name: str
    action: Action
    when: Callable[[Arrival], bool]
    times: int | None = None
    delay_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A frame that is to go on now, or (DROPPED) never. `rule` names the rule that acted, if any.

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


class Pump:
    """Frames in transit, in the order in which they will go on."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._left: dict[str, int | None] = {}
        self._due: deque[Passage] = deque()
        self._delayed: list[tuple[int, int, Passage]] = []
        self._held: deque[Passage] = deque()
        self._overtaken: dict[str, Passage] = {}
        self._ticket = count()
        self._holding_all = False

    def rule(self, rule: Rule) -> None:
        """Add a rule, behind those that there are. Raises ValueError if its name is taken."""
        if rule.name in self._left:
            raise ValueError(f"there is a rule named {rule.name!r} already")
        self._rules.append(rule)
        self._left[rule.name] = rule.times

    def hold(self) -> None:
        """From now on keep every frame, whatever the rules say, until `release`."""
        self._holding_all = True

    def release(self) -> None:
        """Let every held frame go on, oldest first, and hold no more."""
        self._holding_all = False
        self._due.extend(self._held)
        self._held.clear()

    @property
    def holds(self) -> int:
        """How many frames are held."""
        return len(self._held)

    def inject(self, arrival: Arrival) -> None:
        """Put a frame on the wire that no rule is asked about."""
        self._due.append(Passage(arrival=replace(arrival, injected=True), fate=Fate.INJECTED))

    def take(self, arrival: Arrival, now_ns: int) -> None:
        """A host has sent a frame: decide what becomes of it."""
        if self._holding_all:
            self._held.append(Passage(arrival=arrival, fate=Fate.DELIVERED))
            return
        rule = self._matching(arrival)
        if rule is None:
            self._pass(Passage(arrival=arrival, fate=Fate.DELIVERED))
            return
        passage = Passage(arrival=arrival, fate=Fate.DELIVERED, rule=rule.name)
        match rule.action:
            case Action.DROP:
                self._due.append(replace(passage, fate=Fate.DROPPED))
            case Action.HOLD:
                self._held.append(passage)
            case Action.DELAY:
                late = replace(passage, fate=Fate.DELAYED)
                heappush(self._delayed, (now_ns + rule.delay_ns, next(self._ticket), late))
            case Action.DUPLICATE:
                self._pass(passage)
                self._due.append(replace(passage, fate=Fate.DUPLICATED))
            case Action.REORDER if arrival.sender in self._overtaken:
                self._pass(passage)  # it is the next one, which overtakes
            case Action.REORDER:
                self._overtaken[arrival.sender] = passage
            case Action.CORRUPT:
                spoiled = corrupted(arrival.frame)
                self._pass(replace(passage, fate=Fate.CORRUPTED, spoiled=spoiled))

    def _matching(self, arrival: Arrival) -> Rule | None:
        for rule in self._rules:
            left = self._left[rule.name]
            if left != 0 and rule.when(arrival):
                if left is not None:
                    self._left[rule.name] = left - 1
                return rule
        return None

    def _pass(self, passage: Passage) -> None:
        """This frame goes on, and after it the one of the same sender that it overtakes."""
        self._due.append(passage)
        overtaken = self._overtaken.pop(passage.arrival.sender, None)
        if overtaken is not None:
            self._due.append(overtaken)

    def due(self, now_ns: int) -> Passage | None:
        """The next frame to go on by `now_ns`, or None."""
        while self._delayed and self._delayed[0][0] <= now_ns:
            self._due.append(heappop(self._delayed)[2])
        return self._due.popleft() if self._due else None

    @property
    def next_ns(self) -> int | None:
        """When the next delayed frame is due, or None if none is delayed."""
        return self._delayed[0][0] if self._delayed else None


def corrupted(frame: Frame) -> Frame:
    """The frame with its last octet inverted, so that its TCP checksum does not fit any more."""
    octets = frame.octets[:-1] + bytes((frame.octets[-1] ^ 0xFF,))
    segment = frame.segment
    if segment is not None:
        payload = segment.payload and segment.payload[:-1] + octets[-1:]
        segment = replace(segment, payload=payload, checksum_ok=False)
    return replace(frame, octets=octets, segment=segment)
