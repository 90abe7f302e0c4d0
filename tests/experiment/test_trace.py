"""The kernel's tracepoints against what sock_diag showed (root: tracefs is root's)."""

from contextlib import nullcontext
from dataclasses import replace
from random import Random

import pytest

from tcplab.analysis.explain import explain
from tcplab.errors import InconclusiveError
from tcplab.experiment import on_testbed
from tcplab.experiment.conductor import CutShortError
from tcplab.experiment.on_testbed import play
from tcplab.experiment.witness import TracefsWitness
from tcplab.kernel.tracepoints import Drop, Reset, Transition
from tcplab.scenario.catalogue import load
from tcplab.scenario.shipped import How, handshake, teardown
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.testbed.flows import UNCHOSEN
from tcplab.testbed.host import Flow
from tcplab.testbed.plan import Family
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, Fate, ReasonEvent, SegmentEvent
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


@pytest.mark.traces
def test_100_random_connections_have_no_mismatch():
    seed = Random().randrange(2**32)
    print(f"seed {seed}")
    found, lost = forked(compared, seed)

    assert lost == 0
    assert len(found) == CONNECTIONS
    for name, kernels, verdicts in found:
        assert (name, verdicts) == (name, {f"trace.{host}": "yes" for host in kernels})


@pytest.mark.traces
def test_abort_the_kernel_says_which_end_sent_the_reset_and_which_received_it():
    timeline = forked(traced, teardown(How.ABORT), Stack.KERNEL, Family.IPV4)

    reasons = [event for event in timeline.events if isinstance(event, ReasonEvent)]
    resets = [(event.host, event.word == "received") for event in reasons if event.kind == "reset"]
    assert resets == [("client", False), ("server", True)]


C, S, OTHER = (Address("192.0.2.1", 40000), Address("192.0.2.2", 80), Address("192.0.2.1", 51234))


def opens(local: Address, remote: Address) -> Transition:
    return Transition(
        at_ns=5, local=local, remote=remote, old=State.SYN_SENT, new=State.ESTABLISHED
    )


class Overhears:
    """Tracepoints of the whole machine, filtered by one port."""

    lost = 0

    def read(self):
        scanned = Address(S.ip, C.port)  # by another testbed, which has the same addresses
        return [
            opens(OTHER, scanned),
            opens(C, S),
            Reset(at_ns=6, local=scanned, remote=OTHER, sent=True, reason="NO_SOCKET"),
            opens(S, C),
            Drop(at_ns=7, reason="OTHERHOST"),
            Drop(at_ns=8, reason="NO_SOCKET"),
        ]


def test_what_another_run_does_with_the_same_port_is_no_testimony_of_this_one():
    witness = TracefsWitness(Overhears(), {"c": Flow(client=C, server=S)})

    told = witness.testimony((), began_ns=0)

    assert [(event.at_ns, event.host) for event in told] == [
        (5, "client"),
        (5, "server"),
        (8, "server"),
    ]


CALL = CallEvent(i=4, at_ns=4_000, host="client", name="connect", conn="c", result="EINPROGRESS")
CHOSEN = SegmentEvent(
    i=5,
    at_ns=6_000,
    sender="client",
    receiver="server",
    conn="c",
    segment=Segment(src=C, dst=S, seq=Seq(7), flags=Flags.SYN),
    fate=Fate.DELIVERED,
    lanes=(),
    frame=b"",
)


class Chosen:
    """Tracepoints of a connection whose port the kernel chose in connect()."""

    lost = 0

    def __init__(self) -> None:
        portless = Address(C.ip, UNCHOSEN)
        self.told = [
            Transition(at_ns=at_ns, local=portless, remote=S, old=State.CLOSED, new=State.SYN_SENT)
            for at_ns in (3_000, 5_000)
        ]

    def read(self):
        return [
            *self.told,
            replace(opens(C, S), at_ns=9_000),
            replace(opens(OTHER, S), at_ns=9_000),
        ]


def test_a_port_that_the_kernel_chooses_is_the_callers_before_and_its_segments_afterwards():
    flows = {"c": Flow(client=Address(C.ip, UNCHOSEN), server=S)}

    told = TracefsWitness(Chosen(), flows).testimony((CALL, CHOSEN), began_ns=0)

    assert [(event.at_ns, event.host, event.conn, event.new) for event in told] == [
        (5_000, "client", "c", State.SYN_SENT),  # at 3 us nobody had called
        (9_000, "client", "c", State.ESTABLISHED),
    ]


def exhausted() -> list[tuple[str, str, int]]:
    timeline = play(load("port-exhaustion"), command=("exhausted",), rootless=False, trace=True)
    return [
        (finding.id, finding.verdict.value, len(finding.events))
        for finding in explain(timeline)
        if finding.id.startswith("trace.")
    ]


@pytest.mark.traces
def test_connections_from_ports_that_the_kernel_chose_are_traced_as_well():
    told = forked(exhausted)

    ends = ("trace.client", "trace.server")
    a_connection, without_a_port = (5, 5), (0, 0)
    connections = (*[a_connection] * 4, without_a_port, a_connection)
    assert told == [
        (end, "yes", count)
        for connection in connections
        for end, count in zip(ends, connection, strict=True)
    ]


class Mute:
    """A witness that is asked in vain."""

    lost = 0

    def testimony(self, events, began_ns):
        raise InconclusiveError(Text("nothing to be had"), remedy=Text("without"))


def cut_short() -> tuple[str, int]:
    on_testbed._watching = lambda _flows: nullcontext(Mute())
    with pytest.raises(CutShortError) as cut:
        play(teardown(How.CLIENT_FIRST), command=("mute",), rootless=True, trace=True)
    return str(cut.value.what), sum(1 for _ in cut.value.timeline.segments())


def test_what_the_kernel_does_not_hand_out_costs_nothing_that_was_seen():
    assert forked(cut_short) == ("nothing to be had", 9)
