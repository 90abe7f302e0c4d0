"""Does a program listen at a port? Its calls tell, whatever connections there were at that port."""

from tcplab.timeline.events import CallEvent, WireEvent
from tcplab.timeline.timeline import Timeline

_CLOSING = frozenset({"close", "abort"})
_TAKING = frozenset({"accept", "connect"})


def listens(timeline: Timeline, host: str, conn: str, *, before: int) -> bool:
    """Does a listener stand at that host's port of the connection, before the event of that index?

    A call on a connection that has a socket of its own is about that one, else about the listener
    that was opened in its name (`tcplab.testbed.sockets`).
    """
    port = _port(timeline, host, conn)
    listening: set[str] = set()
    open_: set[str] = set()
    for event in timeline.events[:before]:
        if isinstance(event, WireEvent) and event.segment is None:
            if event.rule == f"reboot {host}":
                listening.clear()
                open_.clear()
        elif isinstance(event, CallEvent) and event.host == host:
            if event.name == "listen" and event.result == "0":
                listening.add(event.conn)
            elif event.name in _TAKING and event.result in ("0", "EINPROGRESS"):
                open_.add(event.conn)
            elif event.name in _CLOSING:
                (open_ if event.conn in open_ else listening).discard(event.conn)
    return any(
        each == conn or (port is not None and _port(timeline, host, each) == port)
        for each in listening
    )


def _port(timeline: Timeline, host: str, conn: str) -> int | None:
    """The host's port of that connection; None if no segment of it was seen."""
    for event in timeline.segments(conn):
        if host in (event.sender, event.receiver):
            return (event.segment.src if event.sender == host else event.segment.dst).port
    return None
