"""What a comparison of the two scans teaches.

Every sentence is derived from what happened. Where a run does not show it, it is not said, and
where it shows the contrary, that is said.
"""

from collections.abc import Iterator
from dataclasses import replace

from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.scanning.census import PortState
from tcplab.analysis.scanning.comparison import Comparison, Exchange, Pair, Resetter
from tcplab.analysis.scanning.report import Method
from tcplab.tcp.states import State
from tcplab.text import Text

_TELLING = ("TcpAttemptFails", "TcpPassiveOpens", "TcpEstabResets")
"""Counters of the server that tell the two scans apart: what failed in SYN-RECEIVED, what came from
LISTEN to ESTABLISHED, what was reset from there (RFC 4022).
"""
_STATES = {
    PortState.OPEN: Text("open"),
    PortState.CLOSED: Text("closed"),
    PortState.FILTERED: Text("filtered"),
    PortState.REJECTED: Text("rejected"),
}
_RESETTERS = {
    Resetter.KERNEL: Text("the client's kernel, which has no socket for the answer"),
    Resetter.APPLICATION: Text("the client's program, which aborts its connection (SO_LINGER 0)"),
    None: Text("nobody"),
}


def findings(comparison: Comparison) -> tuple[Finding, ...]:
    """What both scans together show. Where a capture lost frames, nothing is certain."""
    found = [*_same(comparison)]
    opened = [pair for pair in comparison.pairs if pair.syn.state is PortState.OPEN]
    if opened:
        found += [_heard(opened), _kernel(opened[0])]
    found += _cost(comparison)
    if opened:
        found.append(_reset(opened))
    if not comparison.drops:
        return tuple(found)
    lost = Text("The capture lost {drops} frames: nothing is proved.", drops=comparison.drops)
    return (
        Finding(id="scan.drops", verdict=Verdict.INCONCLUSIVE, sentence=lost),
        *(replace(each, verdict=Verdict.INCONCLUSIVE) for each in found),
    )


def _same(comparison: Comparison) -> Iterator[Finding]:
    """Do they agree?"""
    differing = [pair for pair in comparison.pairs if pair.syn.state is not pair.connect.state]
    for pair in differing:
        yield _finding(
            "scan.same",
            Text(
                "Port {port}: the SYN scan finds it {syn}, the connect scan {connect}.",
                port=pair.port,
                syn=_STATES[pair.syn.state],
                connect=_STATES[pair.connect.state],
            ),
            holds=False,
        )
    if comparison.pairs and not differing:
        yield _finding("scan.same", Text("Both scans find the same, port by port."))


def _heard(opened: list[Pair]) -> Finding:
    """Whom did the applications hear of?"""
    by_syn = [entry for pair in opened for entry in pair.syn.log]
    by_connect = [entry for pair in opened for entry in pair.connect.log]
    established = any(State.ESTABLISHED in pair.syn.server_states for pair in opened)
    if by_connect and not by_syn and not established:
        return _finding(
            "scan.heard",
            Text(
                "The server's application never heard of the SYN scan: accept() returns only "
                "connections whose handshake is complete. Of the connect scan its log has "
                "{addresses}.",
                addresses=", ".join(map(str, by_connect)),
            ),
        )
    return _finding(
        "scan.heard",
        Text(
            "accept() gave the application {syn} connections of the SYN scan, and {connect} of the "
            "connect scan.",
            syn=len(by_syn),
            connect=len(by_connect),
        ),
        holds=False,
    )


def _kernel(pair: Pair) -> Finding:
    """What the server's kernel went through, on the first open port."""
    went = Text(
        "The server's kernel knows of both (port {port}): {syn} in the SYN scan, {connect} in the "
        "connect scan. CLOSED: no socket of the connection is left.",
        port=pair.port,
        syn=course(pair.syn),
        connect=course(pair.connect),
    )
    counted = [_counted(each) for each in pair]
    if all(counted):
        went = Text(
            "{what} It counts them as well: {syn} against {connect}.",
            what=went,
            syn=counted[0],
            connect=counted[1],
        )
    knows = all(State.SYN_RECEIVED in each.server_states for each in pair)
    return _finding("scan.kernel", went, holds=knows)


def course(exchange: Exchange) -> str:
    """The states that the server's kernel went through, in order."""
    return " → ".join(map(str, exchange.server_states))


def _counted(exchange: Exchange) -> str:
    grown = ((name, exchange.counters.get(name, 0)) for name in _TELLING)
    return ", ".join(f"{name} +{delta}" for name, delta in grown if delta)


def _cost(comparison: Comparison) -> Iterator[Finding]:
    """How many segments either scan puts on the wire, by what is found."""
    costs: dict[PortState, set[tuple[int, int]]] = {}
    for pair in comparison.pairs:
        cost = (pair.syn.segments, pair.connect.segments)
        costs.setdefault(pair.syn.state, set()).add(cost)
    opened = costs.pop(PortState.OPEN, set())
    others = {cost for found in costs.values() for cost in found}
    alike = all(syn == connect for syn, connect in others)
    if len(opened) > 1 or not alike:
        yield _finding(
            "scan.cost",
            Text(
                "In all the SYN scan took {syn} segments on the wire, the connect scan {connect}.",
                syn=sum(each.segments for each in comparison.of(Method.SYN)),
                connect=sum(each.segments for each in comparison.of(Method.CONNECT)),
            ),
        )
        return
    for syn, connect in opened:
        words = Text(
            "An open port takes {syn} segments with the SYN scan, {connect} with the connect scan.",
            syn=syn,
            connect=connect,
        )
        if others:
            words = Text("{what} Every other port takes as many with either.", what=words)
        yield _finding("scan.cost", words)
    if others and not opened:
        yield _finding(
            "scan.cost", Text("Each port takes as many segments with either scan: none is open.")
        )


def _reset(opened: list[Pair]) -> Finding:
    """Who ends what has begun."""
    by_syn = {pair.syn.reset_by for pair in opened}
    by_connect = {pair.connect.reset_by for pair in opened}
    return _finding(
        "scan.reset",
        Text(
            "The RST at the end comes, in the SYN scan, from {syn}; in the connect scan, from "
            "{connect}.",
            syn=_RESETTERS[min(by_syn, key=str)],
            connect=_RESETTERS[min(by_connect, key=str)],
        ),
        holds=(by_syn, by_connect) == ({Resetter.KERNEL}, {Resetter.APPLICATION}),
    )


def _finding(name: str, sentence: Text, *, holds: bool = True) -> Finding:
    verdict = Verdict.YES if holds else Verdict.NO
    return Finding(id=name, verdict=verdict, sentence=sentence)
