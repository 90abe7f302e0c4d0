"""What the exchange for one port shows, with the segments that prove it.

`tcplab.analysis.explain` tells what became of a connection, and a connection that never was is a
failure there. Here it is what the scan wanted.
"""

from collections.abc import Iterator
from typing import assert_never

from tcplab.analysis import icmp
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.scanning.census import PortState
from tcplab.analysis.scanning.comparison import Exchange, Resetter
from tcplab.analysis.scanning.lessons import course
from tcplab.analysis.scanning.report import Method
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, IcmpEvent, SegmentEvent


def findings(exchange: Exchange) -> tuple[Finding, ...]:
    """What it says of the port, whose the segments are, and what the server made of it."""
    return (_found(exchange), *_ended(exchange), *_server(exchange))


def _found(exchange: Exchange) -> Finding:
    port = exchange.port
    match exchange.state:
        case PortState.OPEN:
            said = Text(
                "Port {port} is open: a listener answered the SYN with SYN, ACK.", port=port
            )
        case PortState.CLOSED:
            said = Text(
                "Port {port} is closed: where nobody listens, TCP answers a SYN with RST, ACK "
                "(RFC 9293 §3.10.7.1).",
                port=port,
            )
        case PortState.FILTERED if exchange.timeline.interrupted:
            said = Text(
                "Port {port} has not answered yet: the scan was stopped before it was asked often "
                "enough.",
                port=port,
            )
            return _finding(
                "scan.found", said, _asked_and_answered(exchange), verdict=Verdict.INCONCLUSIVE
            )
        case PortState.FILTERED:
            said = Text(
                "Port {port} is filtered: nothing answered, and a host that gets a SYN answers it.",
                port=port,
            )
        case PortState.REJECTED if exchange.rejection is not None:
            said = Text(
                "Port {port} is rejected: {words}, says {reporter}.",
                port=port,
                words=icmp.words(exchange.rejection),
                reporter=exchange.rejection.reporter,
            )
        case PortState.REJECTED:
            said = Text("Port {port} is rejected.", port=port)
        case _:
            assert_never(exchange.state)
    return _finding("scan.found", said, _asked_and_answered(exchange))


def _asked_and_answered(exchange: Exchange) -> Iterator[int]:
    """The client's SYNs up to the first answer that tells the state, and that answer."""
    for event in exchange.timeline.events:
        match event:
            case IcmpEvent():
                yield event.i
                if exchange.state is PortState.REJECTED:
                    return
            case SegmentEvent(sender="server"):
                yield event.i
                if event.delivered_ns is not None and exchange.state is not PortState.REJECTED:
                    return
            case SegmentEvent() if event.segment.has(Flags.SYN):
                yield event.i


def _ended(exchange: Exchange) -> Iterator[Finding]:
    """Who made the SYN, and who ended what came of it."""
    resets = [
        each.i
        for each in exchange.timeline.segments()
        if each.sender == "client" and each.segment.has(Flags.RST)
    ]
    match exchange.method, exchange.reset_by:
        case Method.SYN, Resetter.KERNEL:
            said = Text(
                "The SYN was crafted, and the client's kernel has no socket for it. So to the "
                "SYN, ACK that kernel itself answers with RST, and no handshake is completed."
            )
        case Method.CONNECT, Resetter.APPLICATION if State.TIME_WAIT not in exchange.client_states:
            said = Text(
                "The program aborted its connection (SO_LINGER 0): RST instead of FIN, and no "
                "TIME-WAIT."
            )
        case _:
            return
    yield _finding("scan.reset", said, resets)


def _server(exchange: Exchange) -> Iterator[Finding]:
    """What its kernel went through, and what its application was given."""
    if len(exchange.server_states) < 2:
        return
    told = [each.i for each in exchange.timeline.segments() if each.delivered_ns is not None]
    if not exchange.observed:
        said = Text("The server's TCP (inferred): {states}.", states=course(exchange))
        yield _finding("scan.kernel", said, told)
        return
    said = Text("The server's kernel (observed): {states}.", states=course(exchange))
    yield _finding("scan.kernel", said, told)
    accepts = [
        event.i
        for event in exchange.timeline.events
        if isinstance(event, CallEvent) and event.name == "accept"
    ]
    if exchange.log:
        heard = Text(
            "The server's application log: a connection from {addresses}.",
            addresses=", ".join(map(str, exchange.log)),
        )
    else:
        heard = Text(
            "The server's application log: nothing. accept() returns only connections whose "
            "handshake is complete."
        )
    if accepts:
        yield _finding("scan.heard", heard, accepts)


def _finding(
    name: str,
    sentence: Text,
    events: Iterator[int] | list[int],
    *,
    verdict: Verdict = Verdict.YES,
) -> Finding:
    return Finding(id=name, verdict=verdict, sentence=sentence, events=tuple(events))
