"""A scenario on the disposable testbed: made for it, and gone after it."""

from contextlib import closing

from tcplab.experiment.conductor import Conductor
from tcplab.scenario.steps import Scenario
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.testbed.plan import Family
from tcplab.timeline.timeline import Stack, Timeline


def play(
    scenario: Scenario,
    *,
    command: tuple[str, ...],
    client: Stack = Stack.KERNEL,
    family: Family = Family.IPV4,
    port: int = 80,
    rootless: bool | None = None,
    trace: bool = False,
) -> Timeline:
    """Run `scenario` between a client of that kind and a server whose TCP is the Linux kernel's.

    Enters a user namespace if this process may not make network namespaces without (`rootless`
    None), which cannot be undone: a caller that must stay as it is forks first. With `trace` (root
    only) the timeline also holds what the kernel's tracepoints say. Raises PrivilegeError or
    UnavailableError where this machine cannot do it.
    """
    crafted = frozenset({"client"}) if client is Stack.CRAFTED else frozenset[str]()
    testbed = NamespaceTestbed(
        family=family,
        crafted=crafted,
        quickack=scenario.quickack,
        unhurried=scenario.unhurried,
        rootless=rootless,
    )
    with closing(testbed):
        flow = testbed.reserve(port)
        if not trace:
            return Conductor(testbed, scenario, flow, command=command).run()
        from tcplab.experiment.witness import watching

        with watching(flow) as witness:
            return Conductor(testbed, scenario, flow, command=command, witness=witness).run()
