from dataclasses import replace

import pytest

from tcplab.scenario import catalogue
from tcplab.scenario.call_reader import alphabet
from tcplab.scenario.calls import (
    Abort,
    Accept,
    Close,
    Connect,
    Listen,
    Read,
    Send,
    Shutdown,
)
from tcplab.scenario.shipped import How, handshake, remote, teardown
from tcplab.scenario.steps import At, Delivered, Expect, On, Until
from tcplab.scenario.wire import Hold, Release
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


def played(scenario):
    """What is done, without what is expected of it."""
    return tuple(
        replace(step, result=None) if isinstance(step, At) else step
        for step in scenario.steps
        if not isinstance(step, Expect)
    )


def expected(scenario):
    return [step.predicate.text for step in scenario.steps if isinstance(step, Expect)]


def quick(scenario):
    return {host.name for host in scenario.hosts if host.quickack}


def test_handshake_opens_says_one_line_and_closes():
    scenario = handshake(b"hi\n")
    assert played(scenario) == (
        *opening(b"hi\n"),
        client(Close()),
        server(Read()),
        server(Close()),
    )
    assert quick(scenario) == {"client", "server"}
    assert expected(scenario)[0] == "client.state == TIME-WAIT and server.state == CLOSED"


def test_handshake_is_what_the_catalogue_reads_as_three_way():
    assert handshake(b"hello\n") == catalogue.load("three-way")


def test_handshake_notices_whether_its_data_came_whatever_that_is():
    scenario = handshake(b"hi\n")
    *_, last = expected(scenario)
    assert last.endswith("server.read.octets == client.wrote.octets and server.read.octets > 0")
    results = [
        step.result for step in scenario.steps if isinstance(step, At) and step.call == Read()
    ]
    assert results == [None, "0"]


ENDINGS = {
    How.CLIENT_FIRST: (client(Close()), server(Read()), server(Close())),
    How.SERVER_FIRST: (server(Close()), client(Read()), client(Close())),
    How.SIMULTANEOUS: (On(Hold()), client(Close()), server(Close()), On(Release())),
    How.ABORT: (client(Abort()), server(Read()), server(Close())),
    How.HALF_CLOSE: (
        client(Shutdown()),
        server(Read()),
        *(server(Send(alphabet(1200))),) * 3,
        client(Read()),
        server(Close()),
        client(Read()),
        client(Close()),
    ),
}
OUTCOMES = {
    How.CLIENT_FIRST: "client.state == TIME-WAIT and server.state == CLOSED",
    How.SERVER_FIRST: "server.state == TIME-WAIT and client.state == CLOSED",
    How.THREE_SEGMENT: "client.state == TIME-WAIT and server.state == CLOSED",
    How.HALF_CLOSE: "client.state == TIME-WAIT and server.state == CLOSED",
    How.SIMULTANEOUS: "client.state == TIME-WAIT and server.state == TIME-WAIT",
    How.ABORT: "client.state == CLOSED and server.state == CLOSED",
}


@pytest.mark.parametrize("how", ENDINGS)
def test_teardown_begins_alike_and_ends_as_asked(how):
    scenario = teardown(how)
    assert played(scenario) == (*opening(b"hello\n"), *ENDINGS[how])
    assert quick(scenario) == {"client", "server"}


def test_three_segments_need_a_reply_and_no_quickack():
    scenario = teardown(How.THREE_SEGMENT)
    assert played(scenario) == (
        *opening(b"how are you?\n"),
        server(Send(b"fine\n")),
        client(Read()),
        client(Close()),
        server(Close()),
    )
    assert quick(scenario) == set()


@pytest.mark.parametrize("how", How)
def test_every_teardown_has_its_own_name_and_states_its_outcome(how):
    scenario = teardown(how)
    assert scenario.name == how.value
    assert expected(scenario)[0] == OUTCOMES[how]
    assert {host.rto_min_ms for host in scenario.hosts} == {10_000}


@pytest.mark.parametrize("how", How)
def test_every_read_of_a_teardown_says_what_it_returns(how):
    reads = [
        step for step in teardown(how).steps if isinstance(step, At) and isinstance(step.call, Read)
    ]
    assert reads
    assert all(step.result is not None for step in reads)


def test_remote_waits_for_what_the_other_end_does():
    assert remote(None).steps == (
        client(Connect()),
        Until(
            host="client",
            states=frozenset({State.ESTABLISHED, State.CLOSE_WAIT, State.CLOSED}),
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
