"""close() with SO_LINGER on the real kernel: it waits, and the wire goes on meanwhile."""

import time

from tcplab.scenario.calls import Close, SetOption
from tcplab.tcp.states import State
from tests.live import forked
from tests.testbed.driving import PATIENCE_S, driven

LONG_S = 3600


def linger(seconds: int) -> SetOption:
    return SetOption(option="SO_LINGER", values=(1, seconds))


def closed_to_a_silent_peer():
    with driven() as lab:
        lab.establish()
        lab.call("client", linger(1))
        began_s = time.monotonic()
        # Nothing is carried from here on.
        outcome = lab.testbed.hosts["client"].call("a", lab.flow(), Close())
        client = lab.testbed.hosts["client"]
        states, busy = lab.states(), client.busy
        told = []
        while not told and time.monotonic() < began_s + PATIENCE_S:
            lab.testbed.arrivals(PATIENCE_S)
            told = client.progress()
        return outcome, states, busy, told, time.monotonic() - began_s, lab.states(), client.busy


def test_close_that_lingers_returns_0_when_its_time_is_over_and_nobody_has_answered():
    outcome, states, busy, told, took_s, later, busy_later = forked(closed_to_a_silent_peer)

    assert (outcome.result, outcome.arguments) == ("EINPROGRESS", "SO_LINGER = {1, 1}")
    assert states == (State.FIN_WAIT_1, State.ESTABLISHED)
    assert busy
    assert [(conn, name, ended.result) for conn, name, ended in told] == [("a", "close", "0")]
    assert took_s >= 1
    assert later == (State.FIN_WAIT_1, State.ESTABLISHED)
    assert not busy_later


def closed_to_a_peer_that_answers():
    with driven() as lab:
        lab.establish()
        lab.call("client", linger(LONG_S))
        lab.call("client", Close())
        lab.until(lambda: bool(lab.told))
        return lab.told, lab.states(), lab.testbed.hosts["client"].descriptors()


def test_close_that_lingers_returns_as_soon_as_its_fin_is_acknowledged():
    told, states, descriptors = forked(closed_to_a_peer_that_answers)

    assert [(host, name, ended.result) for host, _conn, name, ended in told] == [
        ("client", "close", "0")
    ]
    assert states == (State.FIN_WAIT_2, State.CLOSE_WAIT)
    assert descriptors == 0


def given_up():
    with driven() as lab:
        lab.establish()
        lab.call("client", linger(LONG_S))
        lab.testbed.hosts["client"].call("a", lab.flow(), Close())
        return "over"


def test_a_run_ends_though_a_close_still_lingers():
    assert forked(given_up) == "over"
