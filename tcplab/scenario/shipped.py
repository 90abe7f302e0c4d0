"""The scenarios behind `tcplab handshake` and `tcplab teardown`."""

from enum import Enum, unique

from tcplab.scenario.steps import (
    Abort,
    Accept,
    At,
    Call,
    Close,
    Connect,
    Delivered,
    Hold,
    Listen,
    Read,
    Release,
    Scenario,
    Send,
    Shutdown,
    Step,
    Until,
)
from tcplab.tcp.states import State
from tcplab.text import Text

_BOTH = frozenset({"client", "server"})

_GREETING = b"hello\n"
_REQUEST, _REPLY = b"how are you?\n", b"fine\n"
_LATE_DATA = (b"one\n", b"two\n", b"three\n")

_REMOTE_OPEN_S = 16.0
"""Four SYNs leave after 0, 1, 3 and 7 s, and the last one is given 8 s (RFC 6298 §5.5)."""
_REMOTE_ANSWER_S = 6.0
"""For data to be acknowledged, and for the other end to close as well."""


@unique
class How(Enum):
    """The ways to end a connection."""

    CLIENT_FIRST = "client-first"
    SERVER_FIRST = "server-first"
    THREE_SEGMENT = "three-segment"
    HALF_CLOSE = "half-close"
    SIMULTANEOUS = "simultaneous"
    ABORT = "abort"


def _client(*calls: Call) -> tuple[Step, ...]:
    return tuple(At(host="client", call=call) for call in calls)


def _server(*calls: Call) -> tuple[Step, ...]:
    return tuple(At(host="server", call=call) for call in calls)


def _open_and_say(data: bytes) -> tuple[Step, ...]:
    """Connect, and bring one line of data to the server."""
    return (
        *_server(Listen()),
        *_client(Connect()),
        *_server(Accept()),
        *_client(Send(data)),
        *_server(Read()),
    )


def handshake(data: bytes = _GREETING) -> Scenario:
    """A whole short life: open, one line of data, and the client closes first."""
    return Scenario(
        name="handshake",
        title=Text("A connection is born, says one line, and dies"),
        story=Text(
            "The client opens a connection to the server, sends one line and closes. The server "
            "reads it, finds the end of the data and closes as well."
        ),
        notice=Text(
            "Each SYN takes one sequence number, so each side's ISN comes back plus 1. The "
            "server's program gets the connection only after the third segment."
        ),
        steps=(*_open_and_say(data), *_client(Close()), *_server(Read(), Close())),
        quickack=_BOTH,
        unhurried=True,
    )


def teardown(how: How) -> Scenario:
    """The same opening and one line of data; then `how` it ends."""
    return _TEARDOWNS[how]


_TEARDOWNS = {
    How.CLIENT_FIRST: Scenario(
        name="client-first",
        title=Text("The client closes first"),
        story=Text(
            "The client has nothing more to say and closes. The server reads the end of the data, "
            "and closes as well."
        ),
        notice=Text(
            "Each direction is closed by its own FIN and its own ACK: four segments. Only the "
            "client, which closed first, goes through TIME-WAIT."
        ),
        steps=(*_open_and_say(_GREETING), *_client(Close()), *_server(Read(), Close())),
        quickack=_BOTH,
        unhurried=True,
    ),
    How.SERVER_FIRST: Scenario(
        name="server-first",
        title=Text("The server closes first"),
        story=Text(
            "The server hangs up once it has read the line, as a web server does that keeps no "
            "connection alive. The client reads the end of the data, and closes as well."
        ),
        notice=Text(
            "TIME-WAIT is now on the server, with the server's port: who closes first pays, "
            "whoever opened. A busy server that always closes first collects thousands of them."
        ),
        steps=(*_open_and_say(_GREETING), *_server(Close()), *_client(Read(), Close())),
        quickack=_BOTH,
        unhurried=True,
    ),
    How.THREE_SEGMENT: Scenario(
        name="three-segment",
        title=Text("A close in three segments"),
        story=Text(
            "After a request and its reply the client closes, and the server closes at once as "
            "well. Nothing makes the server's kernel acknowledge immediately here."
        ),
        notice=Text(
            "Linux delays an ACK in the hope that it can ride on something. The ACK of the "
            "client's FIN rides on the server's own FIN: the server goes from CLOSE-WAIT to "
            "LAST-ACK before anybody has heard of either."
        ),
        # A server that answers requests is "interactive" to Linux, which then delays ACKs for up to
        # 40 ms (inet_csk_in_pingpong_mode, include/net/inet_connection_sock.h).
        steps=(
            *_open_and_say(_REQUEST),
            *_server(Send(_REPLY)),
            *_client(Read(), Close()),
            *_server(Close()),
        ),
        unhurried=True,
    ),
    How.HALF_CLOSE: Scenario(
        name="half-close",
        title=Text("Half-close: one direction ends, the other goes on"),
        story=Text(
            "The client says that it is done with sending, by shutdown(SHUT_WR), and goes on "
            "reading. The server sends three more lines before it closes its own direction."
        ),
        notice=Text(
            "Between the two FINs the client is in FIN-WAIT-2 and the server in CLOSE-WAIT, and "
            "data flows to the side that has already sent its FIN. These two states can last for "
            "as long as the programs like."
        ),
        steps=(
            *_open_and_say(_GREETING),
            *_client(Shutdown()),
            *_server(Read(), *(Send(line) for line in _LATE_DATA)),
            *_client(Read()),
            *_server(Close()),
            *_client(Read(), Close()),
        ),
        quickack=_BOTH,
        unhurried=True,
    ),
    How.SIMULTANEOUS: Scenario(
        name="simultaneous",
        title=Text("Both close at the same moment"),
        story=Text(
            "The wire holds every frame while both programs close. Then it lets go, and the two "
            "FINs pass each other."
        ),
        notice=Text(
            "Each end expects the ACK of its FIN and gets a FIN instead: that is CLOSING, a state "
            "that is hardly ever seen. Both ends closed first, so both go through TIME-WAIT."
        ),
        steps=(
            *_open_and_say(_GREETING),
            Hold(),
            *_client(Close()),
            *_server(Close()),
            Release(),
        ),
        quickack=_BOTH,
        unhurried=True,
    ),
    How.ABORT: Scenario(
        name="abort",
        title=Text("An abort"),
        story=Text(
            "The client closes with SO_LINGER set to 0 seconds, which throws the connection away "
            "instead of ending it. The server's program then tries to read."
        ),
        notice=Text(
            "One RST ends both directions, nobody acknowledges it, and no end goes through "
            "TIME-WAIT. What was still on its way is lost: the server's read fails with "
            "ECONNRESET."
        ),
        steps=(*_open_and_say(_GREETING), *_client(Abort()), *_server(Read(), Close())),
        quickack=_BOTH,
        unhurried=True,
    ),
}


def remote(send: bytes | None) -> Scenario:
    """Towards a real host: nobody there does what we say, so each step waits for what it does."""
    data: tuple[Step, ...] = ()
    if send is not None:
        data = (*_client(Send(send)), Delivered(host="client", within_s=_REMOTE_ANSWER_S))
    return Scenario(
        name="remote",
        title=Text("A connection to a real host"),
        story=Text(
            "The client opens a connection to a host that is not ours, and closes it again. What "
            "goes on inside that host can only be inferred from its segments."
        ),
        notice=Text(
            "The answer to the SYN tells what is there: SYN, ACK from an open port, RST from a "
            "closed one, ICMP from whoever forbids it, and silence from a filter or from nobody."
        ),
        steps=(
            *_client(Connect()),
            Until(
                host="client",
                states=frozenset({State.ESTABLISHED, State.CLOSED}),
                within_s=_REMOTE_OPEN_S,
                final=frozenset({State.CLOSED}),
            ),
            *data,
            # Not close(): what the host still has to say would be answered with RST.
            *_client(Shutdown()),
            Until(
                host="client",
                states=frozenset({State.TIME_WAIT, State.CLOSED}),
                within_s=_REMOTE_ANSWER_S,
            ),
            *_client(Close()),
        ),
    )
