"""Predicates as values: what an expression says, and whether it holds for some evidence.

What a name stands for is not known here. `Evidence` answers for it, live (a run under way) or from
a timeline; a value of None is unknown, and no comparison with it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, unique
from typing import Protocol

from tcplab.tcp.states import State

Value = int | bool | str | State | None


@unique
class Kind(Enum):
    """What a name or a literal is, so that a mistake is found before the run."""

    NUMBER = "number"
    TRUTH = "truth"
    STATE = "state"
    HOST = "host"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name with a value. `subject` is "seg" or a host; `path` is what is asked of it, in tcplab's
    own spelling: ("state",), ("counter", "TCPTimeouts"), ("retransmitted", "fin"). `conn` is None
    where the connection of the step, or of the segment, is meant. `written` is how it was spelled.
    """

    subject: str
    path: tuple[str, ...]
    conn: str | None
    kind: Kind
    written: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a state, a host, a flag's or an errno's word, a text in quotes."""

    value: int | bool | str | State
    kind: Kind
    written: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms added up, each with its sign: `server.rcv_nxt + 1000`. One term with sign 1 is that
    term itself, of whatever kind.
    """

    terms: tuple[tuple[int, Name | Literal], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is one of == != < <= > >= contains."""

    left: Sum
    operator: str
    right: Sum


@dataclass(frozen=True, slots=True)
class Truth:
    """A name that is true or false by itself: `seg.fin`. A number is true if it is not 0."""

    term: Name | Literal


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inner: "Expression"


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple["Expression", ...]


Expression = Comparison | Truth | Not | All | Some


class Evidence(Protocol):
    """Who knows the values of names."""

    def value(self, name: Name) -> Value:
        """The value now; None if it is not known."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """An expression, and the `text` that it was parsed from."""

    text: str
    expression: Expression

    def holds(self, evidence: Evidence) -> bool:
        """Is it true, as far as is known?"""
        return _holds(self.expression, evidence)

    def names(self) -> tuple[Name, ...]:
        """The names in it, in order, each once."""
        return tuple(dict.fromkeys(_names(self.expression)))


def total(of: Sum, evidence: Evidence) -> Value:
    """The value of a sum; None if a term's is not known."""
    values = [(sign, _value(term, evidence)) for sign, term in of.terms]
    if len(values) == 1 and values[0][0] == 1:
        return values[0][1]
    added = 0
    for sign, value in values:
        if not isinstance(value, int):
            return None
        added += sign * value
    return added


def _value(term: Name | Literal, evidence: Evidence) -> Value:
    return term.value if isinstance(term, Literal) else evidence.value(term)


def _holds(expression: Expression, evidence: Evidence) -> bool:
    match expression:
        case Comparison(left, operator, right):
            return _compare(total(left, evidence), operator, total(right, evidence))
        case Truth(term):
            return bool(_value(term, evidence))
        case Not(inner):
            return not _holds(inner, evidence)
        case All(parts):
            return all(_holds(part, evidence) for part in parts)
        case Some(parts):
            return any(_holds(part, evidence) for part in parts)


def _compare(left: Value, operator: str, right: Value) -> bool:
    if left is None or right is None:
        return False
    left, right = _result(left, right), _result(right, left)
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    if isinstance(left, int) and isinstance(right, int):
        return _ordered(left, operator, right)
    return operator == "contains" and str(right) in str(left)


def _result(value: Value, beside: Value) -> Value:
    """A call's result is a word even where it is a number: "5", beside a number, is 5."""
    if isinstance(value, str) and isinstance(beside, int) and value.isdecimal():
        return int(value)
    return value


def _ordered(left: int, operator: str, right: int) -> bool:
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }.get(operator, False)


def _names(expression: Expression) -> Iterator[Name]:
    match expression:
        case Comparison(left, _operator, right):
            for _sign, term in (*left.terms, *right.terms):
                if isinstance(term, Name):
                    yield term
        case Truth(term):
            if isinstance(term, Name):
                yield term
        case Not(inner):
            yield from _names(inner)
        case All(parts) | Some(parts):
            for part in parts:
                yield from _names(part)
