"""What is seen of a real TLS conversation by somebody without a key. Python's ssl is both ends."""

import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcplab.testbed
from tcplab.analysis.ciphertext import sees

SECRET = b"USER alice\r\nPASS s3cret\r\n"
KEY = Path(tcplab.testbed.__file__).with_name("toy_server.pem")


def session(
    name: str | None = "mail.example", newest=ssl.TLSVersion.TLSv1_3
) -> tuple[bytes, bytes]:
    """All octets of either direction: a handshake, then SECRET and an answer."""
    ours, theirs = (ssl.SSLContext(p) for p in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
    ours.check_hostname, ours.verify_mode, ours.maximum_version = False, ssl.CERT_NONE, newest
    # What openssl.cnf allows differs from system to system; newest may be older than the least.
    ours.minimum_version = ssl.TLSVersion.TLSv1_2
    theirs.load_cert_chain(KEY)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ours.wrap_bio(down, up, server_hostname=name)
    server = theirs.wrap_bio(
        up_in := ssl.MemoryBIO(), down_out := ssl.MemoryBIO(), server_side=True
    )
    said, answered = b"", b""

    def carry() -> None:
        nonlocal said, answered
        sent, back = up.read(), down_out.read()
        said, answered = said + sent, answered + back
        up_in.write(sent)
        down.write(back)

    for _ in range(4):
        for end in (client, server):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            carry()
    client.write(SECRET)
    carry()
    assert server.read() == SECRET
    server.write(b"welcome")
    carry()
    return said, answered


def test_name_and_versions_are_in_plain_text():
    said, _answered = session()
    hello = sees(said).hello
    assert hello.server_name == "mail.example"
    assert hello.versions == ("TLS 1.3", "TLS 1.2")


def test_client_that_names_no_server_names_none():
    assert sees(session(None)[0]).hello.server_name is None


def test_old_client_offers_the_version_in_its_hello():
    said, _answered = session(newest=ssl.TLSVersion.TLSv1_2)
    assert sees(said).hello.versions == ("TLS 1.2",)


def test_of_what_is_said_only_the_length_is_seen():
    said, answered = session()
    assert SECRET not in said
    # TLS 1.3 adds the content's type and a tag (RFC 8446 §5.2).
    assert sees(said).application[-1].octets == len(SECRET) + 17
    assert sees(said).records[-1].end == len(said)
    assert sees(answered).hello is None
    assert sees(answered).application[-1].octets == len(b"welcome") + 17


def test_plain_text_before_it_is_passed_over():
    said, _answered = session()
    sight = sees(b"a1 STARTTLS\r\n" + said)
    assert sight.records[0].begin == 13
    assert sight.hello.server_name == "mail.example"


@pytest.mark.parametrize(
    "octets", [b"", b"hello", SECRET, b"\x16\x03", b"\x16\x03\x01\xff\xff\x01\x00"]
)
def test_what_is_no_tls_is_none(octets):
    assert sees(octets) is None


WHOLE = session()[0]


@given(st.integers(0, len(WHOLE)))
def test_end_in_the_middle_of_a_record_ends_before_it(length):
    sight = sees(WHOLE[:length])
    if sight is not None:
        assert sight.records == sees(WHOLE).records[: len(sight.records)]


@given(st.data())
def test_damaged_octets_never_raise(data):
    damaged = bytearray(WHOLE)
    for at in data.draw(st.lists(st.integers(0, min(len(WHOLE), 600) - 1), max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    sees(bytes(damaged))
