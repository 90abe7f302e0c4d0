"""A scan for machines: `tcplab.scan/1` (docs/scanning.md has what each key means)."""

from typing import TYPE_CHECKING, Any

from tcplab import __version__
from tcplab.analysis.scanning.census import PortState
from tcplab.analysis.scanning.groups import Group, groups
from tcplab.analysis.scanning.report import ScanReport, ServerSaw
from tcplab.render.scan_words import reason
from tcplab.scenario.ports import joined, spelled
from tcplab.text import Say

if TYPE_CHECKING:
    from tcplab.timeline.encoding import Json


def document(
    report: ScanReport, *, say: Say, every_reason: bool = False, command: tuple[str, ...] = ()
) -> "Json":
    """One object. `every_reason` gives the reason of every port, not only of the open ones;
    `command` is the command line that was given.

    Reasons, states and causes are ids, the same in every language; `doubt` and `caveat` are
    sentences.
    """
    told = groups(report.census)
    explained = [each for each in told if every_reason or each.state is PortState.OPEN]
    open_ports = [port for each in told if each.state is PortState.OPEN for port in each]
    census = report.census
    ports: dict[str, Any] = {"open": [*sorted(open_ports)]}
    for state in (PortState.CLOSED, PortState.FILTERED, PortState.REJECTED):
        ranges = [part for each in told if each.state is state for part in each.ranges]
        ports[state.value] = spelled(joined(ranges))
    if report.partial:  # nobody knows that they are filtered
        ports["filtered"], ports["unanswered"] = "", ports["filtered"]
    detailed = sorted(port for each in explained for port in each)
    return {
        "schema": "tcplab.scan/1",
        "tcplab": __version__,
        "command": list(command),
        "target": report.target,
        "address": report.address,
        "source": report.source,
        "interface": report.interface,
        "testbed": report.testbed,
        "method": report.method.value,
        "rate": _rate(report.rate_pps),
        "authorized": report.authorized,
        "asked": spelled(census.asked),
        "ports": ports,
        "reasons": _reasons(explained),
        "reasons_complete": every_reason,
        "ttl": {str(port): census.ttls[port] for port in detailed if census.ttls[port]},
        "rtt_ns": {str(port): census.rtts_ns[port] for port in detailed if port in census.rtts_ns},
        "rejections": _rejections(told),
        "sent": report.sent,
        "received": report.received,
        "duplicates": census.duplicates,
        "forged": census.forged,
        "drops": report.drops,
        "send_errors": report.send_errors,
        "rounds": report.rounds_begun,
        "each_round": [
            {
                "number": each.number,
                "probes": each.probes,
                "controls": each.controls,
                "answers": each.answers,
                "began_ns": each.began_ns,
                "ended_ns": each.ended_ns,
                "rto_ns": each.rto_ns,
            }
            for each in report.rounds
        ],
        "pace": [
            {
                "at_ms": change.at_ns // 1_000_000,
                "pps": _rate(change.pps),
                "cause": change.cause.value,
            }
            for change in report.pace
        ],
        "seconds": round(report.seconds, 6),
        "partial": report.partial,
        "doubt": None if report.doubt is None else say(report.doubt),
        "caveat": None if report.caveat is None else say(report.caveat),
        "silence": None if report.silence is None else report.silence.value,
        "server_saw": None if report.server_saw is None else _server_saw(report.server_saw),
    }


def _rate(pps: int | None) -> int | str:
    return "max" if pps is None else pps


def _reasons(explained: list[Group]) -> "Json":
    """The reason of each port, in the order of the ports."""
    words = {id(group): str(reason(group.proof, group.rejection)) for group in explained}
    of = {port: words[id(group)] for group in explained for port in group}
    return {str(port): of[port] for port in sorted(of)}


def _rejections(told: tuple[Group, ...]) -> "list[Json]":
    """Each kind of ICMP error: what it is, who sent it, and which ports it was about."""
    return [
        {
            "version": group.rejection.version,
            "type": group.rejection.type,
            "code": group.rejection.code,
            "from": group.rejection.reporter,
            "ports": spelled(group.ranges),
        }
        for group in told
        if group.rejection is not None
    ]


def _server_saw(saw: ServerSaw) -> "Json":
    return {
        "connections_accepted": len(saw.accepted),
        "accepted": [
            {"ip": address, "port": port, "server_port": server_port}
            for address, port, server_port in saw.accepted
        ],
        "syn_received_peak": saw.syn_received_peak,
        "counters": dict(saw.counters),
    }
