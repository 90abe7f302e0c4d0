"""The connections of a scenario file: those that its steps open, and their ports."""

import re

from tcplab.scenario.fields import Fields
from tcplab.scenario.mistake import MistakeError, instead_of, quoted
from tcplab.scenario.steps import Connection
from tcplab.text import Text

DEFAULT = "a"
LARGEST_PORT = 65535
_SERVER_PORT = 80

_OPENS = ("connect", "listen", "craft")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}")


def conns(document: Fields, steps: tuple[Fields, ...]) -> tuple[Connection, ...]:
    """The connections in the order in which the steps first open them."""
    opened = dict.fromkeys(_name(step) for step in steps if step.raw("do") in _OPENS)
    names = tuple(opened) or (DEFAULT,)
    tables = document.table("conn")
    for name in tables.names():
        if name not in names:
            raise tables.mistake(
                Text("No step opens a connection {conn}.", conn=quoted(name)),
                remedy=instead_of(name, names),
                key=name,
            )
    listens = _listening_ports(steps)
    found = {name: _conn(tables, name, names, listens) for name in names}
    _refuse_circles(tables, found)
    return tuple(found.values())


def conn_of(step: Fields, names: tuple[str, ...]) -> str:
    """The connection of a step."""
    name = step.text("conn", DEFAULT)
    if name in names:
        return name
    raise step.mistake(
        Text("No step opens a connection {conn}.", conn=quoted(name)),
        remedy=instead_of(name, names),
        key="conn",
    )


def _name(step: Fields) -> str:
    name = step.text("conn", DEFAULT)
    if not _NAME.fullmatch(name):
        raise step.mistake(
            Text("{conn} cannot be the name of a connection.", conn=quoted(name)),
            remedy=Text("Give a short one of letters and digits, such as b or c1."),
            key="conn",
        )
    return name


def _listening_ports(steps: tuple[Fields, ...]) -> dict[str, tuple[Fields, int]]:
    """The port that a server's `listen` gives, by connection, and that step."""
    ports: dict[str, tuple[Fields, int]] = {}
    for step in steps:
        if step.raw("do") != "listen" or "port" not in step:
            continue
        port = step.whole("port", least=1, most=LARGEST_PORT)
        if step.raw("at") != "server":
            raise step.mistake(
                Text("Only the server listens on a port of its own choice."),
                remedy=Text("Omit port: the client listens on the port that the connection has."),
                key="port",
            )
        _first, earlier = ports.setdefault(_name(step), (step, port))
        if earlier != port:
            raise _two_ports(step, _name(step), earlier, port)
    return ports


def _conn(
    tables: Fields, name: str, names: tuple[str, ...], listens: dict[str, tuple[Fields, int]]
) -> Connection:
    table = _table(tables, name)
    server_port = _server_port(tables, name, listens)
    client_port: int | str | None
    if isinstance(table.raw("client_port"), str):
        client_port = table.word("client_port", tuple(each for each in names if each != name))
        server_port = server_port or _server_port(tables, client_port, listens)
    else:
        client_port = table.maybe_whole("client_port", least=1, most=LARGEST_PORT)
    return Connection(name=name, server_port=server_port or _SERVER_PORT, client_port=client_port)


def _table(tables: Fields, name: str) -> Fields:
    return tables.table(name, known=("server_port", "client_port"))


def _server_port(tables: Fields, name: str, listens: dict[str, tuple[Fields, int]]) -> int | None:
    """The port that its table or its `listen` gives it."""
    port = _table(tables, name).maybe_whole("server_port", least=1, most=LARGEST_PORT)
    if name not in listens:
        return port
    step, listening = listens[name]
    if port not in (None, listening):
        raise _two_ports(step, name, port or 0, listening)
    return listening


def _two_ports(step: Fields, name: str, one: int, other: int) -> MistakeError:
    return step.mistake(
        Text(
            "Connection {conn} cannot have the server ports {one} and {other}.",
            conn=quoted(name),
            one=one,
            other=other,
        ),
        remedy=Text("Omit one of them, or name another connection with conn."),
        key="port",
    )


def _refuse_circles(tables: Fields, found: dict[str, Connection]) -> None:
    """A client port that is another connection's must come to a port in the end."""
    for name in found:
        passed = {name}
        port = found[name].client_port
        while isinstance(port, str) and port not in passed:
            passed.add(port)
            port = found[port].client_port
        if isinstance(port, str):
            raise tables.table(name).mistake(
                Text("The client port of {conn} is its own in the end.", conn=quoted(name)),
                remedy=Text("Give one of these connections a port by number, or none."),
                key="client_port",
            )
