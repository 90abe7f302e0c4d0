"""The eleven states of a connection (RFC 9293 §3.3.2), as the RFC spells them."""

from enum import Enum, unique


@unique
class State(Enum):
    """A connection's state at one end. CLOSED "is fictional": it means that no socket exists."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"

    def __str__(self) -> str:
        return self.value

    @property
    def synchronized(self) -> bool:
        """Have both ends agreed on both initial sequence numbers? (RFC 9293 §3.5.2, group 3)."""
        return self not in _UNSYNCHRONIZED

    @property
    def reset_by_abort(self) -> bool:
        """Does an ABORT here send RST (RFC 9293 §3.10.5)? Elsewhere there is no peer yet, or one
        that has had its say.
        """
        return self in _RESET_BY_ABORT


_UNSYNCHRONIZED = frozenset({State.CLOSED, State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED})
_RESET_BY_ABORT = frozenset(
    {
        State.SYN_RECEIVED,
        State.ESTABLISHED,
        State.FIN_WAIT_1,
        State.FIN_WAIT_2,
        State.CLOSE_WAIT,
    }
)
