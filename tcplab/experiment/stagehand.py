"""What a scenario does to the wire and to whole hosts: every act of `tcplab.scenario.wire`."""

from collections.abc import Callable
from typing import assert_never

from tcplab.analysis.credentials import credentials
from tcplab.experiment.connections import Connections
from tcplab.experiment.evidence import Evidence
from tcplab.experiment.forging import Forger
from tcplab.experiment.network import Network
from tcplab.experiment.notebook import Notebook
from tcplab.scenario.predicate import Predicate
from tcplab.scenario.wire import (
    Craft,
    Cut,
    Firewall,
    ForgetIdle,
    Hold,
    Impair,
    Lift,
    Readdress,
    Reboot,
    Release,
    Restore,
    Silence,
    Steal,
    Unreachable,
    WireAct,
)
from tcplab.testbed.host import Testbed
from tcplab.timeline.events import CallEvent
from tcplab.wire.judgement import Middlebox
from tcplab.wire.pump import Action, Arrival, Rule

_Noted = (
    Hold
    | Release
    | Lift
    | Silence
    | Firewall
    | ForgetIdle
    | Unreachable
    | Cut
    | Restore
    | Reboot
    | Readdress
)
"""The acts that are noted as such."""


class Stagehand:
    """Does the acts, on the network of one run."""

    def __init__(
        self, testbed: Testbed, connections: Connections, notebook: Notebook, network: Network
    ) -> None:
        self._testbed = testbed
        self._connections = connections
        self._notebook = notebook
        self._network = network
        self._forger = Forger(testbed, connections, notebook, network)
        self._unplugged: set[str] = set()

    def act(self, act: WireAct) -> None:
        """Do it, and note it and what it changed at once. A rule is noted when it acts."""
        if isinstance(act, Impair):
            self._network.pump.rule(self._rule(act))
        elif isinstance(act, Craft):
            self._forger.craft(act)
        elif isinstance(act, Steal):
            self._steal(act)
        else:
            before = self._notebook.refreshed()
            self._notebook.wire(_named(act), None)
            self._do(act)
            self._notebook.effects(before, cause=None)

    def _do(self, act: _Noted) -> None:
        pump = self._network.pump
        match act:
            case Hold():
                pump.hold()
            case Release():
                pump.release()
            case Lift(name):
                pump.lift(name)
            case Silence(host):
                pump.silence(host)
            case Firewall() | ForgetIdle() | Unreachable():
                pump.middlebox(self._middlebox(act))
            case _:
                self._do_to_host(act)

    def _do_to_host(self, act: Cut | Restore | Reboot | Readdress) -> None:
        match act:
            case Cut(host):
                self._unplugged.add(host)
                self._testbed.cut(host)
                self._network.pump.cut(host)
            case Restore(host):
                if host in self._unplugged:
                    self._unplugged.remove(host)
                    self._testbed.restore(host)
                self._network.pump.restore(host)
            case Reboot(host):
                self._testbed.reboot(host)
            case Readdress(host=host, number=number):
                self._testbed.readdress(host, number)
            case _:
                assert_never(act)

    def _rule(self, act: Impair) -> Rule:
        return Rule(
            name=act.name,
            action=Action(act.harm.value),
            when=self._matches(act.when),
            times=act.times,
            delay_ns=round(act.delay_s * 1e9),
            share=act.share,
            seed=act.seed,
        )

    def _matches(self, predicate: Predicate | None) -> Callable[[Arrival], bool]:
        def matches(arrival: Arrival) -> bool:
            if predicate is None:
                return True
            event = self._network.event(arrival)
            return predicate.holds(
                Evidence(self._testbed, self._connections, self._notebook, event.conn, event)
            )

        return matches

    def _middlebox(self, act: Firewall | ForgetIdle | Unreachable) -> Middlebox:
        from tcplab.wire import middlebox  # Scapy composes what they answer

        match act:
            case Firewall(name=name, host=host, port=port, refusal=refusal):
                ip = self._testbed.ip(host)
                return middlebox.Firewall(name=name, ip=ip, port=port, refusal=refusal)
            case ForgetIdle(name=name, after_s=after_s, resets=resets):
                return middlebox.ForgetIdle(name=name, after_ns=round(after_s * 1e9), resets=resets)
            case Unreachable(name=name, host=host):
                return middlebox.Unreachable(name=name, ip=self._testbed.ip(host))

    def _steal(self, act: Steal) -> None:
        """Search what that host has heard, and note how much was found."""
        ear = self._testbed.eavesdropper(act.host)
        if ear is None:
            raise ValueError(f"{act.host} does not eavesdrop")
        ear.listen()
        self._notebook.begin_connection(act.conn)
        flow = self._connections.flow(act.conn)
        talk = ear.talk(flow.client, flow.server)
        found = sum(len(credentials(talk.octets(end))) for end in (flow.client, flow.server))
        before = self._notebook.refreshed()
        self._notebook.call(
            CallEvent(
                i=0,
                at_ns=self._notebook.now_ns(),
                host=act.host,
                name="steal",
                conn=act.conn,
                result=str(found),
            ),
            before,
        )


def _named(act: _Noted) -> str:
    """How the act is told: its verb, and what it is done to."""
    verb = type(act).__name__.lower()
    match act:
        case Cut(host) | Restore(host) | Silence(host) | Reboot(host):
            return f"{verb} {host}"
        case Readdress(host=host, number=number):
            return f"{verb} {host} {number}"
        case Lift(name):
            return f"lift {name}"
        case Firewall(name=name) | ForgetIdle(name=name) | Unreachable(name=name):
            return name
        case _:
            return verb
