"""Predicates and sums in a scenario file, which may name its hosts and connections."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tcplab.scenario.fields import Fields
from tcplab.scenario.predicate import Predicate, PredicateError, Sum, parse, parse_sum
from tcplab.text import Text

Parsed = TypeVar("Parsed")

_LONGEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names that a predicate of the scenario may use."""

    hosts: tuple[str, ...]
    conns: tuple[str, ...]

    def predicate(self, step: Fields, key: str, *, segment: bool = False) -> Predicate:
        """The predicate at `key`; `segment` says that it is asked of a segment."""
        return _parsed(
            step,
            key,
            step.text(key),
            lambda text: parse(text, hosts=self.hosts, conns=self.conns, segment=segment),
        )

    def sum(self, step: Fields, key: str) -> Sum:
        """A sequence number in symbols, or a plain one."""
        plain = type(step.raw(key)) is int
        text = str(step.whole(key, least=0, most=2**32 - 1)) if plain else step.text(key)
        return _parsed(
            step, key, text, lambda text: parse_sum(text, hosts=self.hosts, conns=self.conns)
        )


def _parsed(step: Fields, key: str, text: str, parser: Callable[[str], Parsed]) -> Parsed:
    if len(text) > _LONGEST:
        raise step.mistake(
            Text("{key} is longer than an expression may be.", key=key),
            remedy=Text("Keep it within {most} characters.", most=_LONGEST),
            key=key,
        )
    try:
        return parser(text)
    except PredicateError as wrong:
        raise step.mistake(wrong.what, remedy=wrong.remedy, key=key) from wrong
