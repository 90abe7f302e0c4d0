"""What TLS leaves to be seen by somebody who has no key: names, versions and lengths.

RFC 8446 §4.1.2 (ClientHello), §5.1 (records); RFC 6066 §3 (server name).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_OCTETS = 5
_LARGEST_OCTETS = (1 << 14) + 2048  # of TLS 1.2; those of TLS 1.3 are smaller
_HANDSHAKE, _APPLICATION_DATA = 22, 23
_HELLO = re.compile(rb"\x16\x03[\x00-\x04]..[\x01\x02]\x00", re.DOTALL)
_CLIENT_HELLO = 1
_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43
_VERSIONS = {
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One whole TLS record: its type (22 is handshake, 23 application data), how many octets it
    protects, and where it stands in the stream.
    """

    kind: int
    octets: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """What a client says before anything is encrypted: the server's name (None if it does not) and
    the versions of TLS that it offers. Both are as they came from the network.
    """

    server_name: str | None
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is seen of TLS in one direction. `hello` is None where no ClientHello went by."""

    hello: ClientHello | None
    records: tuple[Record, ...]

    @property
    def application(self) -> tuple[Record, ...]:
        """The records with application data. TLS 1.3 hides the end of its handshake in such."""
        return tuple(record for record in self.records if record.kind == _APPLICATION_DATA)


def sees(octets: bytes) -> Sight | None:
    """What shows of TLS in what one end has said; None if there is none.

    It may begin in plain text (STARTTLS), and end in the middle of a record.
    """
    found = _HELLO.search(octets)
    if found is None:
        return None
    records = tuple(_records(octets, found.start()))
    if not records:
        return None
    fragment = octets[records[0].begin + _HEADER_OCTETS : records[0].end]
    return Sight(hello=_client_hello(fragment), records=records)


def _records(octets: bytes, at: int) -> Iterator[Record]:
    while at + _HEADER_OCTETS <= len(octets):
        kind, version = octets[at], octets[at + 1]
        length = int.from_bytes(octets[at + 3 : at + _HEADER_OCTETS], "big")
        end = at + _HEADER_OCTETS + length
        if not 20 <= kind <= 24 or version != 3 or length > _LARGEST_OCTETS or end > len(octets):
            return
        yield Record(kind=kind, octets=length, begin=at, end=end)
        at = end


class _Reader:
    """Takes a message apart, field by field. What is too short ends in nothing, never an error."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def __bool__(self) -> bool:
        return bool(self._octets)

    def take(self, count: int) -> bytes:
        taken, self._octets = self._octets[:count], self._octets[count:]
        return taken

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def vector(self, length_octets: int) -> "_Reader":
        """What has its length before it."""
        return _Reader(self.take(self.number(length_octets)))


def _client_hello(fragment: bytes) -> ClientHello | None:
    message = _Reader(fragment)
    if message.number(1) != _CLIENT_HELLO:
        return None
    body = message.vector(3)
    versions = [body.number(2)]
    body.take(32)  # random
    for length_octets in (1, 2, 1):  # session id, cipher suites, compression methods
        body.vector(length_octets)
    extensions, name = body.vector(2), None
    while extensions:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            name = _host_name(content.vector(2)) or name
        elif kind == _SUPPORTED_VERSIONS:
            versions = list(_numbers(content.vector(1)))
    known = tuple(_VERSIONS[each] for each in versions if each in _VERSIONS)  # not GREASE
    return ClientHello(server_name=name, versions=known)


def _host_name(names: _Reader) -> str | None:
    """The first name of type host_name (0)."""
    while names:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            return name.take(255).decode("utf-8", errors="surrogateescape")
    return None


def _numbers(versions: _Reader) -> Iterator[int]:
    while versions:
        yield versions.number(2)
