import pytest

from tcplab.scenario.shipped import How, handshake, remote, teardown
from tcplab.scenario.steps import (
    Abort,
    Accept,
    At,
    Close,
    Connect,
    Delivered,
    Hold,
    Listen,
    Read,
    Release,
    Send,
    Shutdown,
    Until,
)
from tcplab.tcp.states import State


def client(call):
    return At(host="client", call=call)


def server(call):
    return At(host="server", call=call)


def opening(data):
    return (
        server(Listen()),
        client(Connect()),
        server(Accept()),
        client(Send(data)),
        server(Read()),
    )


BOTH = frozenset({"client", "server"})


def test_handshake_opens_says_one_line_and_closes():
    scenario = handshake(b"hi\n")
    assert scenario.steps == (
        *opening(b"hi\n"),
        client(Close()),
        server(Read()),
        server(Close()),
    )
    assert scenario.quickack == BOTH


ENDINGS = {
    How.CLIENT_FIRST: (client(Close()), server(Read()), server(Close())),
    How.SERVER_FIRST: (server(Close()), client(Read()), client(Close())),
    How.SIMULTANEOUS: (Hold(), client(Close()), server(Close()), Release()),
    How.ABORT: (client(Abort()), server(Read()), server(Close())),
    How.HALF_CLOSE: (
        client(Shutdown()),
        server(Read()),
        server(Send(b"one\n")),
        server(Send(b"two\n")),
        server(Send(b"three\n")),
        client(Read()),
        server(Close()),
        client(Read()),
        client(Close()),
    ),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_teardown_begins_alike_and_ends_as_asked(how):
    scenario = teardown(how)
    assert scenario.steps == (*opening(b"hello\n"), *ENDINGS[how])
    assert scenario.quickack == BOTH


def test_three_segments_need_a_reply_and_no_quickack():
    scenario = teardown(How.THREE_SEGMENT)
    assert scenario.steps == (
        *opening(b"how are you?\n"),
        server(Send(b"fine\n")),
        client(Read()),
        client(Close()),
        server(Close()),
    )
    assert scenario.quickack == frozenset()


@pytest.mark.parametrize("how", How)
def test_every_teardown_has_its_own_name_and_words(how):
    scenario = teardown(how)
    assert scenario.name == how.value
    assert all(map(str, (scenario.title, scenario.story, scenario.notice)))


def test_remote_waits_for_what_the_other_end_does():
    assert remote(None).steps == (
        client(Connect()),
        Until(
            host="client",
            states=frozenset({State.ESTABLISHED, State.CLOSED}),
            within_s=16.0,
            final=frozenset({State.CLOSED}),
        ),
        client(Shutdown()),
        Until(host="client", states=frozenset({State.TIME_WAIT, State.CLOSED}), within_s=6.0),
        client(Close()),
    )


def test_remote_with_data_waits_for_its_acknowledgment():
    assert remote(b"hi").steps[2:4] == (
        client(Send(b"hi")),
        Delivered(host="client", within_s=6.0),
    )
