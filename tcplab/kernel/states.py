"""How Linux spells the states of RFC 9293: the one place that knows.

Linux gives every state a number (include/net/tcp_states.h), which sock_diag reports, and a name,
which the tracepoint sock:inet_sock_set_state prints (`show_tcp_state_name` in
include/trace/events/sock.h).
"""

from tcplab.tcp.states import State

_BY_NUMBER = {
    1: State.ESTABLISHED,
    2: State.SYN_SENT,
    3: State.SYN_RECEIVED,  # of a full socket: a simultaneous open, or just before ESTABLISHED
    4: State.FIN_WAIT_1,
    5: State.FIN_WAIT_2,
    6: State.TIME_WAIT,
    7: State.CLOSED,  # TCP_CLOSE: a socket without a connection
    8: State.CLOSE_WAIT,
    9: State.LAST_ACK,
    10: State.LISTEN,
    11: State.CLOSING,
    12: State.SYN_RECEIVED,  # TCP_NEW_SYN_RECV: the request socket of a listener
    13: State.CLOSED,  # TCP_BOUND_INACTIVE: bound, but neither listening nor connecting
}

_BY_TRACE_NAME = {
    "TCP_ESTABLISHED": State.ESTABLISHED,
    "TCP_SYN_SENT": State.SYN_SENT,
    "TCP_SYN_RECV": State.SYN_RECEIVED,
    "TCP_FIN_WAIT1": State.FIN_WAIT_1,
    "TCP_FIN_WAIT2": State.FIN_WAIT_2,
    "TCP_TIME_WAIT": State.TIME_WAIT,
    "TCP_CLOSE": State.CLOSED,
    "TCP_CLOSE_WAIT": State.CLOSE_WAIT,
    "TCP_LAST_ACK": State.LAST_ACK,
    "TCP_LISTEN": State.LISTEN,
    "TCP_CLOSING": State.CLOSING,
    "TCP_NEW_SYN_RECV": State.SYN_RECEIVED,
}


def from_number(number: int) -> State:
    """The state that sock_diag calls `number`. KeyError for a number that no kernel uses (yet)."""
    return _BY_NUMBER[number]


def bits_of(state: State) -> int:
    """The set of numbers that mean `state`, a bit each: what sock_diag filters by."""
    return sum(1 << number for number, meant in _BY_NUMBER.items() if meant is state)


def from_trace(word: str) -> State:
    """The state that a tracepoint calls `word` ("TCP_SYN_RECV"). KeyError for an unknown name."""
    return _BY_TRACE_NAME[word]
