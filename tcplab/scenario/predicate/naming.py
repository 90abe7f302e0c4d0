"""From a written word to the name or the literal that it is."""

import re

from tcplab.scenario.predicate.expression import Kind, Literal, Name
from tcplab.scenario.predicate.mistakes import PredicateError, did_you_mean, shown
from tcplab.scenario.predicate.scope import Scope
from tcplab.scenario.predicate.suggestions import no_such_name
from tcplab.scenario.predicate.tokens import Sort, Token
from tcplab.scenario.predicate.vocabulary import (
    SEG,
    STATES,
    TIMERS,
    WIRESHARK,
    errnos,
    letters,
    meaning,
    parts,
)
from tcplab.text import Text


def term(token: Token, scope: Scope) -> Name | Literal:
    """What a word, a number, an address or a text stands for. Raises PredicateError."""
    written = token.written
    if token.sort is Sort.TEXT:
        return Literal(written[1:-1], Kind.WORD, written)
    if token.sort is Sort.NUMBER:
        return Literal(_number(token), Kind.NUMBER, written)
    if token.sort is Sort.ADDRESS:
        return Literal(address(written, token.column), Kind.WORD, written)
    return _literal(written, scope) or _name(token, scope)


def address(written: str, column: int) -> str:
    """An IP address in its shortest spelling. Raises PredicateError if it is none."""
    from ipaddress import ip_address  # few predicates hold one

    try:
        return str(ip_address(written))
    except ValueError:
        raise PredicateError(
            Text("{word} is not an IP address.", word=shown(written)),
            remedy=Text("Addresses are written like 192.0.2.1 or 2001:db8::1."),
            column=column,
            word=written,
        ) from None


def _number(token: Token) -> int:
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", token.written):
        return int(token.written, 16)
    if token.written.isdecimal():
        return int(token.written)
    raise PredicateError(
        Text("{word} is not a number.", word=shown(token.written)),
        remedy=Text("Numbers are whole and have no unit: 1000, 0x3e8."),
        column=token.column,
        word=token.written,
    )


def _literal(word: str, scope: Scope) -> Literal | None:
    if word in scope.hosts:
        return Literal(word, Kind.HOST, word)
    if word in STATES:
        return Literal(STATES[word], Kind.STATE, word)
    if word in ("true", "false"):
        return Literal(word == "true", Kind.TRUTH, word)
    if word in scope.conns or word in TIMERS or letters(word) or word in errnos():
        return Literal(word, Kind.WORD, word)
    return None


def _name(token: Token, scope: Scope) -> Name:
    subject, conn, path = parts(token.written)
    if token.written in WIRESHARK:
        subject, path = SEG, (WIRESHARK[token.written],)
    known = meaning(subject, path)
    if known is None or (subject != SEG and subject not in scope.hosts):
        raise no_such_name(token, scope)
    if subject == SEG and not scope.segment:
        raise PredicateError(
            Text("{word} asks a segment, and there is none here.", word=token.written),
            remedy=Text(
                "Only rules of the wire and filters do: ask a host, as in server.received.fin."
            ),
            column=token.column,
            word=token.written,
        )
    if subject == SEG and conn is not None:
        raise PredicateError(
            Text("A segment belongs to one connection: [{conn}] cannot be chosen.", conn=conn),
            remedy=Text("Write seg.conn == {conn}.", conn=conn),
            column=token.column + len(SEG),
            word=f"[{conn}]",
        )
    if conn is not None and conn not in scope.conns:
        raise PredicateError(
            Text("There is no connection named {conn}.", conn=shown(conn)),
            remedy=did_you_mean(
                conn,
                scope.conns,
                otherwise=Text("The connections are {names}.", names=", ".join(scope.conns)),
            ),
            column=token.column + len(subject) + 1,
            word=conn,
        )
    return Name(subject=subject, path=path, conn=conn, kind=known.kind, written=token.written)
