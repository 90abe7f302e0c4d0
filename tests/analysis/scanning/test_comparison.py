"""What is read off the exchanges of a comparison, and what is derived from it."""

from dataclasses import replace

import pytest

from tcplab.analysis.finding import Verdict
from tcplab.analysis.scanning import proofs
from tcplab.analysis.scanning.census import PortState, Proof, Rejection
from tcplab.analysis.scanning.comparison import Comparison, Pair, Resetter, exchange
from tcplab.analysis.scanning.lessons import findings
from tcplab.analysis.scanning.report import Method
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.timeline.events import CallEvent, Fate, SegmentEvent
from tests.recorded import scans

CLIENT = "192.0.2.1"


def sentences(comparison):
    return {each.id: str(each.sentence) for each in findings(comparison)}


def verdicts(comparison):
    return {each.id: each.verdict for each in findings(comparison)}


def with_syn(pair, **changes):
    return Comparison(pairs=(replace(pair, syn=replace(pair.syn, **changes)),))


# --- one exchange -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "state", "by_syn", "by_connect"),
    [
        (22, PortState.OPEN, Proof.SYN_ACK, Proof.CONNECTED),
        (81, PortState.CLOSED, Proof.RST, Proof.REFUSED),
        (135, PortState.FILTERED, Proof.NOTHING, Proof.NOTHING),
        (23, PortState.REJECTED, Proof.ICMP, Proof.ICMP),
    ],
)
def test_state_and_proof(port, state, by_syn, by_connect):
    syn, connect = scans.of(port, Method.SYN), scans.of(port, Method.CONNECT)
    assert (syn.state, syn.proof) == (state, by_syn)
    assert (connect.state, connect.proof) == (state, by_connect)


def test_rejection_has_type_code_and_reporter():
    rejected = scans.of(23, Method.SYN)
    assert rejected.rejection == Rejection(version=4, type=3, code=13, reporter="192.0.2.2")
    assert rejected.reports == 1


@pytest.mark.parametrize(
    ("port", "syn", "connect"),
    [(22, (2, 1), (3, 1)), (81, (1, 1), (1, 1)), (135, (2, 0), (2, 0)), (23, (1, 0), (1, 0))],
)
def test_segments_by_direction(port, syn, connect):
    for method, expected in ((Method.SYN, syn), (Method.CONNECT, connect)):
        found = scans.of(port, method)
        assert (found.to_server, found.to_client) == expected


def test_states_that_the_server_went_through():
    syn, connect = scans.of(22, Method.SYN), scans.of(22, Method.CONNECT)
    begun = (State.LISTEN, State.SYN_RECEIVED)
    assert syn.server_states == (*begun, State.CLOSED)
    assert connect.server_states == (*begun, State.ESTABLISHED, State.CLOSED)
    assert syn.client_states == (State.CLOSED,)
    assert syn.observed
    assert connect.observed
    assert (syn.syn_received_peak, connect.syn_received_peak) == (1, 1)


def test_log_has_whom_accept_returned():
    connect = scans.of(22, Method.CONNECT)
    (client,) = connect.log
    assert client == Address(CLIENT, connect.timeline.host("client").port)
    assert scans.of(22, Method.SYN).log == ()


def test_who_resets():
    assert scans.of(22, Method.SYN).reset_by is Resetter.KERNEL
    assert scans.of(22, Method.CONNECT).reset_by is Resetter.APPLICATION
    assert scans.of(81, Method.CONNECT).reset_by is None


def test_only_what_arrived_has_reached_the_server():
    assert [scans.of(port, Method.SYN).reached for port in scans.PORTS] == [
        True,
        True,
        False,
        False,
    ]


def test_answer_that_was_lost_on_the_way_proves_nothing():
    timeline = scans.timeline(81, Method.SYN)
    events = tuple(
        replace(event, fate=Fate.DROPPED, delivered_ns=None)
        if isinstance(event, SegmentEvent) and event.sender == "server"
        else event
        for event in timeline.events
    )
    lost = exchange(replace(timeline, events=events), 81, Method.SYN)
    assert (lost.state, lost.proof) == (PortState.FILTERED, Proof.NOTHING)


def test_connect_scan_without_its_calls_is_judged_by_segments():
    timeline = scans.timeline(22, Method.CONNECT)
    events = tuple(event for event in timeline.events if not isinstance(event, CallEvent))
    reset = next(
        e for e in events if isinstance(e, SegmentEvent) and e.segment.flags.letters == "RA"
    )
    events = tuple(replace(e, cause=None) if e is reset else e for e in events)
    seen = exchange(replace(timeline, events=events), 22, Method.CONNECT)
    assert (seen.state, seen.proof) == (PortState.OPEN, Proof.CONNECTED)
    assert seen.reset_by is None


# --- the lesson ---------------------------------------------------------------------------------


def test_lesson_of_all_four():
    said = sentences(scans.comparison())
    port = scans.of(22, Method.CONNECT).timeline.host("client").port
    assert list(said) == ["scan.same", "scan.heard", "scan.kernel", "scan.cost", "scan.reset"]
    assert said["scan.heard"].endswith(f"Of the connect scan its log has {CLIENT}:{port}.")
    assert "TcpAttemptFails +1 against TcpPassiveOpens +1, TcpEstabResets +1" in said["scan.kernel"]
    assert said["scan.cost"].startswith("An open port takes 3 segments with the SYN scan, 4 with")
    assert set(verdicts(scans.comparison()).values()) == {Verdict.YES}


def test_without_an_open_port_nothing_is_said_of_applications():
    said = sentences(scans.comparison(81, 135))
    assert list(said) == ["scan.same", "scan.cost"]
    assert said["scan.cost"] == "Each port takes as many segments with either scan: none is open."


def test_only_an_open_port_says_nothing_of_others():
    assert "Every other port" not in sentences(scans.comparison(22))["scan.cost"]


def test_scans_that_disagree_say_so():
    (pair,) = scans.comparison(22).pairs
    wrong = with_syn(pair, state=PortState.FILTERED)
    assert sentences(wrong)["scan.same"] == (
        "Port 22: the SYN scan finds it filtered, the connect scan open."
    )
    assert verdicts(wrong)["scan.same"] is Verdict.NO


def test_application_that_heard_of_the_syn_scan_refutes_the_lesson():
    (pair,) = scans.comparison(22).pairs
    wrong = with_syn(pair, log=pair.connect.log)
    assert verdicts(wrong)["scan.heard"] is Verdict.NO
    assert "1 connections of the SYN scan" in sentences(wrong)["scan.heard"]


def test_reset_by_somebody_else_refutes_the_lesson():
    (pair,) = scans.comparison(22).pairs
    wrong = with_syn(pair, reset_by=None)
    assert verdicts(wrong)["scan.reset"] is Verdict.NO
    assert "in the SYN scan, from nobody" in sentences(wrong)["scan.reset"]


def test_ports_that_cost_differently_are_summed():
    (pair,) = scans.comparison(81).pairs
    dear = with_syn(pair, to_server=2)
    assert sentences(dear)["scan.cost"] == (
        "In all the SYN scan took 3 segments on the wire, the connect scan 2."
    )


def test_drops_make_everything_inconclusive():
    (pair,) = scans.comparison(22).pairs
    lossy = with_syn(pair, timeline=replace(pair.syn.timeline, drops=2))
    assert lossy.drops == 2
    assert set(verdicts(lossy).values()) == {Verdict.INCONCLUSIVE}


def test_nothing_compared_teaches_nothing():
    assert findings(Comparison(pairs=(), partial=True)) == ()


def test_a_pair_is_the_syn_scan_and_then_the_connect_scan():
    (pair,) = scans.comparison(81).pairs
    assert isinstance(pair, Pair)
    assert [each.method for each in pair] == [Method.SYN, Method.CONNECT]


# --- one exchange, by itself --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "method", "ids"),
    [
        (22, Method.SYN, ["scan.found", "scan.reset", "scan.kernel", "scan.heard"]),
        (22, Method.CONNECT, ["scan.found", "scan.reset", "scan.kernel", "scan.heard"]),
        (81, Method.SYN, ["scan.found"]),
        (135, Method.CONNECT, ["scan.found"]),
        (23, Method.SYN, ["scan.found"]),
    ],
)
def test_proofs(port, method, ids):
    assert [each.id for each in proofs.findings(scans.of(port, method))] == ids


def test_proof_cites_the_probe_and_its_answer():
    found, *_ = proofs.findings(scans.of(22, Method.SYN))
    events = scans.timeline(22, Method.SYN).events
    cited = [events[i].segment.flags.letters for i in found.events]
    assert cited == ["S", "SA"]
