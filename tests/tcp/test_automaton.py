import pytest

from tcplab.tcp.automaton import TABLE, Event, after
from tcplab.tcp.states import State

FIGURE_5 = """
CLOSED       : passive OPEN    -> LISTEN
CLOSED       : active OPEN     -> SYN-SENT
LISTEN       : CLOSE           -> CLOSED
LISTEN       : rcv SYN         -> SYN-RECEIVED
LISTEN       : SEND            -> SYN-SENT
SYN-SENT     : CLOSE           -> CLOSED
SYN-SENT     : rcv SYN         -> SYN-RECEIVED
SYN-SENT     : rcv SYN,ACK     -> ESTABLISHED
SYN-RECEIVED : rcv RST, opened passively -> LISTEN
SYN-RECEIVED : rcv ACK of SYN  -> ESTABLISHED
SYN-RECEIVED : CLOSE           -> FIN-WAIT-1
ESTABLISHED  : CLOSE           -> FIN-WAIT-1
ESTABLISHED  : rcv FIN         -> CLOSE-WAIT
FIN-WAIT-1   : rcv ACK of FIN  -> FIN-WAIT-2
FIN-WAIT-1   : rcv FIN         -> CLOSING
FIN-WAIT-2   : rcv FIN         -> TIME-WAIT
CLOSE-WAIT   : CLOSE           -> LAST-ACK
CLOSING      : rcv ACK of FIN  -> TIME-WAIT
LAST-ACK     : rcv ACK of FIN  -> CLOSED
TIME-WAIT    : time-out: 2 MSL -> CLOSED
"""

IN_THE_TEXT_ONLY = """
LISTEN       : active OPEN -> SYN-SENT
LISTEN       : ABORT       -> CLOSED
SYN-RECEIVED : rcv SYN     -> LISTEN
TIME-WAIT    : rcv SYN     -> SYN-RECEIVED
"""
"""§3.10.1; §3.10.5; §3.10.7.4, fourth check; §3.6.1 MAY-2."""

NEITHER_CLOSED_NOR_LISTEN = set(State) - {State.CLOSED, State.LISTEN}
EVERYWHERE_ELSE = {
    (state, event, State.CLOSED)
    for state in NEITHER_CLOSED_NOR_LISTEN
    for event in (Event.ABORT, Event.RCV_RST, Event.USER_TIME_OUT)
}
"""Note 3 of the figure and §3.10.5, §3.10.7, §3.10.8: from each of these states to CLOSED."""


def edges(text):
    found = set()
    for line in text.strip().splitlines():
        state, way = line.split(" : ", 1) if " : " in line else line.split(": ", 1)
        event, new = way.rsplit(" -> ", 1)
        found.add((State(state.strip()), Event(event.strip()), State(new)))
    return found


def test_table_is_figure_5_and_the_text():
    table = {(state, event, new) for state, row in TABLE.items() for event, new in row.items()}
    assert table == edges(FIGURE_5) | edges(IN_THE_TEXT_ONLY) | EVERYWHERE_ELSE


def test_figure_5_has_twenty_edges():
    assert len(edges(FIGURE_5)) == 20


def test_every_state_is_reachable_from_closed():
    reached, frontier = set(), {State.CLOSED}
    while frontier:
        reached |= frontier
        frontier = {new for state in frontier for new in TABLE[state].values()} - reached
    assert reached == set(State)


def test_every_event_moves_some_state():
    assert {event for row in TABLE.values() for event in row} == set(Event)


@pytest.mark.parametrize(
    ("states", "events"),
    [
        pytest.param(
            "CLOSED LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED",
            "passive OPEN/rcv SYN/rcv ACK of SYN/rcv FIN/CLOSE/rcv ACK of FIN",
            id="passive open, passive close",
        ),
        pytest.param(
            "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED",
            "active OPEN/rcv SYN,ACK/CLOSE/rcv ACK of FIN/rcv FIN/time-out: 2 MSL",
            id="active open, active close; note 2 in two steps",
        ),
        pytest.param(
            "CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT",
            "active OPEN/rcv SYN/rcv ACK of SYN/CLOSE/rcv FIN/rcv ACK of FIN",
            id="simultaneous open, simultaneous close",
        ),
    ],
)
def test_life_of_a_connection(states, events):
    walked = [State.CLOSED]
    for event in events.split("/"):
        walked.append(after(walked[-1], Event(event)))
    assert [str(state) for state in walked] == states.split()


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (State.CLOSED, Event.CLOSE),
        (State.LISTEN, Event.RCV_RST),
        (State.ESTABLISHED, Event.RCV_ACK_OF_FIN),
        (State.FIN_WAIT_2, Event.CLOSE),
    ],
)
def test_what_cannot_happen_is_a_bug(state, event):
    with pytest.raises(ValueError, match=f"^{event} cannot happen in {state}$"):
        after(state, event)
