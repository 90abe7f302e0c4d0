"""The one conductor: plays a scenario on a testbed, and has everything that happens noted.

It is ignorant of what the hosts are. Each act, a socket call or the delivery of one frame, is done
between two looks at every end; the frames that the act made a host send are its effects.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from tcplab.errors import TcplabError
from tcplab.experiment.notebook import Notebook
from tcplab.scenario.steps import At, Delivered, Hold, Release, Scenario, Step, Until
from tcplab.testbed.host import Flow, Testbed
from tcplab.timeline.events import Event, Fate
from tcplab.timeline.timeline import Timeline
from tcplab.wire.pump import Passage, Pump, Rule

_PATIENCE_S = 0.25
"""How long at most to wait for a frame before the ends are looked at again."""


class CutShortError(TcplabError):
    """Something went wrong in the middle of a run; `timeline` holds what was seen until then."""

    def __init__(self, why: TcplabError, timeline: Timeline) -> None:
        super().__init__(why.what, remedy=why.remedy)
        self.status = why.status
        self.timeline = timeline


class Witness(Protocol):
    """Somebody else who saw the run, and is heard at its end."""

    @property
    def lost(self) -> int:
        """How much of it went unseen."""

    def testimony(self, events: Sequence[Event], began_ns: int) -> list[Event]:
        """More events, told the `events` so far; `began_ns` is the monotonic time of at_ns 0."""


def _ignore(_event: Event) -> None:
    """Nobody listens."""


class Conductor:
    """Plays one scenario of one connection, once.

    `rules` say what the wire does to frames; `heed` hears of every event as it happens.
    """

    def __init__(
        self,
        testbed: Testbed,
        scenario: Scenario,
        flow: Flow,
        *,
        command: tuple[str, ...],
        rules: tuple[Rule, ...] = (),
        witness: Witness | None = None,
        heed: Callable[[Event], None] = _ignore,
    ) -> None:
        self._testbed = testbed
        self._scenario = scenario
        self._flow = flow
        self._command = command
        self._witness = witness
        self._pump = Pump()
        for rule in rules:
            self._pump.rule(rule)
        self._notebook = Notebook(testbed, flow, heed)
        self._pending: dict[int, int] = {}
        self._interrupted = False

    def run(self) -> Timeline:
        """Play the scenario to its end, or to Ctrl-C, and return what happened.

        On Ctrl-C the timeline holds everything seen so far and says that it was interrupted. An
        error that a user can mend, in the middle of a run, is raised as CutShortError, with as
        much.
        """
        failure: TcplabError | None = None
        self._notebook.begin()
        try:
            for step in self._scenario.steps:
                self._play(step)
                if self._is_over(step):
                    break
        except KeyboardInterrupt:
            self._interrupted = True
        except TcplabError as error:
            failure = error
            self._interrupted = True
        try:
            self._notebook.details()
            self._hear_witness()
            self._notebook.growth()
        except KeyboardInterrupt:  # what was noted is told all the same
            self._interrupted = True
        if failure is not None:
            raise CutShortError(failure, self._timeline()) from failure
        return self._timeline()

    def _hear_witness(self) -> None:
        if self._witness is not None:
            told = self._notebook.events()
            for event in self._witness.testimony(told, self._notebook.began_ns):
                self._notebook.note(event)

    def _timeline(self) -> Timeline:
        return self._notebook.timeline(
            command=self._command,
            scenario=self._scenario.name,
            lost=self._witness.lost if self._witness is not None else 0,
            interrupted=self._interrupted,
        )

    # --- steps ------------------------------------------------------------------------------

    def _play(self, step: Step) -> None:
        match step:
            case At():
                self._call(step)
                self._run_wire()
            case Hold():
                self._pump.hold()
            case Release():
                self._pump.release()
                self._run_wire()
            case Until(host=host, states=states, within_s=within_s):
                waiting = self._testbed.hosts[host]
                self._wait(lambda: waiting.look(self._flow).state in states, within_s)
            case Delivered(host=host, within_s=within_s):
                sender = self._testbed.hosts[host]
                self._wait(lambda: sender.acknowledged(self._flow), within_s)
            case _:
                assert_never(step)

    def _is_over(self, step: Step) -> bool:
        """Has the connection come to a state in which nothing is left to play?"""
        if not isinstance(step, Until):
            return False
        return self._testbed.hosts[step.host].look(self._flow).state in step.final

    def _wait(self, arrived: Callable[[], bool], within_s: float) -> None:
        """Run the wire until `arrived`, or until the deadline is over."""
        deadline_ns = time.monotonic_ns() + int(within_s * 1e9)
        self._run_wire()
        while not arrived():
            left_s = (deadline_ns - time.monotonic_ns()) / 1e9
            if left_s <= 0:
                return
            self._collect(min(left_s, _PATIENCE_S), cause=None, actor=None)
            self._run_wire()

    def _run_wire(self) -> None:
        """Let frames go on until the wire is quiet."""
        while True:
            passage = self._pump.due(time.monotonic_ns())
            if passage is not None:
                self._carry(passage)
            elif self._pump.next_ns is not None:
                left_s = (self._pump.next_ns - time.monotonic_ns()) / 1e9
                self._collect(max(left_s, 0), cause=None, actor=None)
            elif not self._collect(0, cause=None, actor=None):
                return

    # --- acts -------------------------------------------------------------------------------

    def _call(self, step: At) -> None:
        before = self._notebook.refreshed()
        at_ns = self._notebook.now_ns()
        outcome = self._testbed.hosts[step.host].call(step.conn, self._flow, step.call)
        i = self._notebook.call(step, outcome, at_ns, self._notebook.lanes(before))
        self._collect(0, cause=i, actor=step.host)

    def _carry(self, passage: Passage) -> None:
        """Deliver one frame (or not, as its fate has it), and see what that changes."""
        arrival = passage.arrival
        i = self._pending.pop(id(arrival), None)
        if i is None:  # a copy, or a frame of the wire's own
            i = self._notebook.sent(arrival, _peer(arrival.sender), cause=None)
        if passage.rule is not None:
            self._notebook.rule(passage.rule, i)
        before = self._notebook.refreshed()
        fate = passage.fate
        delivered_ns: int | None = None
        if not self._testbed.stepped:
            fate, delivered_ns = Fate.CAPTURED, arrival.at_ns - self._notebook.began_ns
            self._testbed.deliver(arrival)
        elif fate is not Fate.DROPPED:
            delivered_ns = self._notebook.now_ns()
            self._testbed.deliver(passage.carried)
        lanes = self._notebook.lanes(before)
        self._notebook.passed(i, fate=fate, delivered_ns=delivered_ns, lanes=lanes)
        self._collect(0, cause=i, actor=_peer(arrival.sender))

    def _collect(self, timeout_s: float, *, cause: int | None, actor: str | None) -> int:
        """Note the frames that have come; those sent by `actor` were sent because of `cause`."""
        arrivals = self._testbed.arrivals(timeout_s)
        for arrival in arrivals:
            error = arrival.frame.icmp
            if error is not None:
                self._notebook.icmp(arrival, error)
                self._testbed.deliver(arrival)
                continue
            because = cause if arrival.sender == actor else None
            i = self._notebook.sent(arrival, _peer(arrival.sender), cause=because)
            self._pending[id(arrival)] = i
            self._pump.take(arrival, time.monotonic_ns())
        return len(arrivals)


def _peer(host: str) -> str:
    return "server" if host == "client" else "client"
