"""The expression language of wire rules, expectations and display filters.

    seg.from == server and seg.fin
    client.state == TIME-WAIT or server.retransmitted.fin >= 1

It is parsed, never evaluated as Python. The parser is imported only when something is parsed.
"""

from collections.abc import Collection

from tcplab.scenario.predicate.expression import (
    All,
    Comparison,
    Evidence,
    Kind,
    Literal,
    Name,
    Predicate,
    Sum,
    Value,
    total,
)
from tcplab.scenario.predicate.mistakes import PredicateError

__all__ = [
    "All",
    "Comparison",
    "Evidence",
    "Kind",
    "Literal",
    "Name",
    "Predicate",
    "PredicateError",
    "Sum",
    "Value",
    "parse",
    "parse_sum",
    "total",
]


def parse(text: str, *, hosts: Collection[str], conns: Collection[str], segment: bool) -> Predicate:
    """The predicate that the text says, of these hosts and connections; `segment` if there is one
    that it can ask (`seg.fin`). Raises PredicateError.
    """
    from tcplab.scenario.predicate import grammar

    return grammar.parse(text, hosts=hosts, conns=conns, segment=segment)


def parse_sum(text: str, *, hosts: Collection[str], conns: Collection[str]) -> Sum:
    """A sequence number for a crafted segment: `server.rcv_nxt + 1000`. Only numbers and absolute
    sequence numbers are in it. Raises PredicateError.
    """
    from tcplab.scenario.predicate import grammar

    return grammar.parse_sum(text, hosts=hosts, conns=conns)
