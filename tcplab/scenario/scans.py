"""The two ways to ask one port whether it is open, as scenarios for the stepped wire.

Their point is what a scan of real speed has no time to look at: what the server's kernel and its
application go through. Nothing is left out for it: the SYN of a SYN scan is crafted, and whatever
answers the server's SYN, ACK is the client's real kernel, which knows of no connection, as in the
real scan. (There the source port is bound besides, so that no other program gets it. A bound socket
that neither connects nor listens takes no segment, so the kernel's answer is the same.)
"""

from tcplab.scenario.calls import Abort, Accept, Call, Close, Connect, Listen, Read
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.predicate import Kind, Literal, Sum
from tcplab.scenario.services import Services
from tcplab.scenario.steps import At, Connection, On, Quiet, Scenario, Step
from tcplab.scenario.wire import Craft, Firewall, Refusal
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize
from tcplab.text import Text

ROUNDS = ("round-1", "round-2")
"""The connections, each from a source port of its own: where nothing answers, a port is asked
twice, so that one lost segment does not make it a filtered one.
"""
_FIRST, _SECOND = ROUNDS
_SILENCE_S = 0.05
"""So long nothing must come before a round is over: two namespaces answer within 1 ms."""
_ANSWER_S = 5.0
"""Within this connect() has to end where something answers; it takes as long as the answer."""
_UNHURRIED_MS = 10_000
_FIREWALL = "firewall"

# What the real scan's SYN says of itself (`tcplab.wire.burst.template`).
_ISN = 1_000_000_000
_WND_OCTETS = 1024
_MSS_OCTETS = {4: 1460, 6: 1440}


def syn(port: int, services: Services, *, version: int = 4) -> Scenario:
    """A crafted SYN, and what becomes of it. `version` is that of IP, 4 or 6."""
    steps: list[Step] = [*_server(_FIRST, port, services)]
    steps.append(_probe(_FIRST, version))
    if port in services.open:
        steps.append(At(host="server", call=Accept(), conn=_FIRST))
    elif port in services.filtered:
        steps += (_silence(), _probe(_SECOND, version), _silence())
    return Scenario(
        name="syn-scan",
        title=Text("SYN scan of port {port}", port=port),
        story=Text(
            "A SYN is crafted and sent to the port. The client's kernel knows nothing of it, and "
            "neither does any program there."
        ),
        notice=Text(
            "The first answer tells all that the scan wants to know. What comes after a SYN, ACK "
            "is between the two kernels."
        ),
        steps=tuple(steps),
        hosts=_HOSTS,
        conns=_conns(port, services),
    )


def connect(port: int, services: Services) -> Scenario:
    """A program opens a connection, and if that succeeds ends it at once."""
    steps: list[Step] = [*_server(_FIRST, port, services)]
    if port in services.filtered:
        for conn in ROUNDS:
            steps += (_client(conn, Connect()), _silence(), _client(conn, Abort()))
    else:
        steps.append(_client(_FIRST, Connect(within_s=_ANSWER_S)))
    if port in services.open:
        steps.append(At(host="server", call=Accept(), conn=_FIRST))
        steps.append(_client(_FIRST, Abort()))
        steps += (At(host="server", call=call, conn=_FIRST) for call in (Read(), Close()))
    return Scenario(
        name="connect-scan",
        title=Text("connect() scan of port {port}", port=port),
        story=Text(
            "A program calls connect(), as any program may. If it succeeds, SO_LINGER 0 and "
            "close() end the connection at once."
        ),
        notice=Text(
            "A handshake that is complete is a connection for the application at the other end, "
            "too. RST instead of FIN spares the client TIME-WAIT."
        ),
        steps=tuple(steps),
        hosts=_HOSTS,
        conns=_conns(port, services),
    )


# No ACK waits for 40 ms, and no timer fires while the machine pauses between two steps.
_HOSTS = tuple(
    HostSettings(name=name, quickack=True, rto_min_ms=_UNHURRIED_MS)
    for name in ("client", "server")
)


def _conns(port: int, services: Services) -> tuple[Connection, ...]:
    names = ROUNDS if port in services.filtered else (_FIRST,)
    return tuple(Connection(name=name, server_port=port) for name in names)


def _server(conn: str, port: int, services: Services) -> tuple[Step, ...]:
    """What is at that port: a program, a firewall, or nothing."""
    if port in services.open:
        return (At(host="server", call=Listen(), conn=conn),)
    for ports, refusal in (
        (services.filtered, Refusal.DROP),
        (services.rejected, Refusal.ICMP),
    ):
        if port in ports:
            return (On(Firewall(name=_FIREWALL, host="server", port=port, refusal=refusal)),)
    return ()


def _probe(conn: str, version: int) -> On:
    isn = Literal(_ISN, Kind.NUMBER, str(_ISN))
    return On(
        Craft(
            host="client",
            conn=conn,
            flags=Flags.SYN,
            seq=Sum(((1, isn),)),
            ack=None,
            wnd_octets=_WND_OCTETS,
            options=(MaximumSegmentSize(_MSS_OCTETS[version]),),
        )
    )


def _client(conn: str, call: Call) -> At:
    return At(host="client", call=call, conn=conn)


def _silence() -> Quiet:
    return Quiet(seconds=_SILENCE_S, within_s=_ANSWER_S)
