"""The one conductor: plays a scenario on a testbed, and has everything that happens noted.

It is ignorant of what the hosts are. Each act, a socket call or the delivery of one frame, is done
between two looks at every end; the frames that the act made a host send are its effects.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, assert_never

from tcplab.errors import RefusedError, TcplabError
from tcplab.experiment.caller import Caller
from tcplab.experiment.connections import Connections
from tcplab.experiment.evidence import Evidence
from tcplab.experiment.network import Network, never
from tcplab.experiment.notebook import Notebook
from tcplab.scenario.calls import Abort, Accept, Connect, Read
from tcplab.scenario.predicate import Predicate
from tcplab.scenario.steps import (
    At,
    Await,
    Delivered,
    Expect,
    On,
    Pause,
    Quiet,
    Scenario,
    Step,
    Until,
)
from tcplab.tcp.states import State
from tcplab.testbed.host import Flow, Testbed
from tcplab.text import Text
from tcplab.timeline.events import Event
from tcplab.timeline.timeline import Timeline

if TYPE_CHECKING:
    from tcplab.experiment.stagehand import Stagehand


_HEAR_OUT_S = 0.25
"""A round trip, nearly anywhere."""


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


def _refuse_to_disrupt(scenario: Scenario) -> None:
    """Not on a network that is not tcplab's own, whoever asks for it."""
    from tcplab.scenario.tier import Tier, tier

    if tier(scenario) is Tier.DISRUPT:
        raise RefusedError(
            Text("The scenario {name} interferes with the wire or with hosts.", name=scenario.name),
            remedy=Text("Play it in the testbed: omit HOST."),
        )


class Conductor:
    """Plays one scenario, once. `flows` are its connections' ends, by name.

    `heed` hears of every event as it happens. Raises RefusedError for a scenario that disrupts, on
    a testbed that is not tcplab's own.
    """

    def __init__(
        self,
        testbed: Testbed,
        scenario: Scenario,
        flows: Mapping[str, Flow],
        *,
        command: tuple[str, ...],
        witness: Witness | None = None,
        heed: Callable[[Event], None] = _ignore,
    ) -> None:
        if testbed.facts.kind == "nic":
            _refuse_to_disrupt(scenario)
        self._testbed = testbed
        self._scenario = scenario
        self._command = command
        self._witness = witness
        self._connections = Connections(flows)
        self._notebook = Notebook(testbed, self._connections, heed)
        self._network = Network(testbed, self._connections, self._notebook)
        self._caller = Caller(testbed, self._connections, self._notebook, self._network)
        self._interrupted = False
        self._owed = False
        """Are the delayed frames to arrive before the next step, unless that one waits itself?"""

    def run(self) -> Timeline:
        """Play the scenario to its end, or to Ctrl-C, and return what happened.

        On Ctrl-C the timeline holds everything seen so far and says that it was interrupted. An
        error that a user can mend, in the middle of a run, is raised as CutShortError, with as
        much.
        """
        failure: TcplabError | None = None
        self._notebook.begin()
        for part in (self._perform, self._part, self._sum_up):
            try:
                part()
            except KeyboardInterrupt:  # what was noted is told all the same
                self._interrupted = True
            except TcplabError as error:
                failure = failure or error
                self._interrupted = True
        if failure is not None:
            raise CutShortError(failure, self._timeline()) from failure
        return self._timeline()

    def _perform(self) -> None:
        """All steps, or as many as there is a reason for."""
        for step in self._scenario.steps:
            if not self._play(step):
                break
        self._settle(None)
        self._testbed.look()

    def _part(self) -> None:
        """Leave nothing open at a host that is not ours, however the run has ended.

        Whoever has reset or refused the connection is heard out: where somebody in between did it,
        the host's own answer is still under way.
        """
        if self._testbed.facts.kind != "nic":
            return
        self._network.collect(0, cause=None, actor=None)  # what left before something went wrong
        client = self._testbed.hosts["client"]
        for conn in self._connections.watched:
            flow = self._connections.flow(conn)
            if client.look(flow).state.reset_by_abort:
                self._caller.make(At(host="client", call=Abort(), conn=conn))
            if client.look(flow).state is State.CLOSED:
                self._network.wait(never, _HEAR_OUT_S)

    def _sum_up(self) -> None:
        """What is left at the end, and what others have seen."""
        self._notebook.details()
        self._hear_witness()
        self._notebook.growth()

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

    def _play(self, step: Step) -> bool:
        """Do the step; False if the scenario ends here."""
        self._settle(step)
        match step:
            case At():
                self._owed = self._caller.make(step)
            case On(act):
                self._stagehand.act(act)
                self._network.run()
            case Pause(seconds):
                self._network.wait(never, seconds)
            case Quiet(seconds=seconds, within_s=within_s):
                self._quiet(seconds, within_s)
            case Await(predicate=predicate, within_s=within_s, conn=conn):
                return self._expect(predicate, within_s, conn, tell="failure")
            case Expect(predicate=predicate, within_s=within_s, conn=conn):
                self._expect(predicate, within_s, conn)
            case Until(host=host, states=states, within_s=within_s, final=final, conn=conn):
                waiting, flow = self._testbed.hosts[host], self._connections.flow(conn)
                self._network.wait(lambda: waiting.look(flow).state in states, within_s)
                return waiting.look(flow).state not in final
            case Delivered(host=host, within_s=within_s, conn=conn):
                sender, flow = self._testbed.hosts[host], self._connections.flow(conn)
                self._network.wait(lambda: sender.acknowledged(flow), within_s)
            case _:
                assert_never(step)
        return True

    def _settle(self, step: Step | None) -> None:
        """Let delayed frames arrive before this step, or before the end, if they are to."""
        owed, self._owed = self._owed, False
        if owed and not _waits(step):
            self._network.run()

    @cached_property
    def _stagehand(self) -> "Stagehand":
        """Only who acts on the wire needs one, and imports all that can be done to it."""
        from tcplab.experiment.stagehand import Stagehand

        return Stagehand(self._testbed, self._connections, self._notebook, self._network)

    def _quiet(self, seconds: float, within_s: float) -> None:
        """Wait until the wire has carried nothing for so long."""
        self._network.run()
        self._network.wait(lambda: self._network.quiet_ns() >= seconds * 1e9, within_s)

    def _expect(
        self, predicate: Predicate, within_s: float, conn: str, *, tell: str = "always"
    ) -> bool:
        """Note whether the predicate comes to hold (with `tell` "failure": only if it does not)."""
        evidence = Evidence(self._testbed, self._connections, self._notebook, conn)
        met = self._network.wait(
            lambda: predicate.holds(evidence), within_s, at_once=tell == "failure"
        )
        if tell == "always" or not met:
            self._notebook.refreshed()
            found = {name.written: _written(evidence.value(name)) for name in predicate.names()}
            self._notebook.expectation(conn, predicate.text, found, met=met)
        return met


def _waits(step: Step | None) -> bool:
    """Does it wait for something of its own, and go on as soon as that has come?"""
    match step:
        case Await():
            return True
        case At(
            call=Accept(within_s=within_s) | Connect(within_s=within_s) | Read(within_s=within_s)
        ):
            return within_s is not None
    return False


def _written(value: object) -> str:
    """A value as it stands in a sentence; what is not known is empty, as events have it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
