"""The applications of a run: makes their socket calls, waits as a blocking one would, and tells
what came of each.
"""

from tcplab.experiment.connections import Connections
from tcplab.experiment.network import Network
from tcplab.experiment.notebook import Notebook
from tcplab.scenario.calls import (
    Accept,
    Background,
    Connect,
    Kill,
    Listen,
    Read,
    SetOption,
    StartTls,
)
from tcplab.scenario.steps import At
from tcplab.testbed.host import Outcome, Testbed
from tcplab.timeline.events import CallEvent

_UNFINISHED = frozenset({"EAGAIN", "EINPROGRESS"})


class Caller:
    """Makes calls at the hosts of one run."""

    def __init__(
        self, testbed: Testbed, connections: Connections, notebook: Notebook, network: Network
    ) -> None:
        self._testbed = testbed
        self._connections = connections
        self._notebook = notebook
        self._network = network
        self._owed = False

    def make(self, step: At) -> bool:
        """Make the call, wait for it if it is to wait, and compare what it returned.

        True if frames that a rule delays are still to arrive before the next step.
        """
        self._owed = False
        result = self._call(step)
        if step.result is not None:
            asked = f"{step.host}.call.{_name(step)}"
            self._notebook.expectation(
                step.conn,
                f"{asked} == {step.result}",
                {asked: result},
                met=step.result == result,
            )
        return self._owed

    def _call(self, step: At) -> str:
        if isinstance(step.call, Connect | Listen):
            self._move(step)
        self._notebook.begin_connection(step.conn)
        within_s = step.call.within_s if isinstance(step.call, Accept | Connect | Read) else None
        if within_s is None or isinstance(step.call, Connect):
            outcome = self._attempt(step)
            self._network.run(patient=False)
            # What goes on in the background leaves the next step its time.
            self._owed = within_s is None and not isinstance(step.call, Background)
            if within_s is None or outcome.result not in _UNFINISHED:
                return outcome.result
            return self._tell(step, self._opened(step, within_s) or outcome)
        return self._patiently(step, within_s)

    def _opened(self, step: At, within_s: float) -> Outcome | None:
        """How connect() ended; None if it did not in time. To be told takes an error away."""
        host, told = self._testbed.hosts[step.host], list[str]()

        def over() -> bool:
            result = host.pending(step.conn)
            told.extend([] if result is None else [result])
            return result is not None

        return (
            Outcome(result=told[0]) if self._network.wait(over, within_s, patient=False) else None
        )

    def _patiently(self, step: At, within_s: float) -> str:
        """Call again and again, as blocking calls do, and tell only how it ended."""
        host, outcomes = self._testbed.hosts[step.host], list[Outcome]()

        def done() -> bool:
            flow = self._connections.flow(step.conn)
            outcomes.append(host.call(step.conn, flow, step.call))
            return outcomes[-1].result not in _UNFINISHED

        self._network.wait(done, within_s, patient=False)
        return self._tell(step, outcomes[-1])

    def _tell(self, step: At, outcome: Outcome) -> str:
        """A call that took time has returned; what happened meanwhile has been told."""
        before = self._notebook.refreshed()
        self._notebook.call(self._event(step, outcome, self._notebook.now_ns()), before)
        self._network.run(patient=False)
        return outcome.result

    def _attempt(self, step: At) -> Outcome:
        before = self._notebook.refreshed()
        at_ns = self._notebook.now_ns()
        flow = self._connections.flow(step.conn)
        outcome = self._testbed.hosts[step.host].call(step.conn, flow, step.call)
        if outcome.local is not None:
            self._connections.bind(step.conn, step.host, outcome.local)
        i = self._notebook.call(self._event(step, outcome, at_ns), before)
        self._network.collect(0, cause=i, actor=step.host)
        return outcome

    def _move(self, step: At) -> None:
        """A host that has another address now opens its connections from there."""
        local, _remote = self._connections.flow(step.conn).seen_from(step.host)
        ip = self._testbed.ip(step.host)
        if local.ip != ip:
            self._connections.bind(step.conn, step.host, type(local)(ip, local.port))

    def _event(self, step: At, outcome: Outcome, at_ns: int) -> CallEvent:
        return CallEvent(
            i=0,
            at_ns=at_ns,
            host=step.host,
            name=_name(step),
            conn=step.conn,
            result=outcome.result,
            arguments=outcome.arguments,
        )


_SPELLED = {SetOption: "set", Kill: "kill-socket", StartTls: "start-tls"}
"""Calls that scenario files spell otherwise than their types."""


def _name(step: At) -> str:
    """The call's name in ladders and predicates: as scenario files spell it."""
    return _SPELLED.get(type(step.call), type(step.call).__name__.lower())
