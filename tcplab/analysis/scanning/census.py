"""What is known of every port, and what proves it."""

from dataclasses import dataclass
from enum import Enum, IntEnum, unique

PORTS = 65536


@unique
class PortState(Enum):
    """What a scan says of a port. tcplab tells a silent filter from one that reports itself."""

    OPEN = "open"
    CLOSED = "closed"
    FILTERED = "filtered"
    """Nothing came back, however often it was asked."""
    REJECTED = "rejected"
    """An ICMP error came back: something on the way, or the host's own firewall, refused."""


@unique
class Proof(IntEnum):
    """The answer that decides a port's state; a column of octets holds one for each port."""

    NOTHING = 0
    SYN_ACK = 1
    RST = 2
    ICMP = 3
    CONNECTED = 4
    """connect() succeeded."""
    REFUSED = 5
    """connect() failed with ECONNREFUSED, and no ICMP error says why."""


_STATES = {
    Proof.NOTHING: PortState.FILTERED,
    Proof.SYN_ACK: PortState.OPEN,
    Proof.RST: PortState.CLOSED,
    Proof.ICMP: PortState.REJECTED,
    Proof.CONNECTED: PortState.OPEN,
    Proof.REFUSED: PortState.CLOSED,
}
_OF_STATE = {
    state: bytes(proof for proof, its in _STATES.items() if its is state) for state in PortState
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An ICMP "destination unreachable" (type 3; ICMPv6: 1), and the address that sent it."""

    version: int
    type: int
    code: int
    reporter: str


class Census:
    """What is known of each port so far. Whoever hears an answer writes it here, once a port.

    Columns are indexed by port. `proofs` holds a `Proof` each and `ttls` the TTL (hop limit) of the
    answer, 0 where there was none or it cannot be known. `rtts_ns` has the ports whose round trip
    was timed by itself. `duplicates` counts answers to what had been answered, `forged` segments
    that came to the scan's own ports and do not prove that they answer a probe of it.
    """

    __slots__ = (
        "answered", "asked", "duplicates", "forged", "proofs", "rejections", "rtts_ns", "ttls",
    )  # fmt: skip

    def __init__(self, asked: tuple[range, ...]) -> None:
        self.asked = asked
        self.proofs = bytearray(PORTS)
        self.ttls = bytearray(PORTS)
        self.rejections: dict[int, Rejection] = {}
        self.rtts_ns: dict[int, int] = {}
        self.answered = 0
        self.duplicates = 0
        self.forged = 0

    def ports(self) -> int:
        """How many ports are asked for."""
        return sum(map(len, self.asked))

    def unanswered(self) -> list[int]:
        """The ports asked for that nothing has answered, in order."""
        proofs = self.proofs
        return [port for each in self.asked for port in each if not proofs[port]]

    def note(self, port: int, proof: Proof, *, ttl: int = 0) -> bool:
        """One answer. False if the port had one already: the first one counts."""
        if self.proofs[port]:
            self.duplicates += 1
            return False
        self.proofs[port] = proof
        self.ttls[port] = ttl
        self.answered += 1
        return True

    def reject(self, port: int, rejection: Rejection) -> bool:
        """One ICMP error about a probe to that port. False if the port had an answer already."""
        if not self.note(port, Proof.ICMP):
            return False
        self.rejections[port] = rejection
        return True

    def state(self, port: int) -> PortState:
        """What is said of that port now."""
        return _STATES[Proof(self.proofs[port])]

    def proof(self, port: int) -> Proof:
        """What it rests on."""
        return Proof(self.proofs[port])

    def of_state(self, state: PortState) -> list[int]:
        """The ports asked for that are in that state, in order."""
        wanted = _OF_STATE[state]
        proofs = self.proofs
        return [port for each in self.asked for port in each if proofs[port] in wanted]
