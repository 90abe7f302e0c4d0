"""What must be traced for what sock_diag shows, and what is said if it is not."""

from dataclasses import replace

import pytest

from tcplab.analysis.witness import expected_transitions
from tcplab.tcp.states import State
from tcplab.timeline.events import Source, StateEvent
from tcplab.timeline.timeline import Stack

from .ladder import OPEN, finding, ladder

S = State
OPENED_ACTIVELY = [(S.CLOSED, S.SYN_SENT), (S.SYN_SENT, S.ESTABLISHED)]
OPENED_PASSIVELY = [(S.LISTEN, S.SYN_RECEIVED), (S.SYN_RECEIVED, S.ESTABLISHED)]
CLOSED_ACTIVELY = [
    (S.ESTABLISHED, S.FIN_WAIT_1),
    (S.FIN_WAIT_1, S.FIN_WAIT_2),
    (S.FIN_WAIT_2, S.CLOSED),
]
CLOSED_PASSIVELY = [
    (S.ESTABLISHED, S.CLOSE_WAIT),
    (S.CLOSE_WAIT, S.LAST_ACK),
    (S.LAST_ACK, S.CLOSED),
]
ACTIVE = (S.CLOSED, S.SYN_SENT, S.ESTABLISHED)
PASSIVE = (S.LISTEN, S.SYN_RECEIVED, S.ESTABLISHED)


@pytest.mark.parametrize(
    ("observed", "traced"),
    [
        pytest.param((), [], id="nothing"),
        pytest.param((S.CLOSED, S.LISTEN, S.CLOSED), [], id="listener alone"),
        pytest.param(
            (*ACTIVE, S.FIN_WAIT_1, S.FIN_WAIT_2, S.TIME_WAIT, S.CLOSED),
            OPENED_ACTIVELY + CLOSED_ACTIVELY,
            id="active open, active close, until TIME-WAIT is over",
        ),
        pytest.param(
            (*ACTIVE, S.FIN_WAIT_1, S.TIME_WAIT),
            OPENED_ACTIVELY + CLOSED_ACTIVELY,
            id="three-segment close",
        ),
        pytest.param(
            (*PASSIVE, S.CLOSE_WAIT, S.LAST_ACK, S.CLOSED),
            OPENED_PASSIVELY + CLOSED_PASSIVELY,
            id="passive open, passive close",
        ),
        pytest.param((S.LISTEN, S.SYN_RECEIVED), [], id="request not yet answered"),
        pytest.param((S.LISTEN, S.SYN_RECEIVED, S.CLOSED), [], id="request reset"),
        pytest.param((S.LISTEN, S.SYN_RECEIVED, S.LISTEN), [], id="request timed out"),
        pytest.param((S.LISTEN, S.ESTABLISHED), OPENED_PASSIVELY, id="SYN cookie"),
        pytest.param(
            (S.LISTEN, S.SYN_RECEIVED, S.SYN_RECEIVED, S.CLOSE_WAIT),
            [*OPENED_PASSIVELY, (S.ESTABLISHED, S.CLOSE_WAIT)],
            id="FIN on the handshake's ACK",
        ),
        pytest.param(
            (S.CLOSED, S.SYN_SENT, S.SYN_RECEIVED, S.ESTABLISHED),
            [
                (S.CLOSED, S.SYN_SENT),
                (S.SYN_SENT, S.SYN_RECEIVED),
                (S.SYN_RECEIVED, S.ESTABLISHED),
            ],
            id="simultaneous open",
        ),
        pytest.param(
            (S.CLOSED, S.SYN_SENT, S.SYN_RECEIVED, S.CLOSED),
            [
                (S.CLOSED, S.SYN_SENT),
                (S.SYN_SENT, S.SYN_RECEIVED),
                (S.SYN_RECEIVED, S.CLOSED),
            ],
            id="simultaneous open, reset",
        ),
        pytest.param(
            (S.ESTABLISHED, S.FIN_WAIT_1, S.CLOSING, S.TIME_WAIT),
            [
                (S.ESTABLISHED, S.FIN_WAIT_1),
                (S.FIN_WAIT_1, S.CLOSING),
                (S.CLOSING, S.CLOSED),
            ],
            id="simultaneous close",
        ),
        pytest.param(
            (*ACTIVE, S.CLOSED), [*OPENED_ACTIVELY, (S.ESTABLISHED, S.CLOSED)], id="abort"
        ),
        pytest.param(
            (S.FIN_WAIT_2, S.TIME_WAIT, S.SYN_RECEIVED, S.ESTABLISHED),
            [(S.FIN_WAIT_2, S.CLOSED), *OPENED_PASSIVELY],
            id="a SYN that finds TIME-WAIT",
        ),
    ],
)
def test_expected_transitions(observed: tuple[State, ...], traced: list[tuple[State, State]]):
    assert expected_transitions(observed) == traced


def test_fin_wait_2_of_a_closed_socket_is_traced_to_its_end():
    observed = (*ACTIVE, S.FIN_WAIT_1, S.FIN_WAIT_2)
    assert expected_transitions(observed, closed=True) == OPENED_ACTIVELY + CLOSED_ACTIVELY


def test_fin_wait_2_after_shutdown_is_traced_no_further():
    observed = (*ACTIVE, S.FIN_WAIT_1, S.FIN_WAIT_2)
    assert expected_transitions(observed) == OPENED_ACTIVELY + CLOSED_ACTIVELY[:2]


def traced(timeline, host, transitions):
    """The run with these transitions of `host` as the tracepoint told them."""
    events = [
        StateEvent(
            i=len(timeline.events) + n,
            at_ns=timeline.events[-1].at_ns,
            host=host,
            conn="a",
            old=old,
            new=new,
            source=Source.TRACEPOINT,
        )
        for n, (old, new) in enumerate(transitions)
    ]
    return replace(timeline, events=timeline.events + tuple(events))


def test_tracepoints_that_say_the_same_are_yes():
    timeline = traced(ladder(OPEN), "server", OPENED_PASSIVELY)

    verdict, sentence, events = finding(timeline, "trace.server")
    assert (verdict, len(events)) == ("yes", 2)
    assert sentence.startswith("The server's kernel says the same through its tracepoints: 2")


def test_a_missing_transition_is_no():
    timeline = traced(ladder(OPEN), "server", OPENED_PASSIVELY[:1])

    verdict, sentence, _events = finding(timeline, "trace.server")
    assert verdict == "no"
    assert "LISTEN → SYN-RECEIVED, but LISTEN → SYN-RECEIVED → ESTABLISHED" in sentence.replace(
        "CLOSED → ", ""
    )


def test_a_connect_that_finds_no_port_passes_through_syn_sent_unseen():
    failed = ladder("client connect() EADDRNOTAVAIL | CLOSED LISTEN", client=Stack.KERNEL)
    timeline = traced(
        failed, "client", [(State.CLOSED, State.SYN_SENT), (State.SYN_SENT, State.CLOSED)]
    )
    call, *left = timeline.events
    caused = replace(timeline, events=(call, *(replace(each, cause=call.i) for each in left)))

    assert finding(caused, "trace.client")[::2] == ("yes", ())
    assert finding(timeline, "trace.client")[0] == "no"


def test_without_traced_events_nothing_is_claimed():
    assert finding(ladder(OPEN), "trace.server") is None
