"""One side of a comparison, and where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass

from tcplab.scenario.predicate.expression import Kind, Literal, Name, Sum
from tcplab.scenario.predicate.mistakes import PredicateError
from tcplab.scenario.predicate.vocabulary import Meaning, Origin, meaning
from tcplab.text import Text


@dataclass(frozen=True, slots=True)
class Operand:
    """A sum, or a single term of any kind, as it is `written` from `column` on."""

    sum: Sum
    written: str
    column: int

    @property
    def term(self) -> Name | Literal | None:
        """The single term; None if something is added up."""
        (sign, term), *more = self.sum.terms
        return None if more or sign < 0 else term

    @property
    def meaning(self) -> Meaning:
        """What it stands for; of a literal no more than its kind is known."""
        term = self.term
        return Meaning(Kind.NUMBER) if term is None else _meaning(term)

    @property
    def kind(self) -> Kind:
        """What its value is."""
        return self.meaning.kind

    def names(self, origin: Origin) -> Iterator[tuple[int, Name]]:
        """The names of sequence numbers counted from there, each with its sign."""
        for sign, term in self.sum.terms:
            if isinstance(term, Name) and _meaning(term).origin is origin:
                yield sign, term

    def mistake(self, what: Text, remedy: Text) -> PredicateError:
        """It is wrong."""
        return PredicateError(what, remedy=remedy, column=self.column, word=self.written)


def _meaning(term: Name | Literal) -> Meaning:
    known = meaning(term.subject, term.path) if isinstance(term, Name) else None
    return known or Meaning(term.kind)
