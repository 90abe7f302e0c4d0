"""What a scenario knows of TLS: the names of failures, and a record that somebody forges."""

from struct import pack

_APPLICATION_DATA, _LEGACY_VERSION = 23, 0x0303
LARGEST_FRAGMENT_OCTETS = (1 << 14) + 256

FAILURES = frozenset(
    {
        "BAD_RECORD_TYPE",
        "CERTIFICATE_VERIFY_FAILED",
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        "DATA_LENGTH_TOO_LONG",
        "ENCRYPTED_LENGTH_TOO_LONG",
        "HTTP_REQUEST",
        "LENGTH_TOO_SHORT",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "SSLV3_ALERT_BAD_RECORD_MAC",
        "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        "TLSV1_ALERT_DECODE_ERROR",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "TLSV1_ALERT_RECORD_OVERFLOW",
        "TLSV1_ALERT_UNKNOWN_CA",
        "UNEXPECTED_EOF_WHILE_READING",
        "UNEXPECTED_MESSAGE",
        "UNEXPECTED_RECORD",
        "WRONG_VERSION_NUMBER",
    }
)
"""What a call on a connection under TLS may end with, beside an errno: OpenSSL's reasons, as
Python's ssl spells them. `…_ALERT_…` is what the peer reported (RFC 8446 §6.2).
"""


def application_data(fragment: bytes) -> bytes:
    """The octets with the header of a TLS record (RFC 8446 §5.1), as one forges it without the key.

    The receiver takes it for encrypted, and finds that it is not: bad_record_mac. Octets without
    that header fail on the header already, each OpenSSL with words of its own.
    Raises ValueError for more than fits in a record.
    """
    if len(fragment) > LARGEST_FRAGMENT_OCTETS:
        raise ValueError(f"a record holds no {len(fragment)} octets")
    return pack("!BHH", _APPLICATION_DATA, _LEGACY_VERSION, len(fragment)) + fragment
