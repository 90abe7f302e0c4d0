"""Many runs, several at once, each on a testbed and in a process of its own."""

import os
import select
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial

from tcplab.errors import UnavailableError
from tcplab.experiment.child import Child, undisturbed
from tcplab.experiment.outcome import Died, Outcome, heard, told
from tcplab.scenario.calls import Accept, Connect, Read
from tcplab.scenario.steps import At, Await, Delivered, Expect, Pause, Quiet, Scenario, Step, Until
from tcplab.text import Text
from tcplab.timeline.timeline import Timeline

_TIMED_A_CORE = 8
"""Runs that hang on kernel timers sleep nearly all the time, so many share a core."""
_MARGIN_S = 60.0
"""What a run may take beside its own waits, on however busy a machine, before it counts as hung."""


@dataclass(slots=True)
class _Lane:
    """Runs of one sort that wait for their turn, and how many may be under way at once."""

    waiting: deque[Scenario]
    places: int


@dataclass(frozen=True, slots=True)
class _Run:
    scenario: Scenario
    lane: _Lane
    child: Child
    deadline_s: float


def play_many(
    scenarios: Sequence[Scenario],
    play: Callable[[Scenario], Timeline],
    *,
    cores: int | None = None,
) -> Generator[tuple[Scenario, Outcome], None, None]:
    """Play each of the scenarios, and yield what came of it, in the order in which they end.

    Timer-free runs compute without a pause: one for each core (None: of those that this process may
    use). The others are started with the longest first. Closing the generator ends what is under
    way. Raises UnavailableError if not one process can be started.
    """
    cores = cores or len(os.sched_getaffinity(0))
    timed = sorted((each for each in scenarios if each.timed), key=longest_s, reverse=True)
    lanes = (
        _Lane(deque(timed), _TIMED_A_CORE * cores),
        _Lane(deque(each for each in scenarios if not each.timed), cores),
    )
    running: dict[int, _Run] = {}
    try:
        while True:
            for lane in lanes:
                _start(lane, play, running)
            if not running:
                return
            for run in _ended(running):
                outcome = _outcome(run)
                del running[run.child.fd]
                run.lane.places += 1
                yield run.scenario, outcome
    finally:
        for run in running.values():
            run.child.kill()


def _start(lane: _Lane, play: Callable[[Scenario], Timeline], running: dict[int, _Run]) -> None:
    """Fill the lane's free places."""
    while lane.waiting and lane.places:
        scenario = lane.waiting[0]
        deadline_s = time.monotonic() + longest_s(scenario) + _MARGIN_S
        try:
            with undisturbed():
                child = Child(partial(told, partial(play, scenario)))
                running[child.fd] = _Run(scenario, lane, child, deadline_s)
        except OSError as refusal:
            if running:  # their places become free
                return
            why = os.strerror(refusal.errno or 0)
            raise UnavailableError(
                Text("No process can be started: {why}.", why=why),
                remedy=Text("See the limits of this user: ulimit -a"),
            ) from refusal
        lane.waiting.popleft()
        lane.places -= 1


def _ended(running: dict[int, _Run]) -> list[_Run]:
    """Wait until at least one run has ended, or should have long ago."""
    while True:
        left_s = min(run.deadline_s for run in running.values()) - time.monotonic()
        poll = select.poll()
        for fd in running:
            poll.register(fd, select.POLLIN)
        readable = [running[fd] for fd, _event in poll.poll(max(left_s, 0) * 1000)]
        now_s = time.monotonic()
        late = [run for run in running.values() if run.deadline_s <= now_s]
        ended = [run for run in readable if run.child.hear()]
        if found := [*ended, *(run for run in late if run not in ended)]:
            return found


def _outcome(run: _Run) -> Outcome:
    if not run.child.hear():
        run.child.kill()
        seconds = round(longest_s(run.scenario) + _MARGIN_S)
        return Died(Text("It had not ended after {seconds} s.", seconds=seconds))
    return heard(*run.child.end())


def longest_s(scenario: Scenario) -> float:
    """How long the scenario can last by its own waits, if each of them takes all its time."""
    return sum(map(_wait_s, scenario.steps))


def _wait_s(step: Step) -> float:
    match step:
        case Pause(seconds):
            return seconds
        case Await() | Quiet() | Expect() | Until() | Delivered():
            return step.within_s
        case At(call=Connect() | Accept() | Read() as call):
            return call.within_s or 0.0
        case _:
            return 0.0
