"""Every one of 65,535 ports is told right, twenty times of twenty, whatever the path does.

The firewalls and losses are the real netfilter's, not tcplab's own.
"""

from collections.abc import Callable
from contextlib import closing

import pytest

from tcplab.analysis.scanning.census import PORTS, Census, PortState
from tcplab.analysis.scanning.report import Method
from tcplab.experiment.scan import scan_path
from tcplab.scenario.services import Services
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import Family
from tests.live import forked_for_long
from tests.testbed import nft

OPEN = (22, 80, 443, 8080, 50000)
HUNDRED = range(1000, 1100)
ALL = (range(1, PORTS),)
RUNS = 20

Rules = Callable[[], object]


def filtered() -> None:
    nft.drop_ports(HUNDRED)


def prohibited() -> None:
    nft.reject_ports(HUNDRED)


def five() -> None:
    nft.lose(5)


def twenty() -> None:
    nft.lose(20)


def filtered_and_five() -> None:
    nft.drop_ports(HUNDRED)
    nft.lose(5)


def else_dropped() -> None:
    nft.only_open(OPEN)


def clean() -> None:
    """No rule at all."""


SILENT = {filtered: set(HUNDRED), filtered_and_five: set(HUNDRED), else_dropped: None}
REJECTED = {prohibited: set(HUNDRED)}


def truth(rules: Rules) -> list[PortState]:
    """The state of every port, by its number; 0 is not asked."""

    def state(port: int) -> PortState:
        if port in OPEN:
            return PortState.OPEN
        silent = SILENT.get(rules, set())
        if silent is None or port in silent:
            return PortState.FILTERED
        return PortState.REJECTED if port in REJECTED.get(rules, ()) else PortState.CLOSED

    return [state(port) for port in range(1, PORTS)]


def told(census: Census) -> list[PortState]:
    return [census.state(port) for port in range(1, PORTS)]


def scans(rules: Rules, method: Method, family: Family, runs: int) -> list[str]:
    """What was wrong in so many scans of one server; nothing, if all were exact."""
    services = Services(open=OPEN, filtered=(), rejected=())
    right, wrong = truth(rules), []
    with closing(DirectTestbed(family=family, services=services, rootless=True)) as testbed:
        with testbed.inside("server"):
            rules()
        for run in range(runs):
            report = scan_path(
                testbed.path(),
                ALL,
                method=method,
                target="server",
                testbed=True,
                icmp_limited=False,
            )
            found = told(report.census)
            if found != right or report.doubt is not None or report.partial:
                both = enumerate(zip(found, right, strict=True), 1)
                differ = [port for port, (one, other) in both if one is not other]
                wrong.append(
                    f"run {run}: {len(differ)} ports, {differ[:5]}; doubt {report.doubt}; "
                    f"drops {report.drops}; {report.rounds}"
                )
    return wrong


@pytest.mark.repeats
@pytest.mark.slow
@pytest.mark.timeout(1600)
@pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())
@pytest.mark.parametrize(
    "rules", [clean, filtered, five, twenty, filtered_and_five, prohibited, else_dropped]
)
def test_a_syn_scan_is_exact(rules, family):
    assert forked_for_long(scans, rules, Method.SYN, family, RUNS) == []


@pytest.mark.repeats
@pytest.mark.slow
@pytest.mark.timeout(1600)
@pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())
@pytest.mark.parametrize("rules", [clean, filtered, five, prohibited])
def test_a_connect_scan_is_exact(rules, family):
    assert forked_for_long(scans, rules, Method.CONNECT, family, RUNS) == []


def test_a_wrong_port_would_be_seen():
    """Counter-proof: the comparison is of every port."""
    census = Census(ALL)
    assert told(census) != truth(clean)
    assert [state for state in truth(else_dropped) if state is PortState.OPEN] == [
        PortState.OPEN
    ] * len(OPEN)
