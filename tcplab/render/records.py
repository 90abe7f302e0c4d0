"""TLS records as Wireshark names them: their octets would say nothing."""

from collections.abc import Iterator

_HEADER_OCTETS = 5
_LARGEST_OCTETS = (1 << 14) + 2048  # of TLS 1.2; those of TLS 1.3 are smaller
_HANDSHAKE = 22
_TYPES = {20: "Change Cipher Spec", 21: "Alert", 23: "Application Data"}
_MESSAGES = {
    1: "Client Hello",
    2: "Server Hello",
    4: "New Session Ticket",
    11: "Certificate",
    12: "Server Key Exchange",
    14: "Server Hello Done",
    15: "Certificate Verify",
    16: "Client Key Exchange",
    20: "Finished",
}


def records(payload: bytes) -> tuple[str, ...]:
    """The names of the TLS records that the payload consists of; none if it is anything else, or
    if the records are not whole, or if one holds plain text: then its octets say more.
    """
    names = list(_named(payload))
    return () if None in names else tuple(name for name in names if name)


def _named(payload: bytes) -> Iterator[str | None]:
    """The name of each record, in order; None, and no more, where there is none."""
    while payload:
        length = int.from_bytes(payload[3:_HEADER_OCTETS], "big")
        fragment = payload[_HEADER_OCTETS : _HEADER_OCTETS + length]
        whole = 0 < length == len(fragment) and length <= _LARGEST_OCTETS
        version = payload[1:3]
        if not whole or not b"\3\0" <= version <= b"\3\4" or _is_plain(fragment):
            yield None
            return
        if payload[0] == _HANDSHAKE:  # encrypted ones have any first octet
            yield _MESSAGES.get(fragment[0], "Encrypted Handshake Message")
        else:
            yield _TYPES.get(payload[0])
        payload = payload[_HEADER_OCTETS + length :]


def _is_plain(fragment: bytes) -> bool:
    """Is it text that anybody can read, as nothing is that was encrypted?"""
    return len(fragment) > 1 and fragment.isascii() and fragment.decode().isprintable()
