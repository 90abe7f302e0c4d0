"""TLS over real connections: verification, records, and what OpenSSL says of foul ones."""

import errno
import ssl
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tcplab.errors import UnavailableError
from tcplab.scenario.calls import (
    Abort,
    Accept,
    Close,
    Connect,
    Drain,
    Read,
    Send,
    Shutdown,
    StartTls,
    Stream,
)
from tcplab.scenario.tls import FAILURES, LARGEST_FRAGMENT_OCTETS, application_data
from tcplab.tcp.states import State
from tcplab.testbed import tls
from tcplab.testbed.plan import Family
from tests.live import forked
from tests.testbed.driving import driven

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())

RUNS = 20
RECORD_OCTETS = 5 + 1 + 16
"""What a record adds: its header, the content type, the tag (RFC 8446 §5.2)."""
AGREED = "TLSv1.3, TLS_AES_256_GCM_SHA384"


@contextmanager
def secured(family=Family.IPV4, hosts=None):
    """Client and server whose handshake of TLS is done."""
    with driven(family, hosts) as lab:
        lab.establish()
        assert lab.call("server", StartTls()).result == "EINPROGRESS"
        assert lab.call("client", StartTls()).result == "EINPROGRESS"
        assert [(host, name, end.result) for host, _conn, name, end in lab.told] == [
            ("client", "start-tls", "0"),
            ("server", "start-tls", "0"),
        ]
        assert not any(lab.testbed.hosts[host].busy for host in ("client", "server"))
        lab.told.clear()
        yield lab


def lengths(lab) -> list[tuple[str, int]]:
    """(who sent it, how many octets) of the data that was carried since the last time."""
    sizes = [(who, segment.data_octets) for who, segment in lab.carried if segment.data_octets]
    lab.carried.clear()
    return sizes


# --- the handshake ------------------------------------------------------------------------------


def shaken(family, first: str):
    with driven(family) as lab:
        lab.establish()
        lab.carried.clear()
        second = "server" if first == "client" else "client"
        begun = [lab.call(host, StartTls()).result for host in (first, second)]
        busy = [lab.testbed.hosts[host].busy for host in ("client", "server")]
        return (
            begun,
            lab.told,
            busy,
            [(who, s.data_octets, s.flags.letters) for who, s in lab.carried],
        )


@every_family
@pytest.mark.parametrize("first", ["client", "server"])
def test_the_handshake_goes_on_until_both_ends_are_done(family, first):
    begun, told, busy, _carried = forked(shaken, family, first)

    assert begun == ["EINPROGRESS", "EINPROGRESS"]
    assert [(host, conn, name, end.result, end.arguments) for host, conn, name, end in told] == [
        ("client", "a", "start-tls", "0", AGREED),
        ("server", "a", "start-tls", "0", AGREED),
    ]
    assert busy == [False, False]


@every_family
def test_every_handshake_has_the_same_segments(family):
    runs = [forked(shaken, family, "server")[3] for _ in range(RUNS)]

    assert [carried for carried in runs if carried != runs[0]] == []
    assert [who for who, octets, _flags in runs[0] if octets] == ["client", "server", "client"]


def unverified(name: str):
    """A client that expects another server's name."""
    tls.SERVER_NAME = name
    with driven() as lab:
        lab.establish()
        lab.call("server", StartTls())
        lab.call("client", StartTls())
        later = [lab.call(host, call).result for host in ("client", "server") for call in (Read(),)]
        return [(host, end.result) for host, _conn, _name, end in lab.told], later


def test_a_certificate_for_another_name_is_refused_and_the_server_is_told():
    told, later = forked(unverified, "attacker.example")

    assert told[0] == ("client", "CERTIFICATE_VERIFY_FAILED")
    (server, heard) = told[1]
    assert (server, "ALERT" in heard) == ("server", True)
    assert later == ["CERTIFICATE_VERIFY_FAILED", heard]


def strictly_verified():
    """As Python 3.13 does by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(tls._TOY_SERVER)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    tls._context = lambda *, server, real=tls._context: real(server=True) if server else context
    with secured() as lab:
        return lab.call("client", Send(b"x")).result


def test_the_toy_certificate_stands_strict_verification():
    assert forked(strictly_verified) == "1"


def alone():
    with driven() as lab:
        before = lab.call("client", StartTls()).result
        lab.establish()
        first = lab.call("client", StartTls()).result
        return (
            before,
            first,
            lab.call("client", StartTls()).result,
            lab.call("client", Read()).result,
        )


def test_tls_needs_a_connection_and_is_started_once():
    assert forked(alone) == ("EBADF", "EINPROGRESS", "EISCONN", "EAGAIN")


def impatient():
    """Data before the handshake is done."""
    with driven() as lab:
        lab.establish()
        lab.call("client", StartTls())
        return lab.call("client", Send(b"x")).result, lab.testbed.hosts["client"].octets("a")


def test_nothing_is_sent_before_the_handshake_is_done():
    assert forked(impatient) == ("EAGAIN", (0, 0))


def reset_in_mid_handshake():
    with driven() as lab:
        lab.establish()
        lab.call("client", StartTls())
        lab.call("server", Abort())
        return [(name, end.result) for _host, _conn, name, end in lab.told], lab.states()


def test_a_reset_ends_the_handshake_with_an_errno():
    told, states = forked(reset_in_mid_handshake)

    assert told == [("start-tls", "ECONNRESET")]
    assert states == (State.CLOSED, State.CLOSED)


def plain_peer():
    """A server that knows no TLS, and answers the ClientHello in plain text."""
    with driven() as lab:
        lab.establish()
        lab.call("client", StartTls())
        lab.call("server", Send(b"HTTP/1.1 400 Bad Request\r\n"))
        return [end.result for _host, _conn, _name, end in lab.told]


def test_an_answer_in_plain_text_fails_the_handshake():
    (result,) = forked(plain_peer)

    assert result in FAILURES


# --- data ---------------------------------------------------------------------------------------


def conversed(family):
    with secured(family) as lab:
        lab.carried.clear()
        results = [lab.call("client", Send(b"PASS secret\r\n")).result]
        sizes, wire = lengths(lab), b"".join(s.payload for _who, s in lab.carried)
        heard = lab.call("server", Read())
        results.append(lab.call("server", Send(b"+OK\r\n")).result)
        sizes += lengths(lab)
        first, rest = lab.call("client", Read(2)), lab.call("client", Read())
        none = lab.call("client", Read()).result
        octets = [lab.testbed.hosts[host].octets("a") for host in ("client", "server")]
        return results, sizes, wire, heard, (first.data, rest.data), none, octets


@every_family
def test_the_programs_have_plaintext_and_the_wire_has_records(family):
    results, sizes, wire, heard, read, none, octets = forked(conversed, family)

    assert results == ["13", "5"]
    assert sizes == [("client", 13 + RECORD_OCTETS), ("server", 5 + RECORD_OCTETS)]
    assert b"secret" not in wire
    assert (heard.result, heard.data) == ("13", b"PASS secret\r\n")
    assert read == (b"+O", b"K\r\n")
    assert none == "EAGAIN"
    assert octets == [(5, 13), (13, 5)]


def urgent():
    with secured() as lab:
        return lab.call("client", Send(b"!", urgent=True)).result


def test_tls_has_no_urgent_data():
    assert forked(urgent) == errno.errorcode[errno.EOPNOTSUPP]


def streamed(family, octets: int):
    with secured(family) as lab:
        client, server = lab.testbed.hosts["client"], lab.testbed.hosts["server"]
        lab.call("server", Drain())
        lab.call("client", Stream(octets=octets))
        lab.until(lambda: not client.busy)
        lab.call("client", Shutdown())
        lab.until(lambda: not server.busy)
        return [
            *((host, name, end.result, end.arguments) for host, _conn, name, end in lab.told),
            server.octets("a"),
        ]


@every_family
@pytest.mark.parametrize("octets", [1, 32_768, 3_000_000])
def test_a_stream_arrives_whole_and_ends_with_close_notify(family, octets):
    assert forked(streamed, family, octets) == [
        ("client", "stream", str(octets), ""),
        ("server", "drain", "0", f"{octets} octets"),
        (octets, 0),
    ]


def overfilled():
    """Until the socket has no room; then what it took is read, and nothing is missing."""
    with secured() as lab:
        client, server = lab.testbed.hosts["client"], lab.testbed.hosts["server"]
        while lab.call("client", Send(bytes(32_768))).result == "32768":
            pass
        written = client.octets("a")[1]
        refused, busy = lab.call("client", Send(b"more")).result, client.busy
        lab.call("server", Drain())
        lab.until(lambda: server.octets("a")[0] == written and not client.busy)
        return refused, busy, lab.call("client", Send(b"more")).result, lab.told


def test_what_a_full_socket_took_of_a_record_is_followed_by_the_rest():
    assert forked(overfilled) == ("EAGAIN", True, "4", [])


# --- the end ------------------------------------------------------------------------------------


def ended(how):
    with secured() as lab:
        lab.carried.clear()
        lab.call("client", how)
        sizes = lengths(lab)
        read = lab.call("server", Read()).result
        lab.call("server", Close())
        return sizes, read, lab.states()


@pytest.mark.parametrize("how", [Close(), Shutdown()], ids=["close", "shutdown"])
def test_close_notify_goes_before_the_fin(how):
    sizes, read, states = forked(ended, how)

    assert sizes == [("client", 2 + RECORD_OCTETS)]
    assert read == "0"
    assert states[1] in (State.CLOSED, State.LAST_ACK)


def half_closed():
    with secured() as lab:
        lab.call("server", Send(b"early"))
        lab.call("client", Shutdown())
        end = lab.call("server", Read()).result
        lab.call("server", Send(b"late"))
        return end, lab.call("client", Read()).data, lab.call("client", Read()).data


def test_after_its_shutdown_a_program_still_reads():
    assert forked(half_closed) == ("0", b"early", b"late")


def truncated():
    """The FIN comes, but nobody had said that this is the end."""
    with secured() as lab:
        lab.testbed.hosts["client"]._applications._secured.forget("a")
        lab.call("client", Close())
        return [lab.call("server", Read()).result for _ in range(2)]


def test_an_end_without_close_notify_is_an_error():
    assert forked(truncated) == ["UNEXPECTED_EOF_WHILE_READING"] * 2


def aborted():
    with secured() as lab:
        lab.call("client", Abort())
        return lab.call("server", Read()).result, lab.call("server", Send(b"x")).result


def test_a_reset_below_is_told_as_the_socket_tells_it():
    assert forked(aborted) == ("ECONNRESET", "EPIPE")


def opened_again():
    """The next connection of that name begins in plain text."""
    with secured() as lab:
        lab.call("client", Abort())
        lab.call("server", Close())
        client = replace(lab.flow().client, port=lab.flow().client.port ^ 1)
        lab.flows["a"] = replace(lab.flow(), client=client)
        lab.call("client", Connect())
        lab.call("server", Accept())
        lab.call("client", Send(b"plain"))
        return lab.call("server", Read()).data


def test_a_new_connection_is_not_secure_before_it_starts_tls():
    assert forked(opened_again) == b"plain"


# --- foul records -------------------------------------------------------------------------------


def fouled(octets: bytes):
    """The client's socket sends what OpenSSL never wrote."""
    with secured() as lab:
        lab.testbed.hosts["client"]._applications._sockets.open("a").send(octets)
        lab.run()
        lab.carried.clear()
        first = lab.call("server", Read()).result
        alert = lengths(lab)
        later = lab.call("server", Read()).result, lab.call("server", Send(b"x")).result
        heard = lab.call("client", Read()).result
        closed = [lab.call(host, Close()).result for host in ("server", "client")]
        return first, alert, later, heard, closed


def test_a_forged_record_is_answered_by_an_alert_and_ends_the_session():
    assert forked(fouled, application_data(b"DELETE everything")) == (
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        [("server", 2 + RECORD_OCTETS)],
        ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC",) * 2,
        "SSLV3_ALERT_BAD_RECORD_MAC",
        ["0", "0"],
    )


@pytest.mark.parametrize(
    "octets", [b"DELETE /everything\r\n", bytes(40), b"\xff" * 40, b"\x16" * 9]
)
def test_octets_that_are_no_record_end_the_session_too(octets):
    first, alert, later, heard, closed = forked(fouled, octets)

    assert first in FAILURES
    assert alert == [("server", 2 + RECORD_OCTETS)]
    assert later == (first, first)
    assert heard in FAILURES
    assert "ALERT" in heard
    assert closed == ["0", "0"]


def test_a_record_holds_no_more_than_its_length_can_say():
    assert application_data(b"x") == b"\x17\x03\x03\x00\x01x"
    with pytest.raises(ValueError, match="holds no"):
        application_data(bytes(LARGEST_FRAGMENT_OCTETS + 1))


# --- the module ---------------------------------------------------------------------------------


def test_only_who_starts_tls_imports_ssl():
    modules = "tcplab.testbed.namespace, tcplab.experiment.on_testbed, tcplab.scenario.reader"
    code = f"import sys, {modules}; sys.exit('ssl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_key_says_of_itself_that_it_is_a_toy():
    with open(tls._TOY_SERVER, encoding="ascii") as file:
        assert "IT PROTECTS NOTHING" in file.readline()


def unavailable(monkey):
    """What a program is told that wants TLS."""
    monkey()
    with driven() as lab:
        lab.establish()
        with pytest.raises(UnavailableError) as raised:
            lab.call("server", StartTls())
        lab.call("client", Send(b"plain"))
        return str(raised.value), lab.call("server", Read()).data


def refuse_the_key():
    def refuse(*_):
        raise ssl.SSLError(1, "ee key too small")

    ssl.SSLContext.load_cert_chain = refuse


def lose_the_module():
    sys.modules["tcplab.testbed.tls"] = None


@pytest.mark.parametrize(
    ("monkey", "words"),
    [
        (refuse_the_key, "OpenSSL refuses TLS 1.3 with Ed25519"),
        (lose_the_module, "This Python cannot speak TLS"),
    ],
)
def test_where_there_is_no_tls_it_is_said(monkey, words):
    said, read = forked(unavailable, monkey)

    assert words in said
    assert read == b"plain"
