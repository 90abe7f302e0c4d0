"""The automaton: what may happen to a connection in each state, and which state follows.

The theory. A connection is two automata, one at each end, that see each other only through
segments. An end moves when its user calls, when a segment arrives, or when time runs out. What it
knows of the other end is always old, so the two rarely stand in the same state. RFC 9293 §3.3.2
draws the moves (figure 5):

                                CLOSED ──────────── active OPEN ────────────┐
                   passive OPEN │    ▲ CLOSE                                │
                                ▼    │                                      ▼
          ┌──── rcv SYN ─────── LISTEN ──────────── SEND ─────────────▶ SYN-SENT ── CLOSE ─▶ CLOSED
          ▼                                                             │      │
    SYN-RECEIVED ◀──────────────────── rcv SYN ─────────────────────────┘      │
      │   │   └── rcv RST ─▶ LISTEN                                            │
      │   └── rcv ACK of SYN ─────▶ ESTABLISHED ◀─────── rcv SYN,ACK ──────────┘
      │                             │         │
      │ CLOSE                 CLOSE │         │ rcv FIN
      ▼                             ▼         ▼
    FIN-WAIT-1 ◀────────────────────┘      CLOSE-WAIT ─ CLOSE ▶ LAST-ACK ─ rcv ACK of FIN ▶ CLOSED
      │      └── rcv FIN ─▶ CLOSING ── rcv ACK of FIN ─▶ TIME-WAIT
      │ rcv ACK of FIN                                   ▲      │
      └──────────────▶ FIN-WAIT-2 ── rcv FIN ────────────┘      └── time-out: 2 MSL ─▶ CLOSED

The side that closes first walks the left column and pays with TIME-WAIT; the other one walks the
right column. Each direction is closed by its own FIN, which is why there are two columns at all.
Where both ends act at once, each gets a segment that the straight way does not expect: a SYN in
SYN-SENT (simultaneous open), a FIN in FIN-WAIT-1 before the ACK of its own (simultaneous close:
CLOSING).

A segment that acknowledges our FIN and carries the peer's is two events, in the order in which
§3.10.7.4 processes a segment: first the ACK, then the FIN. That makes the move from FIN-WAIT-1 to
TIME-WAIT which note 2 of the figure adds. A pair that is not in the table cannot happen: whoever
asks for it has a bug.

Where Linux differs (it moves by the same table all the same):
- A listener stays in LISTEN; each SYN makes a request socket in SYN-RECEIVED, and `accept` returns
  a socket of its own. So a reset in SYN-RECEIVED ends the request, not the listener.
- It has no SEND in LISTEN: the call fails with EPIPE.
- `close` with unread data, and data that comes after `close`, are an ABORT (RFC 2525 §2.17).
- An end in FIN-WAIT-2 that no process holds any more is given up after `tcp_fin_timeout`.
- TIME-WAIT lasts 60 s whatever the MSL is (TCP_TIMEWAIT_LEN, include/net/tcp.h).
"""

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType
from typing import Final

from tcplab.tcp.states import State


@unique
class Event(Enum):
    """What can move a connection: a call of the user, an acceptable segment, a time-out."""

    PASSIVE_OPEN = "passive OPEN"
    ACTIVE_OPEN = "active OPEN"
    SEND = "SEND"
    CLOSE = "CLOSE"
    ABORT = "ABORT"
    """Also the user's wish when the network says that there is no way (an ICMP hard error)."""
    RCV_SYN = "rcv SYN"
    RCV_SYN_ACK = "rcv SYN,ACK"
    """A SYN that acknowledges ours."""
    RCV_ACK_OF_SYN = "rcv ACK of SYN"
    RCV_FIN = "rcv FIN"
    RCV_ACK_OF_FIN = "rcv ACK of FIN"
    RCV_RST = "rcv RST"
    RCV_RST_AFTER_PASSIVE_OPEN = "rcv RST, opened passively"
    """Note 1 of the figure: an end that was opened passively goes back to waiting."""
    TIME_OUT_2MSL = "time-out: 2 MSL"
    USER_TIME_OUT = "user time-out"
    """The peer has been silent for too long (RFC 9293 §3.10.8)."""

    def __str__(self) -> str:
        return self.value


def _rows() -> dict[State, dict[Event, State]]:
    s, e = State, Event
    ends = {e.ABORT: s.CLOSED, e.RCV_RST: s.CLOSED, e.USER_TIME_OUT: s.CLOSED}
    return {
        s.CLOSED: {e.PASSIVE_OPEN: s.LISTEN, e.ACTIVE_OPEN: s.SYN_SENT},
        s.LISTEN: {
            e.RCV_SYN: s.SYN_RECEIVED,
            e.SEND: s.SYN_SENT,
            e.ACTIVE_OPEN: s.SYN_SENT,  # §3.10.1: "change the connection from passive to active"
            e.CLOSE: s.CLOSED,
            e.ABORT: s.CLOSED,
        },
        s.SYN_SENT: {
            e.RCV_SYN_ACK: s.ESTABLISHED,
            e.RCV_SYN: s.SYN_RECEIVED,
            e.CLOSE: s.CLOSED,
            **ends,
        },
        s.SYN_RECEIVED: {
            e.RCV_ACK_OF_SYN: s.ESTABLISHED,
            e.CLOSE: s.FIN_WAIT_1,
            e.RCV_RST_AFTER_PASSIVE_OPEN: s.LISTEN,
            e.RCV_SYN: s.LISTEN,  # another SYN, opened passively (§3.10.7.4, fourth)
            **ends,
        },
        s.ESTABLISHED: {e.CLOSE: s.FIN_WAIT_1, e.RCV_FIN: s.CLOSE_WAIT, **ends},
        s.FIN_WAIT_1: {e.RCV_ACK_OF_FIN: s.FIN_WAIT_2, e.RCV_FIN: s.CLOSING, **ends},
        s.FIN_WAIT_2: {e.RCV_FIN: s.TIME_WAIT, **ends},
        s.CLOSING: {e.RCV_ACK_OF_FIN: s.TIME_WAIT, **ends},
        s.TIME_WAIT: {
            e.TIME_OUT_2MSL: s.CLOSED,
            e.RCV_SYN: s.SYN_RECEIVED,  # §3.6.1 MAY-2: a new incarnation of the connection
            **ends,
        },
        s.CLOSE_WAIT: {e.CLOSE: s.LAST_ACK, **ends},
        s.LAST_ACK: {e.RCV_ACK_OF_FIN: s.CLOSED, **ends},
    }


TABLE: Final[Mapping[State, Mapping[Event, State]]] = MappingProxyType(
    {state: MappingProxyType(row) for state, row in _rows().items()}
)
"""state -> event -> the state that follows."""


def after(state: State, event: Event) -> State:
    """The state that follows `event` in `state`. Raises ValueError where it cannot happen."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise ValueError(f"{event} cannot happen in {state}") from None
