"""Handshake and every teardown on the real kernel: golden ladders and golden joint traces."""

from dataclasses import replace
from difflib import unified_diff

import pytest

from tcplab.analysis.explain import explain
from tcplab.analysis.finding import Verdict
from tcplab.experiment.on_testbed import play
from tcplab.render.ladder import Ladder
from tcplab.scenario.shipped import How, handshake, teardown
from tcplab.tcp.states import State
from tcplab.testbed.plan import Family
from tcplab.timeline.events import CallEvent, SampleEvent, SegmentEvent, Source
from tcplab.timeline.timeline import Stack
from tests.experiment.canonical import canonical, joint_trace
from tests.experiment.pauses import acks_fell_due, syns_fell_due, undisturbed
from tests.live import forked, forked_for_long
from tests.render.printing import printed

SCENARIOS = {"handshake": handshake(b"hello\n")} | {how.value: teardown(how) for how in How}
CLIENTS = (Stack.CRAFTED, Stack.KERNEL)
SLOW_RUNS = 200

every_scenario = pytest.mark.parametrize("name", SCENARIOS)
every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.value)
every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


def run(name, client=Stack.KERNEL, family=Family.IPV4, rootless=True):
    """One run. The close in three segments hangs on what happens before a delayed ACK is due."""
    disturbed = acks_fell_due if name == "three-segment" else syns_fell_due
    return undisturbed(
        lambda rootless: play(
            SCENARIOS[name], command=(name,), client=client, family=family, rootless=rootless
        ),
        disturbed,
        rootless=rootless,
    )


@every_scenario
@every_client
@every_family
def test_joint_trace_and_ladder_are_golden(name, client, family, golden):
    timeline = forked(run, name, client, family)

    masked = canonical(timeline)
    picture = printed(Ladder(masked, say=str), width=80)
    assert timeline.drops == 0
    assert joint_trace(timeline) + "\n" + picture == golden


@every_scenario
@every_client
def test_every_finding_is_yes(name, client):
    findings = explain(forked(run, name, client))

    assert [finding.id for finding in findings if finding.verdict is not Verdict.YES] == []
    assert findings


@every_client
def test_ipv4_and_ipv6_go_through_the_same_joint_trace(client):
    four = forked(run, "handshake", client, Family.IPV4)
    six = forked(run, "handshake", client, Family.IPV6)

    assert joint_trace(four) == joint_trace(six)


def falsified(timeline):
    """The run with one sample of one lane replaced by another state."""
    at = next(
        i
        for i, event in enumerate(timeline.events)
        if isinstance(event, SegmentEvent) and event.step == "open 3/3"
    )
    event = timeline.events[at]
    lanes = tuple(
        replace(lane, after=State.SYN_RECEIVED) if lane.host == "server" else lane
        for lane in event.lanes
    )
    events = list(timeline.events)
    events[at] = replace(event, lanes=lanes)
    return replace(timeline, events=tuple(events))


def test_one_falsified_sample_is_seen_by_trace_ladder_and_findings():
    timeline = forked(run, "handshake", Stack.KERNEL)
    wrong = falsified(timeline)

    assert joint_trace(wrong) != joint_trace(timeline)
    pictures = [printed(Ladder(canonical(each), say=str), width=80) for each in (timeline, wrong)]
    assert pictures[0] != pictures[1]


def test_kernel_lanes_are_observed_and_crafted_lanes_say_so():
    timeline = forked(run, "handshake", Stack.CRAFTED)

    sources = {
        (lane.host, lane.source)
        for event in timeline.events
        if isinstance(event, CallEvent | SegmentEvent)
        for lane in event.lanes
    }
    assert sources == {("client", Source.CRAFTED), ("server", Source.SOCK_DIAG)}


def test_the_active_closer_s_kernel_reports_its_time_wait_timer():
    timeline = forked(run, "client-first", Stack.KERNEL)

    (sample,) = (event for event in timeline.events if isinstance(event, SampleEvent))
    fields = dict(sample.fields)
    assert (sample.host, fields["timer"]) == ("client", "timewait")
    assert 0 < fields["expires_ms"] <= 60_000


def test_every_checksum_on_the_wire_is_good():
    for client in CLIENTS:
        timeline = forked(run, "handshake", client)
        assert {event.segment.checksum_ok for event in timeline.segments()} == {True}


def repeated(name, client, family, runs):
    """The distinct joint traces of that many runs, and one of each kind's ports."""
    traces = set()
    ports = set()
    for _ in range(runs):
        timeline = run(name, client, family, rootless=None if ports else True)
        traces.add(joint_trace(timeline))
        ports.add(timeline.host("client").port)
    return traces, ports


@pytest.mark.repeats
@pytest.mark.slow
@pytest.mark.timeout(1600)
@every_client
@every_family
@every_scenario
def test_200_repetitions_give_one_trace(name, client, family):
    traces, ports = forked_for_long(repeated, name, client, family, SLOW_RUNS)

    assert len(traces) == 1, "\n".join(
        unified_diff(*(trace.splitlines() for trace in sorted(traces)[:2]), lineterm="")
    )
    assert len(ports) > SLOW_RUNS // 2  # they really were different runs
