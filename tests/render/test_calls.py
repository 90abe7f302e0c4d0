import pytest

from tcplab.render.calls import called
from tcplab.tcp.states import State
from tcplab.timeline.events import CallEvent, Lane, Source


@pytest.mark.parametrize(
    ("name", "arguments", "result", "words"),
    [
        ("close", "", "0", "close()"),
        ("close", "", "EBADF", "close() -> EBADF"),
        ("close", "SO_LINGER = {1, 5}", "EINPROGRESS", "close(SO_LINGER = {1, 5}) waits"),
        ("close", "SO_LINGER = {1, 5}", "0", "close(SO_LINGER = {1, 5}) -> 0"),
        ("connect", "", "EINPROGRESS", "connect()"),
        ("read", "", "0", "read() -> 0 (end of file)"),
        ("start-tls", "", "EINPROGRESS", "SSL_do_handshake()"),
        ("start-tls", "TLSv1.3, X", "0", "SSL_do_handshake() -> TLSv1.3, X"),
        ("start-tls", "", "ECONNRESET", "SSL_do_handshake() -> ECONNRESET"),
    ],
)
def test_a_call_as_a_line_of_c(name, arguments, result, words):
    event = CallEvent(
        i=0, at_ns=0, host="client", name=name, conn="a", result=result, arguments=arguments
    )
    assert str(called(event, becomes="->")) == words


@pytest.mark.parametrize(
    ("before", "after", "result", "words"),
    [
        (State.CLOSED, State.SYN_SENT, "EINPROGRESS", "connect()"),
        (State.SYN_SENT, State.SYN_SENT, "EINPROGRESS", "connect() -> EINPROGRESS"),
        (State.ESTABLISHED, State.ESTABLISHED, "0", "connect() -> 0"),
        (State.TIME_WAIT, State.SYN_SENT, "EINPROGRESS", "connect()"),
        (State.CLOSED, State.CLOSED, "EINPROGRESS", "connect()"),
        (State.CLOSED, State.CLOSED, "ETIMEDOUT", "connect() -> ETIMEDOUT"),
    ],
)
def test_a_connect_that_waited_says_how_it_ended(before, after, result, words):
    event = CallEvent(
        i=0,
        at_ns=0,
        host="client",
        name="connect",
        conn="a",
        result=result,
        lanes=(Lane(host="client", before=before, after=after, source=Source.SOCK_DIAG),),
    )
    assert str(called(event, becomes="->")) == words
