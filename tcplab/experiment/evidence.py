"""What predicates ask, answered from a run that is under way.

States and numbers are read from the kernels at the moment of the question; what was sent and what
calls returned is in the notebook.
"""

from tcplab.analysis.segment_names import of_segment
from tcplab.errors import UnavailableError
from tcplab.experiment.connections import STRAY, Connections
from tcplab.experiment.notebook import Notebook
from tcplab.scenario.predicate import Name, Value
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.testbed.host import Flow, Host, Testbed
from tcplab.text import Text
from tcplab.timeline.events import IcmpEvent, SegmentEvent

_GROUPS = ("TcpExt", "Tcp", "")


class Evidence:
    """Answers for one connection, and for one segment of it if `event` is given."""

    def __init__(
        self,
        testbed: Testbed,
        connections: Connections,
        notebook: Notebook,
        conn: str,
        event: SegmentEvent | None = None,
    ) -> None:
        self._testbed = testbed
        self._connections = connections
        self._notebook = notebook
        self._conn = conn
        self._event = event

    def value(self, name: Name) -> Value:
        """The value now; None if it is not known."""
        if name.subject == "seg":
            if self._event is None:
                return None
            return of_segment(self._event, self._notebook.tally, name.path[0])
        if name.subject not in self._testbed.hosts:
            return None
        return self._of_host(name.subject, name.conn or self._conn, name.path)

    # --- a host -------------------------------------------------------------------------------

    def _of_host(self, name: str, conn: str, path: tuple[str, ...]) -> Value:
        host = self._testbed.hosts[name]
        match path:
            case ("counter", counter):
                return self._counter(name, counter)
            case ("count", state):
                return self._count(host, State(state))
            case ("descriptors",):
                return host.descriptors()
            case ("icmp",):
                return self._reports(host)
            case ("call", call):
                return _number(self._notebook.results.get((name, conn, call)))
            case ("sent" | "received" | "retransmitted" as verb, kind):
                return self._notebook.tally.count(verb, conn, name, kind)
        if conn == STRAY:
            return None
        if path[0] in ("read", "wrote", "stalls", "buffered_ms"):
            return self._of_application(host, conn, path[0])
        return self._of_end(host, conn, self._connections.flow(conn), path)

    def _counter(self, name: str, counter: str) -> Value:
        """By how much it grew; None where no kernel counts. Raises UnavailableError for one that
        this kernel does not know: which ones there are differs from version to version.
        """
        grown = self._notebook.growth_of(name)
        for group in _GROUPS:
            if group + counter in grown:
                return grown[group + counter]
        if not grown:
            return None
        from difflib import get_close_matches

        known = [each.removeprefix("TcpExt").removeprefix("Tcp") for each in grown]
        remedy = Text("See them all: {command}", command="nstat -az")
        if meant := get_close_matches(counter, known, 1):
            remedy = Text("Did you mean {command}?", command=meant[0])
        raise UnavailableError(
            Text("This kernel has no counter {name}.", name=counter), remedy=remedy
        )

    def _of_application(self, host: Host, conn: str, what: str) -> Value:
        read_octets, written_octets = host.octets(conn)
        player = host.player(conn)
        match what:
            case "read":
                return read_octets
            case "wrote":
                return written_octets
            case _ if player is None:
                return None
            case "stalls":
                return player.stalls
        return player.buffered_ms(self._clock_ns())

    def _of_end(self, host: Host, conn: str, flow: Flow, path: tuple[str, ...]) -> Value:
        local, _remote = flow.seen_from(host.name)
        tracker = self._notebook.tally.tracker(conn)
        match path:
            case ("state",):
                return host.look(flow).state
            case ("port",):
                return local.port
            case ("info", field) | (
                ("timer" | "expires_ms" | "send_queue" | "receive_queue") as field,
            ):
                return host.info(flow).get(field)
            case ("snd_nxt",):
                return _absolute(tracker.snd_nxt(local))
            case ("rcv_nxt",):
                return _absolute(tracker.rcv_nxt(local))
            case ("isn",):
                return _absolute(tracker.isn(local))
        return None

    def _count(self, host: Host, state: State) -> int:
        """How many of the run's connections are in that state at that host."""
        looks = (host.look(self._connections.flow(c)).state for c in self._connections.watched)
        return sum(each is state for each in looks)

    def _reports(self, host: Host) -> int:
        """How many ICMP errors were sent to that host."""
        ports = {
            self._connections.flow(conn).seen_from(host.name)[0].port
            for conn in self._connections.begun
        }
        return sum(
            isinstance(event, IcmpEvent) and event.sport in ports
            for event in self._notebook.events()
        )

    def _clock_ns(self) -> int:
        return self._notebook.began_ns + self._notebook.now_ns()


def _absolute(number: Seq | None) -> int | None:
    return None if number is None else int(number)


def _number(result: str | None) -> Value:
    """A call's result as a number where it is one."""
    return int(result) if result is not None and result.isdecimal() else result
