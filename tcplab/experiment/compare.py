"""The SYN scan and the connect scan of a few ports, side by side, over the stepped wire.

Each port and way is a run of its own, on a testbed of its own, one after another in this process: a
testbed takes some milliseconds, the counters of its kernels tell of nothing else, and no port
answers for what was done to the one before it.
"""

from collections.abc import Callable, Sequence

from tcplab.analysis.scanning import comparison
from tcplab.analysis.scanning.comparison import Comparison, Pair
from tcplab.analysis.scanning.report import Method
from tcplab.errors import UsageError
from tcplab.experiment.on_testbed import play
from tcplab.scenario import scans
from tcplab.scenario.services import SERVICES, Services
from tcplab.testbed.plan import Family
from tcplab.text import Text
from tcplab.timeline.timeline import Timeline

MOST_PORTS = 12
"""Nobody compares more ladders than these with one another."""


def exchange(
    port: int,
    method: Method,
    *,
    command: tuple[str, ...],
    family: Family = Family.IPV4,
    services: Services = SERVICES,
    rootless: bool | None = None,
) -> Timeline:
    """One port of the testbed's server, asked in that way.

    Enters a user namespace if it must (`rootless` None), which cannot be undone. Raises
    PrivilegeError or UnavailableError where this machine cannot make a testbed.
    """
    match method:
        case Method.SYN:
            scenario = scans.syn(port, services, version=family.value)
        case Method.CONNECT:
            scenario = scans.connect(port, services)
    return play(scenario, command=command, family=family, rootless=rootless)


def compare(
    ports: Sequence[int],
    *,
    command: tuple[str, ...],
    family: Family = Family.IPV4,
    services: Services = SERVICES,
    rootless: bool | None = None,
    heed: Callable[[int], None] = lambda _done: None,
) -> Comparison:
    """Both scans of these ports, in their order; each port once.

    `heed` hears how many ports are done. Ctrl-C ends it: the comparison has the ports up to then
    and says that it is partial. Raises UsageError for no port or for more than MOST_PORTS, and what
    `exchange` raises.
    """
    wanted = list(dict.fromkeys(ports))
    if not 0 < len(wanted) <= MOST_PORTS:
        raise UsageError(
            Text(
                "--compare shows 1 to {most} ports side by side, not {count}.",
                most=MOST_PORTS,
                count=len(wanted),
            ),
            remedy=Text("Name a few of different kinds: {example}", example="-p 22,81,135,23"),
        )
    pairs: list[Pair] = []
    try:
        for port in wanted:
            found = {}
            for method in Method:
                timeline = exchange(
                    port,
                    method,
                    command=command,
                    family=family,
                    services=services,
                    rootless=rootless,
                )
                if timeline.interrupted:
                    raise KeyboardInterrupt
                if timeline.testbed.rootless:
                    rootless = None  # this process has its user namespace by now
                found[method] = comparison.exchange(timeline, port, method)
            pairs.append(Pair(port=port, syn=found[Method.SYN], connect=found[Method.CONNECT]))
            heed(len(pairs))
    except KeyboardInterrupt:
        return Comparison(pairs=tuple(pairs), partial=True)
    return Comparison(pairs=tuple(pairs))
