"""What applications can do on a kernel host, each on the real kernel."""

import os
import resource
import time
from dataclasses import replace

import pytest

from tcplab.scenario.calls import (
    Abort,
    Accept,
    Close,
    Connect,
    Drain,
    Error,
    Forget,
    Kill,
    Listen,
    Play,
    Read,
    Send,
    SetOption,
    Shutdown,
    Stream,
)
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.steps import Connection
from tcplab.tcp.states import State
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import Family
from tests.live import forked
from tests.testbed.driving import PATIENCE_S, driven, settings

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())

# --- opening ------------------------------------------------------------------------------------


def connected_unbound(family):
    with driven(family) as lab:
        asked = lab.flow().client
        lab.call("server", Listen())
        outcome = lab.call("client", Connect(bind=False))
        return asked, outcome, lab.call("server", Accept()).result, lab.states()


@every_family
def test_connect_without_bind_tells_the_address_that_the_kernel_chose(family):
    asked, outcome, accepted, states = forked(connected_unbound, family)

    assert outcome.result == "EINPROGRESS"
    assert outcome.local.ip == asked.ip
    assert outcome.local.port not in (0, asked.port)
    assert accepted == "0"
    assert states == (State.ESTABLISHED, State.ESTABLISHED)


def refused(listening: bool):
    with driven() as lab:
        if listening:
            lab.call("server", Listen())
        client = lab.testbed.hosts["client"]
        early = client.pending("a")
        outcome = client.call("a", lab.flow(), Connect())
        before = client.pending("a")
        lab.run()
        return early, outcome.result, before, client.pending("a"), client.pending("a")


def test_a_pending_connect_ends_with_its_error():
    assert forked(refused, listening=False) == ("EBADF", "EINPROGRESS", None, *["ECONNREFUSED"] * 2)


def test_a_pending_connect_ends_with_0():
    assert forked(refused, listening=True) == ("EBADF", "EINPROGRESS", None, "0", "0")


def connected_twice():
    with driven() as lab:
        lab.call("server", Listen())
        client = lab.testbed.hosts["client"]
        first = client.call("a", lab.flow(), Connect()).result
        second = client.call("a", lab.flow(), Connect()).result
        lab.run()
        third = client.call("a", lab.flow(), Connect()).result
        return first, second, third


def test_connect_on_an_open_connection_is_refused_as_the_kernel_does():
    assert forked(connected_twice) == ("EINPROGRESS", "EALREADY", "EISCONN")


def retried():
    """A connection that is refused at first, and opened once somebody listens."""
    with driven() as lab:
        lab.call("client", Connect())
        refusal = lab.testbed.hosts["client"].pending("a")
        lab.establish()
        return refusal


def test_a_refused_connect_can_be_tried_again():
    assert forked(retried) == "ECONNREFUSED"


def in_time_wait(reuse: int | None):
    """A second connect from a port that a connection in TIME-WAIT had."""
    with driven() as lab:
        lab.establish()
        lab.call("client", Close())
        lab.call("server", Close())
        assert lab.states()[0] is State.TIME_WAIT
        again = lab.testbed.flow(Connection(name="b", client_port="a", server_port=81), lab.flow())
        lab.flows["b"] = again
        lab.call("server", Listen(), "b")
        if reuse is not None:
            remembered = lab.call("client", SetOption(option="SO_REUSEADDR", values=(reuse,)), "b")
            assert remembered.arguments == f"SO_REUSEADDR = {reuse}, default 0"
        return again.client == lab.flow().client, lab.call("client", Connect(), "b").result


def test_a_port_in_time_wait_is_taken_without_so_reuseaddr():
    assert forked(in_time_wait, 0) == (True, "EADDRINUSE")


@pytest.mark.parametrize("reuse", [None, 1])
def test_a_port_in_time_wait_is_free_with_so_reuseaddr(reuse):
    assert forked(in_time_wait, reuse) == (True, "EINPROGRESS")


def accepted_out_of_order():
    with driven() as lab:
        lab.call("server", Listen(), "one")
        early = lab.call("server", Accept(), "one").result
        for conn in ("one", "two", "three"):
            lab.call("client", Connect(), conn)
            lab.call("client", Send(conn.encode()), conn)
        accepted = [lab.call("server", Accept(), conn).result for conn in ("two", "one", "three")]
        read = [lab.call("server", Read(), conn).data for conn in ("one", "two", "three")]
        return early, accepted, read, lab.call("server", Accept(), "two").result


def test_connections_are_accepted_in_whatever_order_the_steps_name_them():
    early, accepted, read, late = forked(accepted_out_of_order)

    assert early == "EAGAIN"
    assert accepted == ["0", "0", "0"]
    assert read == [b"one", b"two", b"three"]
    assert late == "EAGAIN"


def accepted_nowhere():
    with driven() as lab:
        return lab.call("server", Accept()).result


def crowded():
    """A server with room for its listener and one connection, and two clients."""
    hosts = tuple(
        replace(host, descriptors=2 if host.name == "server" else None) for host in settings()
    )
    with driven(hosts=hosts) as lab:
        lab.call("server", Listen())
        for conn in ("a", "b"):
            lab.call("client", Connect(), conn)
        results = [lab.call("server", Accept(), conn).result for conn in ("a", "b")]
        opened = lab.states("b")
        lab.call("server", Close())
        return results, opened, lab.call("server", Accept(), "b").result


def test_accept_without_a_descriptor_left_fails_and_the_connection_waits():
    results, opened, at_last = forked(crowded)

    assert results == ["0", "EMFILE"]
    assert opened == (State.ESTABLISHED, State.ESTABLISHED)
    assert at_last == "0"


def test_accept_without_a_listener_is_a_bad_descriptor():
    assert forked(accepted_nowhere) == "EBADF"


def listener_closed():
    with driven() as lab:
        lab.establish()
        server = lab.testbed.hosts["server"]
        counts = [server.descriptors()]
        lab.call("server", Close())  # the connection
        counts.append(server.descriptors())
        lab.call("server", Close())  # the listener
        counts.append(server.descriptors())
        lab.flags()
        lab.call("client", Connect(), "b")
        return counts, lab.call("server", Close()).result, lab.flags()


def test_close_closes_the_connection_and_then_the_listener_of_its_own():
    counts, again, flags = forked(listener_closed)

    assert counts == [2, 1, 0]
    assert again == "EBADF"
    assert flags == [("client", "S"), ("server", "RA")]


MANY = 200


def many():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with driven() as lab:
        lab.call("server", Listen(backlog=MANY), "c0")
        for number in range(MANY):
            lab.call("client", Connect(), f"c{number}")
            assert lab.call("server", Accept(), f"c{number}").result == "0"
        open_sockets = [host.descriptors() for host in lab.testbed.hosts.values()]
        began_s = time.monotonic()
        lab.testbed.close()
        return open_sockets, time.monotonic() - began_s


def test_hundreds_of_connections_fit_and_close_fast():
    open_sockets, seconds = forked(many)

    assert open_sockets == [MANY, MANY + 1]
    assert seconds < PATIENCE_S


# --- options and errors -------------------------------------------------------------------------

IDLE_S = 60
IDLE = SetOption(option="TCP_KEEPIDLE", values=(IDLE_S,))


def keepalive_set(when: str):
    """(the outcome, whether the kernel's keepalive timer is due within that time)."""
    with driven() as lab:
        keepalive = SetOption(option="SO_KEEPALIVE", values=(1,))
        if when == "before":
            outcome = lab.call("client", IDLE)
            lab.call("client", keepalive)
        lab.establish()
        if when == "after":
            outcome = lab.call("client", IDLE)
            lab.call("client", keepalive)
        info = lab.testbed.hosts["client"].info(lab.flow())
        return outcome.result, outcome.arguments, info["timer"], info["expires_ms"] <= IDLE_S * 1000


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_option_is_set_and_its_default_told(when):
    told = f"TCP_KEEPIDLE = {IDLE_S}, default 7200"
    assert forked(keepalive_set, when) == ("0", told, "keepalive", True)


def options_set(*options):
    with driven() as lab:
        lab.establish()
        outcomes = [lab.call("client", each) for each in options]
        return [(outcome.result, outcome.arguments) for outcome in outcomes]


def test_options_are_numbers_pairs_and_names():
    linger = SetOption(option="SO_LINGER", values=(1, 5))
    reno = SetOption(option="TCP_CONGESTION", values=("reno",))
    (set_linger, told_linger), (set_reno, told_reno) = forked(options_set, linger, reno)

    assert (set_linger, told_linger) == ("0", "SO_LINGER = {1, 5}, default {0, 0}")
    assert set_reno == "0"
    assert told_reno.startswith("TCP_CONGESTION = reno, default ")


def test_a_value_that_the_kernel_does_not_take_is_an_errno():
    wrong = SetOption(option="TCP_CONGESTION", values=("nonsense",))
    ((result, _arguments),) = forked(options_set, wrong)

    assert result == "ENOENT"


def test_an_option_that_is_none_is_an_errno():
    ((result, arguments),) = forked(options_set, SetOption(option="TCP_NONSENSE", values=(1,)))

    assert (result, arguments) == ("ENOPROTOOPT", "TCP_NONSENSE = 1")


def wrong_option_before():
    with driven() as lab:
        wrong = SetOption(option="TCP_CONGESTION", values=("nonsense",))
        return lab.call("client", wrong).result, lab.call("client", Connect()).result


def test_a_wrong_option_before_connect_fails_there():
    assert forked(wrong_option_before) == ("0", "ENOENT")


def errors_read():
    with driven() as lab:
        lab.establish()
        quiet = lab.call("client", Error()).result
        lab.call("server", Abort())
        return quiet, lab.call("client", Error()).result, lab.call("client", Error()).result


def test_reading_the_pending_error_takes_it_off_the_socket():
    assert forked(errors_read) == ("0", "ECONNRESET", "0")


def urgent():
    with driven() as lab:
        lab.establish()
        lab.carried.clear()
        lab.call("client", Send(b"now!", urgent=True))
        (segment,) = [segment for _sender, segment in lab.carried if segment.payload]
        return (
            segment.payload,
            segment.flags.letters,
            segment.urgent,
            lab.call("server", Read()).data,
        )


def test_urgent_data_is_the_last_octet_and_read_apart():
    payload, flags, pointer, read = forked(urgent)

    assert payload == b"now!"
    assert "U" in flags
    assert pointer == 4
    assert read == b"now"


# --- sockets that are taken away ----------------------------------------------------------------


def killed():
    with driven() as lab:
        lab.establish()
        lab.flags()
        outcome = lab.call("client", Kill())
        flags = lab.flags()
        errors = [lab.call(host, Read()).result for host in ("client", "server")]
        return outcome.result, flags, errors, lab.states()


def test_a_killed_socket_resets_its_peer():
    result, flags, errors, states = forked(killed)

    assert result == "0"
    assert [(sender, "R" in letters) for sender, letters in flags] == [("client", True)]
    assert errors == ["ECONNABORTED", "ECONNRESET"]
    assert states == (State.CLOSED, State.CLOSED)


def killed_before():
    with driven() as lab:
        lab.call("server", Listen())
        outcome = lab.call("server", Kill())
        lab.establish(listen=False)
        return outcome.result


def test_kill_does_not_take_the_listener_for_the_connection():
    assert forked(killed_before) == "ENOENT"


def forgotten():
    with driven() as lab:
        lab.establish()
        lab.flags()
        outcome = lab.call("server", Forget())
        silence = lab.flags()
        states = lab.states()
        lab.call("client", Send(b"still there?"))
        return outcome.result, silence, states, lab.flags(), lab.call("client", Read()).result


def test_a_forgotten_socket_says_nothing_until_the_peer_does():
    result, silence, states, flags, read = forked(forgotten)

    assert (result, silence) == ("0", [])
    assert states == (State.ESTABLISHED, State.CLOSED)
    assert flags == [("client", "PA"), ("server", "R")]
    assert read == "ECONNRESET"


def across_the_wrap(crafted, family):
    _client, server = settings()
    with driven(family, (HostSettings(name="client", crafted=crafted), server)) as lab:
        lab.call("server", Listen())
        lab.call("client", Connect(isn=2**32 - 6))
        lab.call("server", Accept())
        lab.call("client", Send(b"0123456789"))
        own = [int(segment.seq) for sender, segment in lab.carried if sender == "client"]
        return own, int(lab.carried[-1][1].ack), lab.call("server", Read()).data


@every_family
@pytest.mark.parametrize("crafted", [False, True], ids=["kernel", "crafted"])
def test_connect_begins_at_the_isn_that_it_was_given(crafted, family):
    numbers, acknowledged, data = forked(across_the_wrap, crafted, family)

    assert numbers == [2**32 - 6, 2**32 - 5, 2**32 - 5]
    assert (acknowledged, data) == (5, b"0123456789")


# --- in the background --------------------------------------------------------------------------

KIB_32 = 32 * 1024


def streamed(family, octets: int):
    with driven(family) as lab:
        lab.establish()
        client, server = lab.testbed.hosts["client"], lab.testbed.hosts["server"]
        begun = lab.call("server", Drain()).result, lab.call("client", Stream(octets=octets)).result
        lab.until(lambda: not client.busy)
        assert server.busy  # the end of the data has not come
        lab.call("client", Shutdown())
        lab.until(lambda: not server.busy)
        return begun, lab.told, client.octets("a"), server.octets("a")


@every_family
@pytest.mark.parametrize("octets", [0, 1, KIB_32, 5_000_000])
def test_a_stream_is_drained_to_its_end(family, octets):
    begun, told, sent, received = forked(streamed, family, octets)

    assert begun == ("0", "0")
    assert [(host, conn, name) for host, conn, name, _outcome in told] == [
        ("client", "a", "stream"),
        ("server", "a", "drain"),
    ]
    assert told[0][3].result == str(octets)
    assert (told[1][3].result, told[1][3].arguments) == ("0", f"{octets} octets")
    assert (sent, received) == ((0, octets), (octets, 0))


def streamed_into_a_reset():
    with driven() as lab:
        lab.establish()
        lab.call("client", Drain())
        lab.call("client", Stream(octets=50_000_000))
        lab.call("server", Abort())
        lab.until(lambda: not lab.testbed.hosts["client"].busy)
        return sorted((name, outcome.result) for _host, _conn, name, outcome in lab.told)


def test_a_reset_ends_both_with_an_errno():
    ended = forked(streamed_into_a_reset)

    assert [name for name, _result in ended] == ["drain", "stream"]
    assert {result for _name, result in ended} <= {"ECONNRESET", "EPIPE", "0"}
    assert "ECONNRESET" in {result for _name, result in ended}


def closed_meanwhile():
    with driven() as lab:
        lab.establish()
        lab.call("client", Drain())
        lab.call("client", Close())
        return lab.testbed.hosts["client"].busy, lab.told


def test_closing_ends_what_goes_on_in_the_background():
    assert forked(closed_meanwhile) == (False, [])


def nothing_to_stream_over():
    with driven() as lab:
        return [lab.call("client", call).result for call in (Stream(octets=1), Drain())]


def test_without_a_socket_nothing_begins():
    assert forked(nothing_to_stream_over) == ["EBADF", "EBADF"]


def played():
    """0.2 s of a film of 100 kB a second in two parts, of which the second comes after a stall,
    with the end of the film: however long this takes, the player does not run dry before that.
    """
    with driven() as lab:
        lab.establish()
        client, server = lab.testbed.hosts["client"], lab.testbed.hosts["server"]
        assert client.player("a") is None
        lab.call("client", Play(rate_octets=100_000, buffer_s=0.1))
        player = client.player("a")
        lab.call("server", Stream(octets=10_000))
        lab.until(lambda: player.stalls == 1)
        server.call("a", lab.flow(), Stream(octets=10_000))
        assert [outcome.result for _conn, _name, outcome in server.progress()] == ["10000"]
        lab.call("server", Shutdown())
        lab.until(lambda: not client.busy)
        said = [outcome.result for _host, _conn, name, outcome in lab.told if name == "play"]
        return said, player.stalls, client.octets("a"), client.next_ns()


def test_a_film_plays_stalls_goes_on_and_ends():
    assert forked(played) == (["play", "stall", "play", "0"], 1, (20_000, 0), None)


# --- waiting ------------------------------------------------------------------------------------


def woken():
    """How long arrivals() waits once an application could go on though no frame has come."""
    with driven() as lab:
        lab.establish()
        client, server = lab.testbed.hosts["client"], lab.testbed.hosts["server"]
        assert server.call("a", lab.flow(), Read()).result == "EAGAIN"
        client.call("a", lab.flow(), Send(b"x"))
        (data,) = lab.testbed.arrivals(PATIENCE_S)
        lab.testbed.deliver(data)
        (ack,) = lab.testbed.arrivals(PATIENCE_S)
        lab.testbed.deliver(ack)
        began_s = time.monotonic()
        woke = lab.testbed.arrivals(PATIENCE_S)
        once = time.monotonic() - began_s
        began_s = time.monotonic()
        lab.testbed.arrivals(0.05)  # it has been told: it does not spin
        return woke, once, time.monotonic() - began_s, server.call("a", lab.flow(), Read()).data


def test_arrivals_returns_when_a_waiting_application_can_go_on():
    woke, once_s, again_s, data = forked(woken)

    assert woke == []
    assert once_s < PATIENCE_S / 2
    assert again_s >= 0.05
    assert data == b"x"


# --- what is known of a socket ------------------------------------------------------------------


def infos():
    with driven() as lab:
        lab.call("server", Listen(backlog=7))
        client, server = lab.testbed.hosts["client"], lab.testbed.hosts["server"]
        nothing = client.info(lab.flow())
        listener = server.info(lab.flow())
        lab.call("client", Connect(), "b")
        queued = server.info(lab.flow())
        lab.establish(listen=False)
        client.call("a", lab.flow(), Send(bytes(100)))
        sending = client.info(lab.flow())
        lab.call("server", Abort())
        return nothing, listener, queued, sending, server.info(lab.flow())


def test_info_tells_queues_timers_and_tcp_info_of_the_connection_alone():
    nothing, listener, queued, sending, gone = forked(infos)

    assert nothing == {}
    assert (listener["receive_queue"], listener["send_queue"]) == (0, 7)
    assert queued["receive_queue"] == 1
    assert "rto" not in listener
    assert (sending["timer"], sending["send_queue"]) == ("retransmit", 100)
    assert sending["unacked"] == 1
    assert sending["backoff"] == sending["retransmits"] == 0
    assert sending["bytes_sent"] == 100
    assert sending["snd_wnd"] > 0
    assert gone == {}  # and not the listener's


def crafted_calls():
    hosts = (HostSettings(name="client", crafted=True), settings()[1])
    with driven(hosts=hosts) as lab:
        lab.establish()
        client = lab.testbed.hosts["client"]
        offered = lab.call("client", Send(b"hello")).result, client.octets("a")
        absent = [
            lab.call("client", call).result
            for call in (Error(), Kill(), Forget(), Drain(), Stream(octets=1), IDLE)
        ]
        return offered, absent, client.pending("a"), client.descriptors(), client.progress()


def test_a_crafted_host_says_which_calls_it_does_not_offer():
    offered, absent, pending, descriptors, progress = forked(crafted_calls)

    assert offered == ("5", (0, 5))
    assert set(absent) == {"ENOTSUP"}
    assert (pending, descriptors, progress) == ("0", 1, [])


def orphans() -> tuple[int, int]:
    """How many TCP sockets are in the server's namespace before and after a busy testbed's end."""
    with driven() as lab:
        lab.establish()
        lab.call("client", Drain())
        lab.testbed.hosts["server"].call("a", lab.flow(), Stream(octets=50_000_000))
        lab.testbed.hosts["server"].progress()
        server = Namespace.__new__(Namespace)
        server.fd = os.dup(lab.testbed._homes["server"].namespace.fd)
        before = sockets_in(server)
        lab.testbed.close()
        return before, sockets_in(server)


def sockets_in(namespace: Namespace) -> int:
    with namespace.entered(), open("/proc/thread-self/net/tcp") as table:
        return len(table.readlines()) - 1


def test_close_leaves_no_orphan_in_the_kernel():
    before, after = forked(orphans)

    assert before == 2  # the listener and the connection
    assert after == 0
