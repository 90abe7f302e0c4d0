"""The grammar of predicates, each rule a method: what binds loosest comes first.

    either     = both { ("or" | "||") both }
    both       = negation { ("and" | "&&") negation }
    negation   = ("not" | "!") negation | comparison
    comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "contains") sum ]
    sum        = [ "-" ] term { ("+" | "-") term }
    term       = "(" either ")" | name | literal

Parentheses may hold a condition or a sum: what it is shows only afterwards.
"""

from collections.abc import Collection

from tcplab.scenario.predicate import agreement
from tcplab.scenario.predicate.expression import (
    All,
    Expression,
    Kind,
    Literal,
    Name,
    Not,
    Predicate,
    Some,
    Sum,
)
from tcplab.scenario.predicate.mistakes import PredicateError, meant, shown
from tcplab.scenario.predicate.naming import term
from tcplab.scenario.predicate.operand import Operand
from tcplab.scenario.predicate.scope import Scope
from tcplab.scenario.predicate.tokens import Sort, Token, tokens
from tcplab.scenario.predicate.vocabulary import Origin
from tcplab.text import Text

DEEPEST = 50
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "contains")
_JOINTS = ("or", "||", "and", "&&")
_SPOKEN = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "is": "=="}
_SPOKEN |= {"AND": "and", "OR": "or"}


def parse(text: str, *, hosts: Collection[str], conns: Collection[str], segment: bool) -> Predicate:
    """The predicate that the text says; `segment` if there is one to ask (`seg.fin`).

    Raises PredicateError.
    """
    parser = _Parser(text, Scope(hosts=hosts, conns=conns, segment=segment))
    return Predicate(text, parser.condition(parser.whole()))


def parse_sum(text: str, *, hosts: Collection[str], conns: Collection[str]) -> Sum:
    """A sequence number for a crafted segment: `server.rcv_nxt + 1000`. Raises PredicateError."""
    parser = _Parser(text, Scope(hosts=hosts, conns=conns, segment=False))
    found = parser.whole()
    if not isinstance(found, Operand):
        raise _no_sequence_number(text, 0)
    known = {name for _sign, name in found.names(Origin.ABSOLUTE)}
    for _sign, part in found.sum.terms:
        if part.kind is not Kind.NUMBER or (isinstance(part, Name) and part not in known):
            raise _no_sequence_number(part.written, parser.column(part.written))
    return found.sum


def _no_sequence_number(written: str, column: int) -> PredicateError:
    return PredicateError(
        Text("{written} is not an absolute sequence number.", written=shown(written)),
        remedy=Text("Write numbers, and names such as client.snd_nxt, server.rcv_nxt, client.isn."),
        column=column,
        word=written,
    )


class _Parser:
    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0

    def whole(self) -> Operand | Expression:
        """What the whole text says."""
        found = self._either()
        if self._next.sort is not Sort.END:
            raise self._unexpected()
        return found

    def condition(self, found: Operand | Expression) -> Expression:
        """What is true or false."""
        return agreement.condition(found) if isinstance(found, Operand) else found

    def column(self, written: str) -> int:
        """Where that token first stands."""
        return next(token.column for token in self._tokens if token.written == written)

    # --- the rules ------------------------------------------------------------------------------

    def _either(self) -> Operand | Expression:
        first = self._both()
        if not self._sees("or", "||"):
            return first
        parts = [self.condition(first)]
        while self._take("or", "||"):
            parts.append(self.condition(self._both()))
        return Some(tuple(parts))

    def _both(self) -> Operand | Expression:
        first = self._negation()
        if not self._sees("and", "&&"):
            return first
        parts = [self.condition(first)]
        while self._take("and", "&&"):
            parts.append(self.condition(self._negation()))
        return All(tuple(parts))

    def _negation(self) -> Operand | Expression:
        if not self._take("not", "!"):
            return self._comparison()
        self._descend()
        inner = self.condition(self._negation())
        self._depth -= 1
        return Not(inner)

    def _comparison(self) -> Operand | Expression:
        start = self._at
        left = self._sum()
        if not self._sees(*_COMPARISONS):
            return left
        one = self._operand(left, start)
        operator = self._next.written
        self._at += 1
        start = self._at
        other = self._operand(self._sum(), start)
        if self._sees(*_COMPARISONS):
            raise self._mistake(
                self._next,
                Text("A comparison cannot be compared once more."),
                Text("Join two comparisons with and."),
            )
        return agreement.comparison(one, operator, other, self._scope)

    def _sum(self) -> Operand | Expression:
        start = self._at
        sign = -1 if self._take("-") else 1
        first = self._term()
        if sign > 0 and not self._sees("+", "-"):
            return first
        terms = self._signed(sign, first, start + (sign < 0))
        while joint := self._take("+", "-"):
            at = self._at
            terms += self._signed(1 if joint == "+" else -1, self._term(), at)
        return Operand(Sum(tuple(terms)), self._since(start), self._tokens[start].column)

    def _term(self) -> Operand | Expression:
        token = self._next
        if self._take("("):
            self._descend()
            inner = self._either()
            if not self._take(")"):
                raise self._unclosed(token)
            self._depth -= 1
            return inner
        if token.sort in (Sort.SIGN, Sort.END) or token.written in (*_JOINTS, "not", "contains"):
            raise self._missing()
        self._at += 1
        return Operand(Sum(((1, term(token, self._scope)),)), token.written, token.column)

    # --- their parts ----------------------------------------------------------------------------

    def _signed(
        self, sign: int, found: Operand | Expression, start: int
    ) -> list[tuple[int, Name | Literal]]:
        """The terms of what is added or taken away."""
        operand = self._operand(found, start)
        if operand.kind is not Kind.NUMBER:
            raise operand.mistake(
                Text("{word} is not a number.", word=shown(operand.written)),
                Text("Only numbers are added up."),
            )
        return [(sign * own, part) for own, part in operand.sum.terms]

    def _operand(self, found: Operand | Expression, start: int) -> Operand:
        if isinstance(found, Operand):
            return found
        raise self._mistake(
            self._tokens[start],
            Text("{written} has no value.", written=shown(self._since(start))),
            Text("Only names and values are compared and added up; join conditions with and, or."),
        )

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._mistake(
                self._tokens[self._at - 1],
                Text("The predicate is nested more than {limit} deep.", limit=DEEPEST),
                Text("Leave parentheses and nots out that change nothing."),
            )

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _sees(self, *words: str) -> bool:
        token = self._next
        return token.sort in (Sort.SIGN, Sort.WORD) and token.written in words

    def _take(self, *words: str) -> str | None:
        """The next word, taken, if it is one of these."""
        if not self._sees(*words):
            return None
        self._at += 1
        return self._tokens[self._at - 1].written

    def _since(self, start: int) -> str:
        """The text from that token up to the last one that was taken."""
        last = self._tokens[self._at - 1]
        return self._text[self._tokens[start].column : last.column + len(last.written)]

    # --- mistakes -------------------------------------------------------------------------------

    def _mistake(self, token: Token, what: Text, remedy: Text) -> PredicateError:
        return PredicateError(what, remedy=remedy, column=token.column, word=token.written)

    def _missing(self) -> PredicateError:
        """A name or a value should stand here."""
        token = self._next
        example = Text("A name or a value belongs there, as in server.state == CLOSED.")
        if token.sort is not Sort.END:
            what = Text("Something is missing before {word}.", word=token.written)
        elif self._at == 0:
            what = Text("The predicate is empty.")
        else:
            last = self._tokens[self._at - 1].written
            what = Text("Something is missing after {word}.", word=last)
        return self._mistake(token, what, example)

    def _unclosed(self, opening: Token) -> PredicateError:
        if self._next.sort is not Sort.END:
            return self._unexpected()
        return self._mistake(
            opening, Text("This ( is never closed."), Text("Write ) where its part ends.")
        )

    def _unexpected(self) -> PredicateError:
        """What was said is complete, and yet something follows."""
        token = self._next
        if token.written == ")":
            return self._mistake(
                token, Text("This ) closes nothing."), Text("Leave it out, or write the ( for it.")
            )
        last = shown(self._tokens[self._at - 1].written)
        right = _SPOKEN.get(token.written)
        return self._mistake(
            token,
            Text("{word} cannot follow {last}.", word=shown(token.written), last=last),
            meant(right) if right else Text("Join two conditions with and, or."),
        )
