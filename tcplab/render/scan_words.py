"""What a scan's findings are called, and what they prove, in sentences."""

from collections.abc import Iterator
from typing import assert_never

from tcplab.analysis import icmp
from tcplab.analysis.scanning.census import PortState, Proof, Rejection
from tcplab.analysis.scanning.groups import Group
from tcplab.analysis.scanning.report import (
    Method,
    ScanReport,
    ServerSaw,
    Silence,
)
from tcplab.scenario.ports import spelled
from tcplab.text import Text, verbatim

_PORTS_SHOWN = 60  # characters of the list that was asked for
_GONE, _ESTABLISHED = "TcpAttemptFails", "TcpPassiveOpens"
"""Counters (RFC 4022) of what failed in SYN-RECEIVED, and of what came from LISTEN to ESTABLISHED:
Linux counts that when the handshake is complete (tcp_create_openreq_child()).
"""

STATES = {
    PortState.OPEN: Text("open"),
    PortState.CLOSED: Text("closed"),
    PortState.FILTERED: Text("filtered"),
    PortState.REJECTED: Text("rejected"),
}


def state_of(group: Group, *, partial: bool) -> Text:
    """The state of its ports; of a `partial` scan silence is none yet."""
    if partial and group.state is PortState.FILTERED:
        return Text("not answered yet")
    return STATES[group.state]


def reason(proof: Proof, rejection: Rejection | None = None) -> Text:
    """The answer that proves a state, in a word or two."""
    match proof:
        case Proof.NOTHING:
            return Text("no answer")
        case Proof.SYN_ACK:
            return verbatim("SYN, ACK")
        case Proof.RST:
            return verbatim("RST, ACK")
        case Proof.CONNECTED:
            return Text("connect() succeeded")
        case Proof.REFUSED:
            return verbatim("ECONNREFUSED")
        case Proof.ICMP:
            if rejection is None:
                return verbatim("ICMP")
            return Text("ICMP type {type}, code {code}", type=rejection.type, code=rejection.code)
        case _:
            assert_never(proof)


def full_reason(group: Group) -> Text:
    """The same; of an ICMP error what it says in words as well, and who sent it."""
    if group.rejection is None:
        return reason(group.proof)
    return Text(
        "ICMP: {words}, from {reporter}",
        words=icmp.words(group.rejection),
        reporter=group.rejection.reporter,
    )


def what_it_proves(group: Group, method: Method, *, partial: bool) -> Text:
    """Why that answer means that state; of a `partial` scan silence means nothing."""
    match group.proof:
        case Proof.NOTHING if partial:
            return Text("They were not asked, or not often enough to tell.")
        case Proof.SYN_ACK:
            return Text("A listener answers a SYN with SYN, ACK, and acknowledges its ISN + 1.")
        case Proof.RST:
            return Text(
                "Where nobody listens, TCP answers a SYN with RST, ACK "
                "(RFC 9293, section 3.10.7.1)."
            )
        case Proof.CONNECTED:
            return Text("The three-way handshake was completed, so somebody listens there.")
        case Proof.REFUSED:
            return Text("An RST came back, so nobody listens there; connect() says ECONNREFUSED.")
        case Proof.ICMP:
            return Text(
                "The error quotes the probe: a firewall or a router refused it, and says so."
            )
        case Proof.NOTHING if method is Method.SYN:
            return Text(
                "A host that gets a SYN answers it. Something discards the probe or the answer."
            )
        case Proof.NOTHING:
            return Text("connect() ended by its deadline: something discards SYNs or the answers.")
        case _:
            assert_never(group.proof)


def sum_of(group: Group, *, partial: bool) -> Text:
    """How many ports are so, and why."""
    count, why = f"{len(group):,}", full_reason(group)
    match group.state:
        case PortState.OPEN:
            return Text("{count} open ({reason})", count=count, reason=why)
        case PortState.CLOSED:
            return Text("{count} closed ({reason})", count=count, reason=why)
        case PortState.FILTERED if partial:
            return Text("{count} without an answer so far", count=count)
        case PortState.FILTERED:
            return Text("{count} filtered ({reason})", count=count, reason=why)
        case PortState.REJECTED:
            return Text("{count} rejected ({reason})", count=count, reason=why)
        case _:
            assert_never(group.state)


def title(report: ScanReport) -> Text:
    """What was scanned, and how."""
    syn = report.method is Method.SYN
    if report.testbed:
        where: Text = Text("the testbed's server, {address}", address=report.address)
    elif report.target == report.address:
        where = verbatim(report.address)
    else:
        where = Text("{name} ({address})", name=report.target, address=report.address)
    return (
        Text("SYN scan of {host}", host=where)
        if syn
        else Text("Connect scan of {host}", host=where)
    )


def circumstances(report: ScanReport) -> Iterator[Text]:
    """Which ports, from where, how fast, and who allowed it."""
    asked = spelled(report.census.asked)
    if len(asked) > _PORTS_SHOWN:
        asked = f"{asked[:_PORTS_SHOWN].rpartition(',')[0]},…"
    yield Text("Ports: {ports} ({count})", ports=asked, count=f"{report.census.ports():,}")
    yield Text("From {source} by {interface}", source=report.source, interface=report.interface)
    if report.rate_pps is None:
        yield Text("As fast as the path answers")
    else:
        yield Text("At most {pps} packets a second", pps=f"{report.rate_pps:,}")
    if report.authorized is not None:
        yield Text("Authorized by: {who}", who=report.authorized)


def silent(report: ScanReport, silence: Silence) -> Text:
    """Nothing at all came back: what that means."""
    match silence:
        case Silence.DOWN:
            return Text(
                "{host} seems down: on its own link nobody answers for that address "
                "(ARP, neighbour discovery).",
                host=report.address,
            )
        case Silence.FILTERED if report.address == report.source:
            return Text(
                "{host} is this machine itself, so it is up, and everything is filtered.",
                host=report.address,
            )
        case Silence.FILTERED:
            return Text(
                "{host} is up, and everything is filtered: on its own link it answers for its "
                "address (ARP, neighbour discovery), but nothing answers a probe.",
                host=report.address,
            )
        case Silence.DOWN_OR_FILTERED:
            return Text(
                "{host} seems down or filtered: nothing at all came back. Which of the two it is "
                "cannot be told from here.",
                host=report.address,
            )
        case Silence.UNREACHABLE:
            return Text(
                "{host} cannot be reached: a router says so, or the router itself does not answer.",
                host=report.address,
            )
        case _:
            assert_never(silence)


def server_saw(saw: ServerSaw) -> Iterator[Text]:
    """What the testbed's server knows of the scan."""
    if saw.accepted:
        yield Text(
            "The server's application log: {count} connections, from {addresses}.",
            count=f"{len(saw.accepted):,}",
            addresses=", ".join(sorted({address for address, _port, _service in saw.accepted})),
        )
    else:
        yield Text("The server's application log: nothing.")
    if saw.counters:  # one that did not change is not among them
        gone, established = (saw.counters.get(name, 0) for name in (_GONE, _ESTABLISHED))
        yield Text(
            "Its kernel: SYN-RECEIVED and gone again: {gone}. ESTABLISHED: {established}.",
            gone=f"{gone:,}",
            established=f"{established:,}",
        )
    if saw.syn_received_peak is not None:
        yield Text("In SYN-RECEIVED at once, at most: {count}.", count=saw.syn_received_peak)


def lesson(report: ScanReport, *, anything_open: bool) -> Text | None:
    """Why the application saw what it saw; None where the run does not show it."""
    saw = report.server_saw
    if saw is None or not anything_open:
        return None
    match report.method:
        case Method.SYN if not saw.accepted:
            return Text(
                "A SYN scan sends no third segment: the connection dies in SYN-RECEIVED, by the "
                "RST of the scanner's own kernel, which knows nothing of it. accept() returns only "
                "what became ESTABLISHED, so the application saw nothing."
            )
        case Method.CONNECT if saw.accepted:
            return Text(
                "connect() completes the three-way handshake. The connection is ESTABLISHED, "
                "accept() returns it, and the application's log has the scanner's address."
            )
        case _:
            return None


def played_anew() -> Text:
    """What stands above the ladder of the testbed: it is not the exchange of the scan itself."""
    return Text(
        "This exchange was played anew on the stepped wire, which forwards one segment at a time: "
        "its times are not those of the scan."
    )
