"""What may be compared with what: a state with a state, a number with a number.

Such a mistake would else go unnoticed, as a comparison that never holds.
"""

from tcplab.scenario.predicate.expression import (
    All,
    Comparison,
    Expression,
    Kind,
    Literal,
    Name,
    Sum,
    Truth,
)
from tcplab.scenario.predicate.fitting import fitted, flags, without_quotes
from tcplab.scenario.predicate.mistakes import PredicateError, meant, shown
from tcplab.scenario.predicate.operand import Operand
from tcplab.scenario.predicate.scope import Scope
from tcplab.scenario.predicate.vocabulary import STATES, Origin, Words
from tcplab.text import Text


def condition(operand: Operand) -> Expression:
    """True or false by itself, such as `seg.fin`. Raises PredicateError for what is not."""
    term = operand.term
    if term is not None and operand.kind in (Kind.NUMBER, Kind.TRUTH):
        return Truth(term)
    raise operand.mistake(
        Text("{written} is neither true nor false by itself.", written=shown(operand.written)),
        Text("Compare it with something, as in client.state == CLOSED."),
    )


def comparison(left: Operand, operator: str, right: Operand, scope: Scope) -> Expression:
    """Two operands compared. Raises PredicateError if they cannot be."""
    if operator == "contains":
        return _containing(left, right)
    if Words.RESULT in (left.meaning.words, right.meaning.words):
        left, right = without_quotes(left), without_quotes(right)
    if not (_agree(left, right) or _agree(right, left)):
        raise _disagreement(left, right, scope)
    if operator not in ("==", "!="):
        for side in (left, right):
            _need_number(side)
    _need_one_origin(left, right)
    return Comparison(fitted(left, right, scope), operator, fitted(right, left, scope))


def _agree(left: Operand, right: Operand) -> bool:
    one, other = left.meaning, right.meaning
    if one.kind is Kind.TRUTH and other.kind is Kind.NUMBER:
        return isinstance(right.term, Literal) and right.term.value in (0, 1)
    if one.words is Words.RESULT and other.kind is Kind.NUMBER:
        return True
    return one.kind is other.kind and (None in (one.words, other.words) or one.words is other.words)


def _disagreement(left: Operand, right: Operand, scope: Scope) -> PredicateError:
    known, wrong = (left, right) if isinstance(left.term, Name) else (right, left)
    what = Text(
        "{left} is {kind} and {right} is {other}: they cannot be compared.",
        left=shown(known.written),
        kind=_kind(known),
        right=shown(wrong.written),
        other=_kind(wrong),
    )
    match known.term, wrong.term:
        case Name(subject="seg", path=("ack",)), _ if wrong.kind is Kind.NUMBER:
            return wrong.mistake(what, Text("The acknowledgment number is seg.ackno."))
        case Name(kind=Kind.STATE), Literal(value=str(quoted)) if quoted in STATES:
            return wrong.mistake(what, meant(quoted))
        case Name(kind=Kind.HOST), Literal(value=str(quoted)) if quoted in scope.hosts:
            return wrong.mistake(what, meant(quoted))
        case _:
            return wrong.mistake(what, _comparable(known))


def _need_number(side: Operand) -> None:
    if side.kind is Kind.NUMBER or side.meaning.words is Words.RESULT:
        return
    raise side.mistake(
        Text("{written} is {kind}.", written=shown(side.written), kind=_kind(side)),
        Text("Only numbers are less or greater; write == or !=."),
    )


def _need_one_origin(left: Operand, right: Operand) -> None:
    """Sequence numbers counted from the ISN are not compared with absolute ones."""
    for relative, other in ((left, right), (right, left)):
        for _sign, name in relative.names(Origin.RELATIVE):
            if _absolutes(left) != _absolutes(right):
                raise other.mistake(
                    Text(
                        "{name} counts from the ISN, unlike what it is compared with.",
                        name=name.written,
                    ),
                    meant(name.written.removesuffix("no") + "_raw"),
                )


def _absolutes(side: Operand) -> int:
    """How many absolute numbers are in the sum: 0 for a difference of two."""
    return sum(sign for sign, _name in side.names(Origin.ABSOLUTE))


def _containing(left: Operand, right: Operand) -> Expression:
    """Flags contain all of these flags; other words contain these characters."""
    for side in (left, right):
        if side.kind is not Kind.WORD:
            raise side.mistake(
                Text("{written} is {kind}.", written=shown(side.written), kind=_kind(side)),
                Text("Only words contain words, as in seg.flags contains SA."),
            )
    if left.meaning.words is Words.FLAGS and isinstance(right.term, Literal):
        wanted = flags(str(right.term.value), right, left.written)
        each = (Sum(((1, Literal(flag, Kind.WORD, flag)),)) for flag in wanted)
        return All(tuple(Comparison(left.sum, "contains", flag) for flag in each))
    return Comparison(left.sum, "contains", right.sum)


def _kind(side: Operand) -> Text:
    match side.meaning.words, side.kind:
        case Words.FLAGS, _:
            return Text("a set of flags")
        case Words.CONN, _:
            return Text("a connection's name")
        case Words.ADDRESS, _:
            return Text("an address")
        case Words.TIMER, _:
            return Text("a timer")
        case Words.RESULT, _:
            return Text("a call's result")
        case None, Kind.NUMBER:
            return Text("a number")
        case None, Kind.TRUTH:
            return Text("true or false")
        case None, Kind.STATE:
            return Text("a state")
        case None, Kind.HOST:
            return Text("a host")
        case _:
            return Text("a word")


def _comparable(known: Operand) -> Text:
    match known.meaning.words, known.kind:
        case Words.FLAGS, _:
            return Text("Compare it with flags, such as SA.")
        case Words.CONN, _:
            return Text("Compare it with a connection's name.")
        case Words.ADDRESS, _:
            return Text("Compare it with an address, such as 192.0.2.1.")
        case Words.TIMER, _:
            return Text("Compare it with a timer, such as retransmit or off.")
        case Words.RESULT, _:
            return Text("Compare it with an errno such as ECONNRESET, or with a number.")
        case None, Kind.NUMBER:
            return Text("Compare it with a number.")
        case None, Kind.TRUTH:
            return Text("Compare it with true, false, 1 or 0.")
        case None, Kind.STATE:
            return Text("Compare it with a state, such as ESTABLISHED.")
        case None, Kind.HOST:
            return Text("Compare it with a host, such as client.")
        case _:
            return Text("Compare it with a word.")
