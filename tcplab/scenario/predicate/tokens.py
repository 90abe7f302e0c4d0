"""The words of a predicate. A state such as TIME-WAIT is one word, although a minus is in it, and
so is a whole name: `server[b].count.FIN-WAIT-1`.
"""

import re
from dataclasses import dataclass
from enum import Enum, unique
from functools import cache

from tcplab.scenario.predicate.mistakes import PredicateError, meant, shown
from tcplab.scenario.predicate.vocabulary import CALLS, STATES
from tcplab.text import Text

MOST_CHARACTERS = 2000


@unique
class Sort(Enum):
    """What a token is."""

    TEXT = "text"  # in double quotes
    ADDRESS = "address"  # 192.0.2.1, 2001:db8::1
    NUMBER = "number"
    WORD = "word"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text as it is `written`, and the column of its first character, from 0."""

    sort: Sort
    written: str
    column: int


_MEANT = {"=": "==", "<>": "!=", "=<": "<=", "=>": ">=", "&": "and", "|": "or", "'": '"'}


def tokens(text: str) -> list[Token]:
    """The tokens of the text, and one for its end. Raises PredicateError."""
    if len(text) > MOST_CHARACTERS:
        raise PredicateError(
            Text("The predicate is longer than {limit} characters.", limit=MOST_CHARACTERS),
            remedy=Text("Split it: several expectations or rules say the same as one."),
            column=MOST_CHARACTERS,
            word="",
        )
    found = [_token(match) for match in _pattern().finditer(text)]
    return [*found, Token(Sort.END, "", len(text))]


@cache
def _pattern() -> re.Pattern[str]:
    """Everything but white space matches one of the groups."""
    hyphened = sorted((word for word in (*STATES, *CALLS) if "-" in word), key=len, reverse=True)
    # A state, or what looks like a misspelt one: else it would be taken for a subtraction.
    state = rf"(?:{'|'.join(hyphened)})(?!\w)|[A-Z]+(?:-[A-Z]+\d*)+(?:-\d+)?(?!\w)"
    return re.compile(
        rf"""
        (?P<text> "[^"\n]*" )
        | (?P<address> [0-9A-Fa-f]*:[0-9A-Fa-f:.]* | \d+\.\d+\.\d+\.\d+(?![\w.]) )
        | (?P<number> \d[\w.]* )
        | (?P<word> (?:{state}|[A-Za-z_]\w*) (?:\[[\w-]*\])? (?:\.(?:{state}|\w*))* )
        | (?P<sign> == | != | <= | (?:>=) | && | \|\| | <(?!>) | > | ! | [-+()] )
        | (?P<stray> <> | = [<>]? | [&|'"\[\].,;:*/%] | [^\s\x00-\x7f]+ | \S )
        """,
        re.VERBOSE | re.ASCII,
    )


def _token(match: re.Match[str]) -> Token:
    written, column, group = match.group(), match.start(), match.lastgroup
    if written == '"':
        raise PredicateError(
            Text("The text that begins here does not end."),
            remedy=Text("End it with another double quote."),
            column=column,
            word=written,
        )
    if group == "stray":
        raise PredicateError(
            Text("{word} has no meaning here.", word=shown(written)),
            remedy=(
                meant(_MEANT[written])
                if written in _MEANT
                else Text("A predicate is made like this: seg.fin and seg.len > 0.")
            ),
            column=column,
            word=written,
        )
    return Token(Sort(group), written, column)
