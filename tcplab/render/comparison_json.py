"""A comparison for machines: the one JSON object that `--compare --json` prints."""

from tcplab.analysis.finding import Finding
from tcplab.analysis.scanning.comparison import Comparison, Exchange
from tcplab.analysis.scanning.lessons import findings
from tcplab.analysis.scanning.report import Method
from tcplab.text import Say
from tcplab.timeline import encoding
from tcplab.timeline.encoding import Json
from tcplab.timeline.events import CallEvent, SegmentEvent
from tcplab.timeline.timeline import lane

SCHEMA = "tcplab.comparison/1"


def document(comparison: Comparison, say: Say) -> Json:
    """The whole of it (`tcplab.comparison/1`); `say` chooses the language of the sentences."""
    return {
        "schema": SCHEMA,
        **_where(comparison),
        "ports": {
            str(pair.port): {each.method.value: _exchange(each) for each in pair}
            for pair in comparison.pairs
        },
        "server_saw": {method.value: _saw(comparison.of(method)) for method in Method},
        "findings": [_finding(finding, say) for finding in findings(comparison)],
        "drops": comparison.drops,
        "partial": comparison.partial,
    }


def _where(comparison: Comparison) -> Json:
    """Who took part, and where it ran: in every run of the comparison the same."""
    if not comparison.pairs:
        return {}
    header = encoding.header(comparison.pairs[0].syn.timeline)
    hosts = {name: host["ip"] for name, host in header["hosts"].items()}
    kept = {key: header[key] for key in ("tcplab", "command", "testbed")}
    return kept | {"client": hosts["client"], "server": hosts["server"]}


def _exchange(exchange: Exchange) -> Json:
    return {
        "state": exchange.state.value,
        "proof": exchange.proof.name.lower(),
        "icmp": None
        if exchange.rejection is None
        else {
            "version": exchange.rejection.version,
            "type": exchange.rejection.type,
            "code": exchange.rejection.code,
            "reporter": exchange.rejection.reporter,
        },
        "segments": {"to_server": exchange.to_server, "to_client": exchange.to_client},
        "server_states": [state.value for state in exchange.server_states],
        "client_states": [state.value for state in exchange.client_states],
        "observed": exchange.observed,
        "application_log": [str(address) for address in exchange.log],
        "counters": dict(exchange.counters),
        "reset_by": None if exchange.reset_by is None else exchange.reset_by.value,
        "steps": [_step(each) for each in exchange.timeline.told()],
        "drops": exchange.timeline.drops,
    }


def _step(event: SegmentEvent | CallEvent) -> Json:
    """A call or a segment in a few words, and the states of both ends after it."""
    looks = {host: lane(event, host) for host in ("client", "server")}
    states = {host: None if look is None else look.after.value for host, look in looks.items()}
    if isinstance(event, CallEvent):
        return {"call": event.name, "host": event.host, "result": event.result} | states
    return {
        "segment": event.segment.flags.letters,
        "from": event.sender,
        "fate": event.fate.value,
    } | states


def _saw(exchanges: tuple[Exchange, ...]) -> Json:
    """What the server knows of one of the scans, port after port."""
    return {
        "connections_accepted": sum(len(each.log) for each in exchanges),
        "syn_received_peak": max((each.syn_received_peak for each in exchanges), default=0),
    }


def _finding(finding: Finding, say: Say) -> Json:
    return {
        "id": finding.id,
        "verdict": finding.verdict.value,
        "sentence": say(finding.sentence),
    }
