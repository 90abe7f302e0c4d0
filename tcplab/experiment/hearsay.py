"""What predicates ask, answered from what an eavesdropper heard, and from nothing else."""

from tcplab.experiment.connections import STRAY, Connections
from tcplab.scenario.predicate import Name, Value
from tcplab.testbed.eavesdropper import Eavesdropper


class Hearsay:
    """Answers for one connection. What is on no wire (a state, a counter, a call) is not known."""

    def __init__(self, ear: Eavesdropper, connections: Connections, conn: str) -> None:
        self._ear = ear
        self._connections = connections
        self._conn = conn

    def value(self, name: Name) -> Value:
        """The value as far as it was heard; None if it was not."""
        conn = name.conn or self._conn
        if conn == STRAY or name.subject not in ("client", "server"):
            return None
        local, remote = self._connections.flow(conn).seen_from(name.subject)
        talk = self._ear.talk(local, remote)
        match name.path:
            case ("port",):
                return local.port
            case ("snd_nxt",):
                number = talk.snd_nxt(local)
            case ("rcv_nxt",):
                number = talk.rcv_nxt(local)
            case ("isn",):
                number = talk.isn(local)
            case _:
                return None
        return None if number is None else int(number)
