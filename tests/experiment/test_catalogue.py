"""Every scenario of the catalogue on the real kernel: what it expects, its golden joint trace."""

from difflib import unified_diff

import pytest

from tcplab.analysis.trace import joint_trace
from tcplab.experiment.on_testbed import play
from tcplab.scenario.catalogue import load, names
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.steps import Scenario
from tcplab.testbed.plan import Family
from tcplab.timeline.events import ExpectEvent
from tcplab.timeline.timeline import Timeline
from tests.experiment.pauses import acks_fell_due, stood_still_in, undisturbed
from tests.live import forked

RUNS = 20
SCENARIOS = {name: load(name) for name in names()}
TIMER_FREE = [name for name, scenario in SCENARIOS.items() if not scenario.timed]
TIMED = [name for name, scenario in SCENARIOS.items() if scenario.timed]


def acknowledges_at_once(host: HostSettings) -> bool:
    return host.quickack or host.crafted


def hangs_on_delayed_acks(scenario: Scenario) -> bool:
    """Is its point what happens before a delayed ACK falls due?"""
    return not scenario.timed and not all(map(acknowledges_at_once, scenario.hosts))


def run(name: str, family: Family = Family.IPV4, rootless: bool | None = True) -> Timeline:
    """One run; again if the machine paused where that makes a difference."""
    scenario = SCENARIOS[name]

    def disturbed(timeline: Timeline) -> bool:
        if hangs_on_delayed_acks(scenario):
            return acks_fell_due(timeline)
        return not scenario.timed and stood_still_in(scenario, timeline)

    return undisturbed(
        lambda rootless: play(scenario, command=(name,), family=family, rootless=rootless),
        disturbed,
        rootless=rootless,
    )


def not_met(timeline: Timeline) -> list[tuple[str, dict[str, str]]]:
    return [
        (event.predicate, dict(event.found))
        for event in timeline.events
        if isinstance(event, ExpectEvent) and not event.met
    ]


def expectations(timeline: Timeline) -> int:
    return sum(isinstance(event, ExpectEvent) for event in timeline.events)


def runs(name: str) -> tuple[Timeline, set[str]]:
    """The first run, and the distinct joint traces of all."""
    first = run(name)
    traces = {joint_trace(first)}
    traces |= {joint_trace(run(name, rootless=None)) for _ in range(RUNS - 1)}
    return first, traces


def course(timeline: Timeline) -> str:
    """The joint trace of a run that hangs on timers: each line only where it comes first, since how
    often a timer fires before a deadline is the machine's affair.
    """
    lines = dict.fromkeys(joint_trace(timeline).splitlines())
    # Sorted, which is stable: what plays in the background does so by its own clock.
    return "\n".join(sorted(lines, key=lambda line: line.startswith("client play()"))) + "\n"


@pytest.mark.parametrize("name", TIMER_FREE)
def test_a_timer_free_scenario_gives_one_golden_trace(name, golden):
    timeline, traces = forked(runs, name)

    assert not_met(timeline) == []
    assert timeline.drops == 0
    assert expectations(timeline) > 0
    assert len(traces) == 1, "\n".join(
        unified_diff(*(trace.splitlines() for trace in sorted(traces)[:2]), lineterm="")
    )
    assert traces.pop() == golden


@pytest.mark.parametrize("name", TIMER_FREE)
def test_a_timer_free_scenario_is_the_same_over_ipv6(name):
    four, six = forked(run, name), forked(run, name, Family.IPV6)

    assert not_met(six) == []
    assert _as_ipv4(name, joint_trace(six)) == joint_trace(four)


def _as_ipv4(name: str, trace: str) -> str:
    """A prohibition by ICMP is another errno there (net/ipv6/icmp.c, icmpv6_err_convert)."""
    if name != "firewall-icmp":
        return trace
    six, four = (f"{'client connect() = ' + errno:58} " for errno in ("EACCES", "EHOSTUNREACH"))
    return trace.replace(six, four)


@pytest.mark.parametrize("name", TIMED)
def test_a_timed_scenario_takes_its_golden_course(name, golden):
    timeline = forked(run, name)

    assert not_met(timeline) == []
    assert timeline.drops == 0
    assert expectations(timeline) > 0
    assert course(timeline) == golden


@pytest.mark.root
@pytest.mark.parametrize("name", SCENARIOS)
def test_as_root_a_scenario_takes_the_same_course(name):
    rootless, as_root = forked(run, name), forked(run, name, rootless=False)

    assert not_met(as_root) == []
    assert (rootless.testbed.rootless, as_root.testbed.rootless) == (True, False)
    assert course(rootless) == course(as_root)
