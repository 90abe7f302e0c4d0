"""Linux's spellings of the states, against include/net/tcp_states.h."""

import pytest

from tcplab.kernel import states
from tcplab.tcp.states import State

LINUX = {  # include/net/tcp_states.h, include/trace/events/sock.h
    1: ("TCP_ESTABLISHED", State.ESTABLISHED),
    2: ("TCP_SYN_SENT", State.SYN_SENT),
    3: ("TCP_SYN_RECV", State.SYN_RECEIVED),
    4: ("TCP_FIN_WAIT1", State.FIN_WAIT_1),
    5: ("TCP_FIN_WAIT2", State.FIN_WAIT_2),
    6: ("TCP_TIME_WAIT", State.TIME_WAIT),
    7: ("TCP_CLOSE", State.CLOSED),
    8: ("TCP_CLOSE_WAIT", State.CLOSE_WAIT),
    9: ("TCP_LAST_ACK", State.LAST_ACK),
    10: ("TCP_LISTEN", State.LISTEN),
    11: ("TCP_CLOSING", State.CLOSING),
    12: ("TCP_NEW_SYN_RECV", State.SYN_RECEIVED),
}


@pytest.mark.parametrize("number", LINUX)
def test_number_and_name_mean_the_same_state(number: int):
    word, state = LINUX[number]
    assert (states.from_number(number), states.from_trace(word)) == (state, state)


def test_bound_inactive_is_closed():
    assert states.from_number(13) is State.CLOSED


def test_every_state_of_the_rfc_has_a_linux_spelling():
    assert {states.from_number(number) for number in LINUX} == set(State)


@pytest.mark.parametrize("number", [0, 14, 255])
def test_unknown_number_is_refused(number: int):
    with pytest.raises(KeyError):
        states.from_number(number)


def test_unknown_name_is_refused():
    with pytest.raises(KeyError):
        states.from_trace("ESTABLISHED")
