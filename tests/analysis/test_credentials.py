"""Logins that can be read by whoever hears them."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.analysis.credentials import Credential, Scheme, credentials

BASIC = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " + b64encode(b"al:s3:x") + b"\r\n\r\n"
FORM = b"POST /login HTTP/1.1\r\nContent-Length: 31\r\n\r\nuser=alice%40a&password=s3cr+et"
PLAIN = b"USER alice\r\nPASS s3cret\r\n"


def told(octets: bytes) -> list[tuple[Scheme, str, str]]:
    return [(each.scheme, each.user, each.secret) for each in credentials(octets)]


@pytest.mark.parametrize(
    ("octets", "scheme", "user", "secret"),
    [
        (BASIC, Scheme.HTTP_BASIC, "al", "s3:x"),
        (BASIC.replace(b"Auth", b"aUTH"), Scheme.HTTP_BASIC, "al", "s3:x"),
        (BASIC.replace(b"Basic", b"bAsIc"), Scheme.HTTP_BASIC, "al", "s3:x"),
        (BASIC.replace(b"Auth", b"Proxy-Auth"), Scheme.HTTP_BASIC, "al", "s3:x"),
        (FORM, Scheme.HTTP_FORM, "alice@a", "s3cr et"),
        (b"GET /?x=1&email=a%40b&pass=p HTTP/1.1\r\n", Scheme.HTTP_FORM, "a@b", "p"),
        (b"\r\n\r\nid=7&pwd=&token=1", Scheme.HTTP_FORM, "7", ""),
        (PLAIN, Scheme.USER_PASS, "alice", "s3cret"),
        (b"user alice\npass s3cret\n", Scheme.USER_PASS, "alice", "s3cret"),
        (b"CAPA\r\nUSER a b\r\nNOOP\r\nPASS c d\r\n", Scheme.USER_PASS, "a b", "c d"),
        (b"USER wrong\r\nUSER right\r\nPASS x\r\n", Scheme.USER_PASS, "right", "x"),
        (b"a1 LOGIN alice s3cret\r\n", Scheme.IMAP_LOGIN, "alice", "s3cret"),
        (b'A.1 login "al ice" "s3\\"cret"\r\n', Scheme.IMAP_LOGIN, "al ice", 's3"cret'),
    ],
)  # fmt: skip
def test_login_is_read(octets, scheme, user, secret):
    assert told(octets) == [(scheme, user, secret)]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        b"USER alice\r\n",
        b"PASS s3cret\r\n",
        b"USER alice\r\nPASS s3cr",  # not all of it has come
        b"USER alice\r\n" + b"NOOP\r\n" * 5 + b"PASS s3cret\r\n",
        b"Authorization: Basic !!!\r\n",
        b"Authorization: Basic " + b64encode(b"no colon") + b"\r\n",
        b"Authorization: Bearer abc\r\n",
        b"\r\n\r\nuser=alice&colour=red",
        b"a1 LOGIN alice\r\n",
        b"a1 LOGOUT now please\r\n",
        b"\x16\x03\x01\x00\x05hello",
    ],
)
def test_what_is_no_login_is_none(octets):
    assert credentials(octets) == ()


def test_logins_come_in_order_and_each_once():
    octets = PLAIN + BASIC + PLAIN
    assert told(octets) == [
        (Scheme.USER_PASS, "alice", "s3cret"),
        (Scheme.HTTP_BASIC, "al", "s3:x"),
    ]


def test_login_says_where_it_stands():
    (found,) = credentials(b"HELLO\r\n" + PLAIN + b"QUIT\r\n")
    assert (found.begin, found.end) == (7, 7 + len(PLAIN))


def test_octets_that_are_no_text_are_kept_as_they_came():
    (found,) = credentials(b"USER \x1b[31m\xff\r\nPASS \xe2\x80\xae\r\n")
    assert found.user.encode("utf-8", "surrogateescape") == b"\x1b[31m\xff"
    assert found.secret == "\u202e"


LINES = st.lists(
    st.sampled_from(
        [b"USER ", b"PASS ", b"\r\n", b"\n", b"user=", b"&", b"?", b"pass=x", b" LOGIN ", b'"']
    )
    | st.binary(max_size=6),
    max_size=60,
).map(b"".join)  # fmt: skip


@given(LINES)
def test_anything_is_read_without_an_error(octets):
    for found in credentials(octets):
        assert isinstance(found, Credential)
        assert 0 <= found.begin < found.end <= len(octets)


@pytest.mark.parametrize(
    "piece", [b"?x=", b"&", b"USER x\r\n", b"a=b&", b'a LOGIN "', b"Authorization: basic "]
)
def test_much_of_the_same_takes_no_time(piece):
    """No expression goes over the octets again and again: 64 KiB, far below the test's time-out."""
    credentials((piece * (1 << 16))[: 1 << 16])
