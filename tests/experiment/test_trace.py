"""The kernel's tracepoints against what sock_diag showed (root: tracefs is root's)."""

from random import Random

import pytest

from tcplab.analysis.explain import explain
from tcplab.experiment.on_testbed import play
from tcplab.scenario.shipped import How, handshake, teardown
from tcplab.testbed.plan import Family
from tcplab.timeline.events import ReasonEvent
from tcplab.timeline.timeline import Stack
from tests.live import forked

SCENARIOS = [handshake(b"hello\n"), *map(teardown, How)]
CONNECTIONS = 100


def traced(scenario, client, family):
    return play(
        scenario, command=(scenario.name,), client=client, family=family, rootless=False, trace=True
    )


def compared(seed):
    """(findings of the witness, events lost) of 100 random connections of mixed kinds."""
    chance = Random(seed)
    found = []
    lost = 0
    for _ in range(CONNECTIONS):
        timeline = traced(
            chance.choice(SCENARIOS),
            chance.choice((Stack.CRAFTED, Stack.KERNEL)),
            chance.choice(list(Family)),
        )
        lost += timeline.drops
        kernels = [host.name for host in timeline.hosts if host.stack is Stack.KERNEL]
        verdicts = {
            finding.id: finding.verdict.value
            for finding in explain(timeline)
            if finding.id.startswith("trace.")
        }
        found.append((timeline.scenario, sorted(kernels), verdicts))
    return found, lost


@pytest.mark.root
def test_100_random_connections_have_no_mismatch():
    seed = Random().randrange(2**32)
    print(f"seed {seed}")
    found, lost = forked(compared, seed)

    assert lost == 0
    assert len(found) == CONNECTIONS
    for name, kernels, verdicts in found:
        assert (name, verdicts) == (name, {f"trace.{host}": "yes" for host in kernels})


@pytest.mark.root
def test_abort_the_kernel_says_which_end_sent_the_reset_and_which_received_it():
    timeline = forked(traced, teardown(How.ABORT), Stack.KERNEL, Family.IPV4)

    reasons = [event for event in timeline.events if isinstance(event, ReasonEvent)]
    resets = [(event.host, event.word == "received") for event in reasons if event.kind == "reset"]
    assert resets == [("client", False), ("server", True)]
