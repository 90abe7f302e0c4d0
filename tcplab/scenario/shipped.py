"""The scenarios behind `tcplab handshake` and `tcplab teardown`.

The command that a newcomer types first should answer first. So its scenario is written here as the
values that `three-way` of the catalogue reads as: no file is read for it, and neither the readers
nor the parser of predicates are imported, which takes longer than to make the testbed.
"""

from enum import Enum, unique

from tcplab.scenario.calls import Accept, Call, Close, Connect, Listen, Read, Send, Shutdown
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.predicate import All, Comparison, Kind, Literal, Name, Predicate, Sum
from tcplab.scenario.steps import At, Delivered, Expect, Scenario, Step, Until
from tcplab.tcp.states import State
from tcplab.text import Text, in_both

_UNHURRIED_MS = 10_000
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
    return Scenario(
        name="three-way",
        title=in_both(
            en="A connection is born, says one line, and dies",
            ko="연결이 태어나 한 줄을 말하고 죽기까지",
        ),
        story=in_both(
            en="The client opens a connection to the server, sends one line and closes. The server "
            "reads it, finds the end of the data and closes as well.",
            ko="클라이언트가 서버로 연결을 열고 한 줄을 보낸 다음 닫습니다. 서버는 그 줄을 읽고 "
            "데이터의 끝을 만나 역시 닫습니다.",
        ),
        notice=in_both(
            en="Each SYN takes one sequence number, so each side's ISN comes back plus 1. The "
            "server's program gets the connection only after the third segment.",
            ko="SYN은 순서 번호를 하나 차지하므로 양쪽의 ISN이 1 커진 값으로 되돌아옵니다. 서버 "
            "프로그램은 세 번째 세그먼트가 온 다음에야 연결을 받습니다.",
        ),
        steps=(
            *_server(Listen()),
            *_client(Connect()),
            *_server(Accept()),
            *_client(Send(data)),
            *_server(Read()),
            *_client(Close()),
            At(host="server", call=Read(), result="0"),
            *_server(Close()),
            Expect(predicate=_all(_in("client", State.TIME_WAIT), _in("server", State.CLOSED))),
            Expect(
                predicate=_all(
                    _number("server.received.octets", "==", "client.wrote.octets"),
                    _number("server.read.octets", "==", "client.wrote.octets"),
                    _number("server.read.octets", ">", 0),
                )
            ),
        ),
        group="opening",
        hosts=tuple(
            HostSettings(name=name, quickack=True, rto_min_ms=_UNHURRIED_MS)
            for name in ("client", "server")
        ),
    )


def _all(*parts: Comparison) -> Predicate:
    """Every part holds."""
    written = (f"{_written(part.left)} {part.operator} {_written(part.right)}" for part in parts)
    return Predicate(" and ".join(written), All(parts))


def _written(single: Sum) -> str:
    ((_sign, term),) = single.terms
    return term.written


def _in(host: str, state: State) -> Comparison:
    """That host's end of the connection is in `state`."""
    literal = Literal(state, Kind.STATE, state.value)
    return Comparison(_name(f"{host}.state", Kind.STATE), "==", Sum(((1, literal),)))


def _number(name: str, operator: str, beside: str | int) -> Comparison:
    """A number of a host's, beside another one's or an own one."""
    right = (
        _name(beside, Kind.NUMBER)
        if isinstance(beside, str)
        else Sum(((1, Literal(beside, Kind.NUMBER, str(beside))),))
    )
    return Comparison(_name(name, Kind.NUMBER), operator, right)


def _name(written: str, kind: Kind) -> Sum:
    subject, *path = written.split(".")
    name = Name(subject=subject, path=tuple(path), conn=None, kind=kind, written=written)
    return Sum(((1, name),))


def teardown(how: How) -> Scenario:
    """The same opening and one line of data; then `how` it ends."""
    from tcplab.scenario import catalogue  # only who reads a file imports what reads it

    return catalogue.load(how.value)


def _client(*calls: Call) -> tuple[Step, ...]:
    return tuple(At(host="client", call=call) for call in calls)


def _server(*calls: Call) -> tuple[Step, ...]:
    return tuple(At(host="server", call=call) for call in calls)


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
                # CLOSE-WAIT: a host that closes at once may have done so before anybody looked.
                states=frozenset({State.ESTABLISHED, State.CLOSE_WAIT, State.CLOSED}),
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
