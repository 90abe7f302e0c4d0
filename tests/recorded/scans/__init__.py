"""Both scans of four ports: open (22), closed (81), filtered (135) and rejected (23)."""

from pathlib import Path

from tcplab.analysis.scanning.comparison import Comparison, Exchange, Pair, exchange
from tcplab.analysis.scanning.report import Method
from tcplab.timeline import jsonl
from tcplab.timeline.timeline import Timeline

PORTS = (22, 81, 135, 23)


def timeline(port: int, method: Method) -> Timeline:
    with (Path(__file__).parent / f"{port}-{method.value}.jsonl").open("rb") as file:
        return jsonl.read(file)


def of(port: int, method: Method) -> Exchange:
    return exchange(timeline(port, method), port, method)


def comparison(*ports: int) -> Comparison:
    return Comparison(
        pairs=tuple(
            Pair(port=port, syn=of(port, Method.SYN), connect=of(port, Method.CONNECT))
            for port in ports or PORTS
        )
    )
