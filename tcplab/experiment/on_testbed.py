"""A scenario on the disposable testbed: made for it, and gone after it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace

from tcplab.experiment.conductor import Conductor, Witness
from tcplab.scenario.calls import Connect
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.steps import At, On, Scenario
from tcplab.testbed.host import Flow
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.testbed.plan import SEATS, Family
from tcplab.timeline.events import Event
from tcplab.timeline.timeline import Stack, Timeline


def play(
    scenario: Scenario,
    *,
    command: tuple[str, ...],
    client: Stack | None = None,
    family: Family = Family.IPV4,
    port: int | None = None,
    rootless: bool | None = None,
    trace: bool = False,
    heed: Callable[[Event], None] = lambda _event: None,
) -> Timeline:
    """Run `scenario` in a testbed of its own.

    `client` (None: as the scenario says) is whose TCP the client runs; `port` (None: as the
    scenario says) is the server's. Enters a user namespace if this process may not make network
    namespaces without (`rootless` None), which cannot be undone: a caller that must stay as it is
    forks first. With `trace` (root only) the timeline also holds what the kernel's tracepoints say.
    `heed` hears of every event as it happens. Raises PrivilegeError or UnavailableError where this
    machine cannot do it.
    """
    played = _with_client(_with_port(scenario, port), client)
    if wire_crafts(played):
        from tcplab.wire import codec

        # Scapy's import takes 0.3 s, in which timers would go on.
        codec.prepare(SEATS["client"].ip(family))
    testbed = NamespaceTestbed(family=family, settings=played.hosts, rootless=rootless)
    with closing(testbed):
        flows = flows_of(played, testbed)
        with _watching(flows) if trace else nullcontext() as witness:
            return Conductor(
                testbed, played, flows, command=command, witness=witness, heed=heed
            ).run()


def wire_crafts(scenario: Scenario) -> bool:
    """Will the wire itself make segments?"""
    acts = [step.act for step in scenario.steps if isinstance(step, On)]
    if not acts:
        return False  # and what can be done to a wire need not be imported
    from tcplab.scenario.wire import Craft, Firewall, ForgetIdle, Unreachable

    return any(isinstance(act, Craft | Firewall | ForgetIdle | Unreachable) for act in acts)


def flows_of(scenario: Scenario, testbed: NamespaceTestbed) -> dict[str, Flow]:
    """The two ends of each of the scenario's connections, by name."""
    conns = {conn.name: conn for conn in scenario.conns}
    unbound = {
        step.conn
        for step in scenario.steps
        if isinstance(step, At) and isinstance(step.call, Connect)
        if step.host == "client" and not step.call.bind
    }
    found: dict[str, Flow] = {}

    def flow(name: str) -> Flow:
        if name not in found:
            port = conns[name].client_port
            like = flow(port) if isinstance(port, str) else None
            found[name] = testbed.flow(conns[name], like, chosen=name not in unbound)
        return found[name]

    return {name: flow(name) for name in conns}


def _with_client(scenario: Scenario, client: Stack | None) -> Scenario:
    def settled(host: HostSettings) -> HostSettings:
        if host.name != "client" or client is None:
            return host
        return replace(host, crafted=client is Stack.CRAFTED)

    return replace(scenario, hosts=tuple(map(settled, scenario.hosts)))


def _with_port(scenario: Scenario, port: int | None) -> Scenario:
    if port is None:
        return scenario
    return replace(
        scenario, conns=tuple(replace(conn, server_port=port) for conn in scenario.conns)
    )


@contextmanager
def _watching(flows: dict[str, Flow]) -> Iterator[Witness]:
    from tcplab.experiment.witness import watching

    with watching(flows) as witness:
        yield witness
