"""What was probably meant by a name that there is not."""

from collections.abc import Iterator

from tcplab.scenario.predicate.mistakes import PredicateError, did_you_mean, meant, nearest, shown
from tcplab.scenario.predicate.scope import Scope
from tcplab.scenario.predicate.tokens import Token
from tcplab.scenario.predicate.vocabulary import (
    COUNTER,
    GROUPS,
    HOST,
    SEG,
    SEGMENT,
    STATES,
    TIMERS,
    WIRESHARK,
    errnos,
    letters,
    looks_like_counter,
    meaning,
    parts,
)
from tcplab.text import Text

# As Linux and its tools spell states, second names of errors, and how other languages spell what
# joins conditions: none of them is near enough to the right word, or to no other.
_ELSEWHERE = {
    "ESTAB": "ESTABLISHED",
    "CLOSE": "CLOSED",
    "SYN_RECV": "SYN-RECEIVED",
    "EWOULDBLOCK": "EAGAIN",
    "ENOTSUP": "EOPNOTSUPP",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "True": "true",
    "False": "false",
}


def no_such_name(token: Token, scope: Scope) -> PredicateError:
    """The mistake that this word is."""
    word = token.written
    subject, conn, path = parts(word)
    if not path:
        return _no_such_word(token, scope)
    if subject != SEG and subject not in scope.hosts and meaning(subject, path):
        return PredicateError(
            Text("There is no host named {host}.", host=shown(subject)),
            remedy=did_you_mean(
                subject,
                scope.hosts,
                otherwise=Text("The hosts are {names}.", names=", ".join(scope.hosts)),
            ),
            column=token.column,
            word=subject,
        )
    remedy = _remedy(subject, path, scope)
    if isinstance(remedy, str):
        host, _dot, rest = remedy.partition(".")
        remedy = meant(remedy if conn is None or host == SEG else f"{host}[{conn}].{rest}")
    return PredicateError(
        Text("There is no name {word}.", word=shown(word)),
        remedy=remedy,
        column=token.column,
        word=word,
    )


def _no_such_word(token: Token, scope: Scope) -> PredicateError:
    """For a word without dots."""
    word = token.written
    among = [*scope.hosts, *STATES, *TIMERS, *scope.conns, "true", "false", "and", "or", "not"]
    right = _ELSEWHERE.get(word) or nearest(word, among) or letters(word.upper())
    if word in (*HOST, *GROUPS) and scope.hosts:
        right = f"{next(iter(scope.hosts))}.{word}"
    if right not in STATES and word[:1] == "E" and word.isalnum() and word.isupper():
        what = Text("There is no errno named {word}.", word=shown(word))
        right = _ELSEWHERE.get(word) or nearest(word, errnos())
        otherwise = Text("Errors are spelled as in errno(3): ECONNRESET.")
    else:
        what = Text("There is no name {word}.", word=shown(word))
        otherwise = _ask(SEG if scope.segment else "", scope)
    remedy = otherwise if right is None else meant(right)
    return PredicateError(what, remedy=remedy, column=token.column, word=word)


def _remedy(subject: str, path: tuple[str, ...], scope: Scope) -> str | Text:
    """For a name with dots: the right one, or else a sentence."""
    if subject in scope.hosts:
        if path[0] == COUNTER:
            return _counter_remedy(subject, path[1:])
        if len(path) == 1 and path[0] in GROUPS:
            members = ", ".join(f"{path[0]}.{word}" for word in GROUPS[path[0]])
            return Text("{subject} can be asked for {names}.", subject=subject, names=members)
        if len(path) == 1 and looks_like_counter(path[0]):
            return f"{subject}.{COUNTER}.{path[0]}"
        owners = [group for group, members in GROUPS.items() if path[-1] in members]
        if len(owners) == 1 and path[0] not in GROUPS:
            return f"{subject}.{owners[0]}.{path[-1]}"
        near = nearest(".".join(path), list(_host_names()))
        return _ask(subject, scope) if near is None else f"{subject}.{near}"
    names = [f"{host}.{name}" for host in scope.hosts for name in _host_names()]
    if scope.segment:
        names = [*([] if subject == SEG else names), *_segment_names()]
    return nearest(".".join((subject, *path)), names) or _ask(subject, scope)


def _counter_remedy(subject: str, rest: tuple[str, ...]) -> str | Text:
    bare = rest[0].removeprefix("TcpExt").removeprefix("Tcp") if len(rest) == 1 else ""
    if looks_like_counter(bare):
        return f"{subject}.{COUNTER}.{bare}"
    return Text("Counters are spelled as nstat does, without Tcp or TcpExt: TCPTimeouts, OutRsts.")


def _host_names() -> Iterator[str]:
    yield from HOST
    yield from (f"{group}.{word}" for group, words in GROUPS.items() for word in words)


def _segment_names() -> Iterator[str]:
    yield from (f"{SEG}.{word}" for word in SEGMENT)
    yield from WIRESHARK


def _ask(subject: str, scope: Scope) -> Text:
    if subject == SEG and scope.segment:
        return Text("{subject} can be asked for {names}.", subject=SEG, names=", ".join(SEGMENT))
    host = subject if subject in scope.hosts else next(iter(scope.hosts), "")
    names = ", ".join((*HOST, *GROUPS, COUNTER))
    return Text("{subject} can be asked for {names}.", subject=host, names=names)
