"""The scenarios behind `tcplab handshake` and `tcplab teardown`."""

from dataclasses import replace
from enum import Enum, unique

from tcplab.scenario import catalogue
from tcplab.scenario.calls import Call, Close, Connect, Send, Shutdown
from tcplab.scenario.steps import At, Delivered, Scenario, Step, Until
from tcplab.tcp.states import State
from tcplab.text import Text

_REMOTE_OPEN_S = 16.0
"""Four SYNs leave after 0, 1, 3 and 7 s, and the last one is given 8 s (RFC 6298 §5.5)."""
_REMOTE_ANSWER_S = 6.0
"""For data to be acknowledged, and for the other end to close as well."""


@unique
class How(Enum):
    """The ways to end a connection, each a scenario of the catalogue."""

    CLIENT_FIRST = "client-first"
    SERVER_FIRST = "server-first"
    THREE_SEGMENT = "three-segment"
    HALF_CLOSE = "half-close"
    SIMULTANEOUS = "simultaneous"
    ABORT = "abort"


def handshake(data: bytes = b"hello\n") -> Scenario:
    """A whole short life: open, one line of `data`, and the client closes first."""
    scenario = catalogue.load("three-way")
    said = next(step for step in scenario.steps if isinstance(step, At) and _sends(step))
    steps = tuple(
        replace(said, call=Send(data)) if step is said else step for step in scenario.steps
    )
    return replace(scenario, steps=steps)


def _sends(step: At) -> bool:
    return isinstance(step.call, Send)


def teardown(how: How) -> Scenario:
    """The same opening and one line of data; then `how` it ends."""
    return catalogue.load(how.value)


def _client(*calls: Call) -> tuple[Step, ...]:
    return tuple(At(host="client", call=call) for call in calls)


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
