"""Passwords that go over the wire as they are, in the octets of one direction of a connection.

Whoever hears the octets has the passwords: nothing here is broken or guessed, it is only read. The
protocols are those that a reader knows from the textbook: HTTP (RFC 7617, RFC 9110), FTP (RFC 959),
POP3 (RFC 1939), IMAP (RFC 9051).
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, unique
from urllib.parse import unquote_to_bytes


@unique
class Scheme(Enum):
    """How they were sent."""

    HTTP_BASIC = "HTTP Basic"
    HTTP_FORM = "HTTP form"
    USER_PASS = "USER, PASS"  # noqa: S105 - FTP's and POP3's commands
    IMAP_LOGIN = "IMAP LOGIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A name and the secret that goes with it, found in the octets from `begin` to before `end`.

    Both are as they came from the network: whoever shows them makes them harmless first. An octet
    that is no UTF-8 is a lone surrogate (PEP 383).
    """

    scheme: Scheme
    user: str
    secret: str
    begin: int
    end: int


def credentials(octets: bytes) -> tuple[Credential, ...]:
    """All that one end has said there, in order, each once; none where nothing is recognised."""
    found = sorted(
        (*_basic(octets), *_forms(octets), *_user_pass(octets), *_imap(octets)),
        key=lambda each: each.begin,
    )
    unique_ones = {(each.scheme, each.user, each.secret): each for each in reversed(found)}
    return tuple(sorted(unique_ones.values(), key=lambda each: each.begin))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", errors="surrogateescape")


# --- HTTP ---------------------------------------------------------------------------------------

_BASIC = re.compile(
    rb"^(?:proxy-)?authorization:[ \t]*basic[ \t]+([a-z0-9+/=]{1,4096})[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_FIELD = rb"[\w.\[\]%+-]{1,64}=[^&\s]{0,1024}"
_FORM = re.compile(rb"(?:[?\s]|^)(" + _FIELD + rb"(?:&" + _FIELD + rb")+)")
_USER_FIELDS = frozenset({b"user", b"username", b"login", b"email", b"name", b"id", b"uid"})
_SECRET_FIELDS = frozenset({b"pass", b"password", b"passwd", b"pwd", b"secret"})


def _basic(octets: bytes) -> Iterator[Credential]:
    for match in _BASIC.finditer(octets):
        try:
            user, colon, secret = b64decode(match[1], validate=True).partition(b":")
        except Error:
            continue
        if colon:
            yield _found(Scheme.HTTP_BASIC, user, secret, match.span())


def _forms(octets: bytes) -> Iterator[Credential]:
    """Fields of a form, in a request's body or behind the `?` of its target."""
    for match in _FORM.finditer(octets):
        fields = {
            unquote_to_bytes(name.replace(b"+", b" ")).lower(): value
            for name, _, value in (each.partition(b"=") for each in match[1].split(b"&"))
        }
        users = [fields[name] for name in fields if name in _USER_FIELDS]
        secrets = [fields[name] for name in fields if name in _SECRET_FIELDS]
        if users and secrets:
            user, secret = (unquote_to_bytes(v.replace(b"+", b" ")) for v in (users[0], secrets[0]))
            yield _found(Scheme.HTTP_FORM, user, secret, match.span(1))


# --- commands, one a line -----------------------------------------------------------------------

_USER_PASS = re.compile(
    rb"^user[ ]([^\r\n]{1,512})\r?\n(?:(?!user[ ])[^\n]*\n){0,4}?pass[ ]([^\r\n]{0,512})\r?\n",
    re.IGNORECASE | re.MULTILINE,
)
_IMAP = re.compile(
    rb'^[\w.]{1,32}[ ]login[ ]("(?:[^"\\\r\n]|\\.){0,512}"|[^\s"]{1,512})[ ]'
    rb'("(?:[^"\\\r\n]|\\.){0,512}"|[^\s"]{1,512})\r?\n',
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(rb"\\(.)")


def _user_pass(octets: bytes) -> Iterator[Credential]:
    for match in _USER_PASS.finditer(octets):
        yield _found(Scheme.USER_PASS, match[1], match[2], match.span())


def _imap(octets: bytes) -> Iterator[Credential]:
    for match in _IMAP.finditer(octets):
        yield _found(Scheme.IMAP_LOGIN, _unquoted(match[1]), _unquoted(match[2]), match.span())


def _unquoted(word: bytes) -> bytes:
    return _QUOTED.sub(rb"\1", word[1:-1]) if word.startswith(b'"') else word


def _found(scheme: Scheme, user: bytes, secret: bytes, span: tuple[int, int]) -> Credential:
    begin, end = span
    return Credential(scheme=scheme, user=_text(user), secret=_text(secret), begin=begin, end=end)
