"""A literal word, spelled as the name spells its values that the word is compared with."""

from collections.abc import Collection

from tcplab.scenario.predicate.expression import Kind, Literal, Sum
from tcplab.scenario.predicate.mistakes import did_you_mean, meant, shown
from tcplab.scenario.predicate.naming import address
from tcplab.scenario.predicate.operand import Operand
from tcplab.scenario.predicate.scope import Scope
from tcplab.scenario.predicate.vocabulary import TIMERS, Words, errnos, letters
from tcplab.text import Text


def fitted(side: Operand, against: Operand, scope: Scope) -> Sum:
    """What to compare with `against`. Raises PredicateError for a word that is never its value."""
    words = against.meaning.words
    match side.term:
        case Literal(value=str(word), kind=Kind.WORD, written=written) if words is not None:
            fit = _fit(word, words, side, against.written, scope)
            return Sum(((1, Literal(fit, Kind.WORD, written)),))
        case _:
            return side.sum


def without_quotes(side: Operand) -> Operand:
    """A call's result in quotes may be a number: "0"."""
    match side.term:
        case Literal(value=str(digits), written=written) if digits.isdecimal():
            number = Literal(int(digits), Kind.NUMBER, written)
            return Operand(Sum(((1, number),)), side.written, side.column)
        case _:
            return side


def flags(word: str, side: Operand, name: str) -> str:
    """Flags in the order FSRPAUEC. Raises PredicateError for letters that are none."""
    ordered = letters(word)
    if ordered is not None:
        return ordered
    upper = letters(word.upper())
    otherwise = Text("Flags are letters out of FSRPAUEC, as in SA or FPA.")
    raise side.mistake(_never(name, word), meant(upper) if upper else otherwise)


def _fit(word: str, words: Words, side: Operand, name: str, scope: Scope) -> str:
    match words:
        case Words.FLAGS:
            return flags(word, side, name)
        case Words.ADDRESS:
            return address(word, side.column)
        case Words.TIMER:
            return _one_of(TIMERS, word, side, name, examples=TIMERS)
        case Words.CONN:
            return _one_of(scope.conns, word, side, name, examples=scope.conns)
        case Words.RESULT:
            examples = ("0", "EAGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT")
            return _one_of(errnos(), word, side, name, examples=examples)


def _one_of(
    among: Collection[str], word: str, side: Operand, name: str, *, examples: Collection[str]
) -> str:
    if word in among:
        return word
    otherwise = Text("It can be {names}.", names=", ".join(examples))
    raise side.mistake(_never(name, word), did_you_mean(word, among, otherwise=otherwise))


def _never(name: str, word: str) -> Text:
    return Text("{name} is never {word}.", name=shown(name), word=shown(word) or '""')
