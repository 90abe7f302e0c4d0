"""The wire's mind: which frame goes on to its receiver, when, how often and in what shape.

Pure: frames and the time go in, passages come out. Whoever holds the NICs asks `due` and sends. A
frame passes at once unless somebody says otherwise. Asked are, in this order: is its sender silent
or cut off, does a middlebox refuse it, is its receiver silent or cut off, is everything held, and
the rules, of which the first one that acts decides.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count

from tcplab.timeline.events import Fate
from tcplab.wire.judgement import Middlebox
from tcplab.wire.passage import Arrival, Passage
from tcplab.wire.rule import Action, Rule, Standing, corrupted

__all__ = ["Action", "Arrival", "Passage", "Pump", "Rule", "corrupted"]


def _nobody(_arrival: Arrival) -> None:
    """No frame's receiver is known."""


class Pump:
    """Frames in transit, in the order in which they will go on.

    `receiver_of` names the host that a frame is for, or None: without it, silence and cut cables
    stop only what the host sends.
    """

    def __init__(self, receiver_of: Callable[[Arrival], str | None] = _nobody) -> None:
        self._receiver_of = receiver_of
        self._rules: dict[str, Standing] = {}
        self._boxes: dict[str, Middlebox] = {}
        self._mute: dict[str, str] = {}
        self._lost: deque[Passage] = deque()
        self._due: deque[Passage] = deque()
        self._delayed: list[tuple[int, int, Passage]] = []
        self._held: deque[Passage] = deque()
        self._overtaken: dict[str, Passage] = {}
        self._ticket = count()
        self._holding_all = False

    # --- what is done to the wire -----------------------------------------------------------

    def rule(self, rule: Rule) -> None:
        """Add a rule, behind those that there are. Raises ValueError if its name is taken."""
        self._refuse_taken(rule.name)
        self._rules[rule.name] = Standing(rule)

    def middlebox(self, box: Middlebox) -> None:
        """Put a middlebox on the way, behind those that there are. Raises ValueError if its name is
        taken.
        """
        self._refuse_taken(box.name)
        self._boxes[box.name] = box

    def _refuse_taken(self, name: str) -> None:
        if name in self._rules or name in self._boxes:
            raise ValueError(f"there is a rule or a middlebox named {name!r} already")

    def lift(self, name: str) -> None:
        """End that rule or middlebox. Raises KeyError if there is none of that name.

        The frames that the rule held, or that waited to be overtaken, go on; if everything is held,
        they stay until `release`. What it has delayed comes when it is due.
        """
        if name in self._boxes:
            del self._boxes[name]
            return
        del self._rules[name]
        freed = [held for held in self._held if held.rule == name]
        self._held = deque(held for held in self._held if held.rule != name)
        for sender, waiting in list(self._overtaken.items()):
            if waiting.rule == name:
                freed.append(self._overtaken.pop(sender))
        self._let_go(freed)

    def hold(self) -> None:
        """From now on keep every frame, whatever the rules say, until `release`."""
        self._holding_all = True

    def release(self) -> None:
        """Let every held frame go on, oldest first, and hold no more.

        That goes for frames held by a rule too; the rule itself stays, and holds the next ones.
        """
        self._holding_all = False
        self._due.extend(self._held)
        self._held.clear()

    @property
    def holds(self) -> int:
        """How many frames are held."""
        return len(self._held)

    def silence(self, host: str) -> None:
        """Drop every frame from and to that host, until `restore`; what it has sent before is on
        its way and arrives.
        """
        self._mute[host] = f"silence {host}"

    def cut(self, host: str) -> None:
        """As `silence`, but because the host's cable is pulled."""
        self._mute[host] = f"cut {host}"

    def restore(self, host: str) -> None:
        """Silence and cuts are over for that host, if there were any."""
        self._mute.pop(host, None)

    # --- what comes -------------------------------------------------------------------------

    def inject(self, arrival: Arrival) -> None:
        """Put a frame on the wire that neither rules nor middleboxes are asked about."""
        self._due.append(Passage(arrival=replace(arrival, injected=True), fate=Fate.INJECTED))

    def take(self, arrival: Arrival, now_ns: int) -> None:
        """A host has sent a frame, or (`injected`) one was sent in its place: decide what becomes
        of it.
        """
        fate = Fate.INJECTED if arrival.injected else Fate.DELIVERED
        passage = Passage(arrival=arrival, fate=fate)
        if arrival.sender in self._mute:
            self._lost.append(passage.dropped(self._mute[arrival.sender]))
        elif self._refused(passage, now_ns):
            return
        elif (mute := self._mute_receiver(arrival)) is not None:
            self._lost.append(passage.dropped(mute))
        elif self._holding_all:
            self._held.append(passage)
        else:
            self._apply_rules(passage, now_ns)

    def _refused(self, passage: Passage, now_ns: int) -> bool:
        """Does a middlebox refuse this frame? Then its replies are on their way."""
        for box in self._boxes.values():
            judgement = box.judge(passage.arrival, now_ns)
            if judgement.passes:
                continue
            self._due.append(passage.dropped(box.name))
            replies = (
                Arrival(sender=box.name, at_ns=now_ns, frame=frame, injected=True)
                for frame in judgement.replies
            )
            self._let_go(
                Passage(arrival=reply, fate=Fate.INJECTED, rule=box.name) for reply in replies
            )
            return True
        return False

    def _mute_receiver(self, arrival: Arrival) -> str | None:
        """Why the frame's receiver gets nothing, or None if it does."""
        if not self._mute:
            return None
        receiver = self._receiver_of(arrival)
        return None if receiver is None else self._mute.get(receiver)

    def _let_go(self, passages: Iterable[Passage]) -> None:
        """These frames, which no rule is asked about, go on unless everything is held."""
        (self._held if self._holding_all else self._due).extend(passages)

    def _apply_rules(self, passage: Passage, now_ns: int) -> None:
        arrival = passage.arrival
        rule = self._acting_on(arrival)
        if rule is None:
            self._pass(passage)
            return
        passage = replace(passage, rule=rule.name)
        match rule.action:
            case Action.DROP:
                self._lost.append(passage.dropped(rule.name))
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

    def _acting_on(self, arrival: Arrival) -> Rule | None:
        for standing in self._rules.values():
            if standing.acts_on(arrival):
                return standing.rule
        return None

    def _pass(self, passage: Passage) -> None:
        """This frame goes on, and after it the one of the same sender that it overtakes."""
        self._due.append(passage)
        overtaken = self._overtaken.pop(passage.arrival.sender, None)
        if overtaken is not None:
            self._due.append(overtaken)

    # --- what goes on -----------------------------------------------------------------------

    def due(self, now_ns: int) -> Passage | None:
        """The next frame to go on by `now_ns`, or None.

        What is lost comes first: it has no effect, and the states beside it are those in which it
        was sent, before anything else arrives. One that was in transit when its receiver fell
        silent, or was cut off, is dropped now.
        """
        if self._lost:
            return self._lost.popleft()
        while self._delayed and self._delayed[0][0] <= now_ns:
            self._due.append(heappop(self._delayed)[2])
        if not self._due:
            return None
        passage = self._due.popleft()
        if passage.fate is Fate.DROPPED:
            return passage
        mute = self._mute_receiver(passage.arrival)
        return passage if mute is None else passage.dropped(mute)

    @property
    def next_ns(self) -> int | None:
        """When the next delayed frame is due, or None if none is delayed."""
        return self._delayed[0][0] if self._delayed else None
