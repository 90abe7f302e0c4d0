"""Calls, timers and windows of one end, against segments written out by hand."""

from dataclasses import replace

import pytest

from tcplab.tcp.options import MaximumSegmentSize, NoOperation, Timestamps, WindowScale
from tcplab.tcp.states import State
from tests.tcp.ends import (
    ACK_OF_SYN,
    ISS,
    MSS,
    SECOND,
    SYN,
    SYN_ACK,
    WND,
    A,
    B,
    answers,
    in_state,
    new,
    opened_at_once,
    ours,
    theirs,
)

OUR_SYN = ours("S", seq=0, options=MSS)


def ticked(end, at_s):
    """What the endpoint sends at that second."""
    end.tick(round(at_s * SECOND))
    return end.take()


def errno_of(refusal):
    return refusal.value.args[1]


# ── OPEN ────────────────────────────────────────────────────────────────────────────────────────


def test_new_endpoint_is_closed_and_quiet():
    end = new()
    assert (end.state, end.take(), end.next_timer_ns, end.error, end.irs) == (
        State.CLOSED,
        [],
        None,
        None,
        None,
    )
    assert (end.local, end.remote, end.iss, end.snd_una, end.snd_nxt) == (A, B, ISS, ISS, ISS)


def test_active_open_sends_a_syn_without_ack():
    end = new()
    end.open(0)
    assert (end.take(), end.state) == ([OUR_SYN], State.SYN_SENT)


def test_each_segment_is_handed_out_once():
    end = new()
    end.open(0)
    end.take()
    assert end.take() == []


def test_passive_open_sends_nothing():
    end = new(remote=None)
    end.listen()
    assert (end.take(), end.state, end.next_timer_ns) == ([], State.LISTEN, None)


def test_active_open_of_a_listening_end():
    """§3.10.1: "change the connection from passive to active"."""
    end = in_state(State.LISTEN)
    end.open(0)
    assert (end.take(), end.state) == ([OUR_SYN], State.SYN_SENT)
    answers(end, theirs("RA", seq=0, ack=1))
    assert end.error == "ECONNREFUSED"


@pytest.mark.parametrize(
    "state", [state for state in State if state not in (State.CLOSED, State.LISTEN)]
)
def test_open_of_an_open_connection_is_refused(state):
    """§3.10.1: "error: connection already exists"."""
    with pytest.raises(OSError) as refusal:
        in_state(state).open(0)
    assert errno_of(refusal) == "EISCONN"


def test_open_without_a_remote_is_refused():
    """§3.10.1: "error: remote socket unspecified"."""
    with pytest.raises(OSError) as refusal:
        new(remote=None).open(0)
    assert errno_of(refusal) == "EDESTADDRREQ"


def test_default_offer_is_mss_and_the_least_sufficient_window_scale():
    end = new(offer=None, wnd_octets=65536)
    end.open(0)
    assert end.take()[0].options == (MaximumSegmentSize(1460), NoOperation(), WindowScale(1))


def test_option_that_could_not_be_honoured_is_not_offered():
    with pytest.raises(ValueError):
        new(offer=(*MSS, Timestamps(1, 0)))


# ── the SYN's timer ─────────────────────────────────────────────────────────────────────────────


def test_syn_is_sent_at_0_1_3_and_7_s_and_given_up_at_15_s():
    """RFC 6298 (5.5): "The host MUST set RTO <- RTO * 2 ("back off the timer")"."""
    end = new()
    end.open(0)
    assert end.take() == [OUR_SYN]
    due = []
    while end.next_timer_ns is not None:
        due.append(end.next_timer_ns / SECOND)
        assert ticked(end, due[-1] - 0.001) == []
        assert ticked(end, due[-1]) == ([OUR_SYN] if due[-1] < 15 else [])
    assert due == [1, 3, 7, 15]
    assert (end.state, end.error) == (State.CLOSED, "ETIMEDOUT")


def test_syn_ack_is_sent_again():
    end = in_state(State.SYN_RECEIVED)
    assert ticked(end, 1) == [ours("SA", seq=0, ack=1, options=MSS)]
    assert (answers(end, ACK_OF_SYN), end.state) == ([], State.ESTABLISHED)


def test_data_after_a_repeated_syn_waits_three_seconds():
    """RFC 6298 (5.7): "the RTO MUST be re-initialized to 3 seconds when data transmission
    begins".
    """
    end = in_state(State.SYN_SENT)
    ticked(end, 1)
    answers(end, SYN_ACK, now_ns=2 * SECOND)
    end.send(b"x", 2 * SECOND)
    assert end.next_timer_ns == 5 * SECOND


def test_once_a_round_trip_is_known_the_rto_is_never_below_its_least():
    """As with Linux's rto_min of a route: the SYN waits as ever."""
    end = in_state(State.SYN_SENT, rto_min_ns=10 * SECOND)
    assert end.next_timer_ns == SECOND
    answers(end, SYN_ACK, now_ns=SECOND // 2)
    end.send(b"x", SECOND // 2)
    assert end.next_timer_ns == SECOND // 2 + 10 * SECOND


def test_one_try_is_possible():
    end = in_state(State.SYN_SENT, syn_tries=1, rto_ns=100)
    end.tick(100)
    assert (end.take(), end.error) == ([], "ETIMEDOUT")


# ── what the network reports ────────────────────────────────────────────────────────────────────


def test_hard_error_ends_an_active_open():
    """§3.9.2.2: "TCP implementations SHOULD abort the connection"."""
    end = in_state(State.SYN_SENT)
    end.hard_error("ECONNREFUSED")
    assert (end.state, end.error, end.take(), end.next_timer_ns) == (
        State.CLOSED,
        "ECONNREFUSED",
        [],
        None,
    )


def test_hard_error_does_not_end_a_connection():
    """RFC 5927 §5.2: in a synchronized state it is a soft error."""
    end = in_state(State.ESTABLISHED)
    end.hard_error("ECONNREFUSED")
    assert (end.state, end.error) == (State.ESTABLISHED, None)


def test_soft_error_is_the_reason_of_a_later_time_out():
    """§3.9.2.2: "MUST NOT abort the connection" (MUST-56)."""
    end = in_state(State.SYN_SENT, syn_tries=1)
    end.soft_error("EHOSTUNREACH")
    assert end.state is State.SYN_SENT
    ticked(end, 1)
    assert (end.state, end.error) == (State.CLOSED, "EHOSTUNREACH")


# ── SEND ────────────────────────────────────────────────────────────────────────────────────────


def test_data_is_sent_at_once_with_push():
    end = in_state(State.ESTABLISHED)
    end.send(b"abc", 0)
    assert end.take() == [ours("PA", seq=1, ack=1, payload=b"abc")]


def test_long_data_is_split_and_only_its_last_segment_is_pushed():
    end = in_state(State.ESTABLISHED)
    end.send(bytes(3000), 0)
    assert end.take() == [
        ours("A", seq=1, ack=1, payload=bytes(1460)),
        ours("A", seq=1461, ack=1, payload=bytes(1460)),
        ours("PA", seq=2921, ack=1, payload=bytes(80)),
    ]


def test_data_waits_for_the_window_and_then_goes_on():
    end = in_state(State.SYN_SENT)
    answers(end, replace(SYN_ACK, wnd_octets=5))
    end.send(b"abcdefgh", 0)
    assert end.take() == [ours("A", seq=1, ack=1, payload=b"abcde")]
    assert answers(end, theirs("A", seq=1, ack=6, wnd=5)) == [
        ours("PA", seq=6, ack=1, payload=b"fgh")
    ]


def test_sliver_of_a_window_is_left_alone_until_the_timer_says_otherwise():
    """§3.8.6.2.1: the sender's silly window avoidance, with its override timeout."""
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("A", seq=1, ack=1, wnd=3))
    end.send(b"abcde", 0)
    assert [end.take(), ticked(end, 1)] == [[], [ours("A", seq=1, ack=1, payload=b"abc")]]


def test_initial_congestion_window_is_ten_segments():
    """RFC 6928 §2."""
    end = in_state(State.SYN_SENT)
    answers(end, replace(SYN_ACK, wnd_octets=60_000))
    end.send(bytes(30_000), 0)
    assert len(end.take()) == 10
    assert len(answers(end, theirs("A", seq=1, ack=1461, wnd=60_000))) == 2


def test_send_in_listen_opens_actively():
    """§3.10.2: "change the connection from passive to active, select an ISS. Send a SYN
    segment".
    """
    end = in_state(State.LISTEN)
    end.send(b"hi", 0)
    assert (end.take(), end.state) == ([OUR_SYN], State.SYN_SENT)
    assert answers(end, SYN_ACK) == [ours("PA", seq=1, ack=1, payload=b"hi")]


def test_send_in_syn_received_waits_for_established():
    end = in_state(State.SYN_RECEIVED)
    end.send(b"hi", 0)
    assert end.take() == []
    assert answers(end, ACK_OF_SYN) == [ours("PA", seq=1, ack=1, payload=b"hi")]


def test_send_in_close_wait_reaches_the_peer():
    end = in_state(State.CLOSE_WAIT)
    end.send(b"bye", 0)
    assert end.take() == [ours("PA", seq=1, ack=2, payload=b"bye", wnd=WND - 1)]


@pytest.mark.parametrize(
    ("state", "name"),
    [(State.CLOSED, "ENOTCONN"), (State.FIN_WAIT_1, "EPIPE"), (State.LAST_ACK, "EPIPE")],
)
def test_send_where_nothing_may_be_sent_is_refused(state, name):
    """§3.10.2: "error: connection does not exist", "error: connection closing"."""
    with pytest.raises(OSError) as refusal:
        in_state(state).send(b"x", 0)
    assert errno_of(refusal) == name


# ── retransmission ──────────────────────────────────────────────────────────────────────────────


def test_data_is_sent_again_until_it_is_acknowledged():
    end = in_state(State.ESTABLISHED)
    end.send(b"abc", 0)
    data = ours("PA", seq=1, ack=1, payload=b"abc")
    assert [end.take(), ticked(end, 1), ticked(end, 2.9), ticked(end, 3)] == [
        [data],
        [data],
        [],
        [data],
    ]
    assert answers(end, theirs("A", seq=1, ack=4), now_ns=4 * SECOND) == []
    assert end.next_timer_ns is None


def test_data_is_given_up_after_data_tries():
    end = in_state(State.ESTABLISHED, data_tries=2)
    end.send(b"abc", 0)
    ticked(end, 1)
    assert (ticked(end, 3), end.state, end.error) == ([], State.CLOSED, "ETIMEDOUT")


def test_fin_is_sent_again():
    end = in_state(State.FIN_WAIT_1)
    assert ticked(end, 1) == [ours("FA", seq=1, ack=1)]


def test_only_the_first_segment_is_sent_again_and_the_rest_after_its_ack():
    """RFC 6298 (5.4): "Retransmit the earliest segment that has not been acknowledged"."""
    end = in_state(State.ESTABLISHED)
    end.send(bytes(4000), 0)
    assert len(end.take()) == 3
    assert ticked(end, 1) == [ours("A", seq=1, ack=1, payload=bytes(1460))]
    assert answers(end, theirs("A", seq=1, ack=1461), now_ns=SECOND) == [
        ours("A", seq=1461, ack=1, payload=bytes(1460)),
        ours("PA", seq=2921, ack=1, payload=bytes(1080)),
    ]


def test_third_duplicate_ack_sends_again_without_waiting():
    """RFC 5681 §3.2."""
    end = in_state(State.ESTABLISHED)
    end.send(bytes(4000), 0)
    end.take()
    duplicate = theirs("A", seq=1, ack=1)
    assert [len(answers(end, duplicate)) for _ in range(4)] == [0, 0, 1, 0]


def test_rto_follows_a_slow_path():
    """RFC 6298 (2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR."""
    end = in_state(State.SYN_SENT)
    answers(end, SYN_ACK, now_ns=SECOND * 8 // 10)
    end.send(b"x", SECOND)
    assert end.next_timer_ns == SECOND + 3 * SECOND * 8 // 10


def test_ack_of_repeated_data_measures_nothing_and_the_back_off_stays():
    """Karn's rule (RFC 6298, sections 3 and 5)."""
    end = in_state(State.ESTABLISHED)
    end.send(b"abc", 0)
    ticked(end, 1)
    answers(end, theirs("A", seq=1, ack=4), now_ns=SECOND)
    end.send(b"def", SECOND)
    assert end.next_timer_ns == 3 * SECOND


def test_rto_is_never_less_than_a_second():
    """RFC 6298 (2.4)."""
    end = in_state(State.SYN_SENT)
    answers(end, SYN_ACK, now_ns=1000)
    end.send(b"x", 1000)
    assert end.next_timer_ns == SECOND + 1000


# ── closed windows ──────────────────────────────────────────────────────────────────────────────


def test_closed_window_is_probed_as_long_as_the_peer_answers():
    """§3.8.6.1: "the sending TCP peer MUST allow the connection to stay open" (MUST-37)."""
    end = in_state(State.ESTABLISHED, data_tries=2)
    answers(end, theirs("A", seq=1, ack=1, wnd=0))
    end.send(b"abc", 0)
    assert (end.take(), end.state) == ([], State.ESTABLISHED)
    for _ in range(5):
        at_ns = end.next_timer_ns
        assert ticked(end, at_ns / SECOND) == [ours("A", seq=0, ack=1)]
        assert answers(end, theirs("A", seq=1, ack=1, wnd=0), now_ns=at_ns) == []
    assert answers(end, theirs("A", seq=1, ack=1), now_ns=at_ns) == [
        ours("PA", seq=1, ack=1, payload=b"abc")
    ]


def test_probes_that_nobody_answers_are_given_up():
    end = in_state(State.ESTABLISHED, data_tries=2)
    answers(end, theirs("A", seq=1, ack=1, wnd=0))
    end.send(b"abc", 0)
    ticked(end, 1)
    ticked(end, 3)
    assert (end.state, end.error) == (State.CLOSED, "ETIMEDOUT")


def test_fin_waits_behind_a_closed_window():
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("A", seq=1, ack=1, wnd=0))
    end.shutdown(0)
    assert (end.take(), end.state) == ([], State.FIN_WAIT_1)
    assert answers(end, theirs("A", seq=1, ack=1, wnd=1)) == [ours("FA", seq=1, ack=1)]


def test_reader_reopens_a_closed_window():
    """§3.8.6.2.2: no silly little step, and not before half the buffer is free."""
    end = in_state(State.ESTABLISHED, wnd_octets=1000)
    segment = theirs("PA", seq=1, ack=1, payload=bytes(1000))
    assert answers(end, segment) == [ours("A", seq=1, ack=1001, wnd=0)]
    assert (end.read(499), end.take()) == (bytes(499), [])
    assert (end.read(1), end.take()) == (b"\0", [ours("A", seq=1, ack=1001, wnd=500)])


def test_reader_tells_nothing_to_a_peer_that_has_sent_its_fin():
    end = in_state(State.ESTABLISHED, wnd_octets=1000)
    answers(end, theirs("PA", seq=1, ack=1, payload=bytes(900)))
    answers(end, theirs("FA", seq=901, ack=1))
    assert (end.read(900), end.take()) == (bytes(900), [])


def test_offered_window_never_shrinks():
    """§3.8.6: "A TCP receiver SHOULD NOT shrink the window" (SHLD-14): its right edge stays."""
    end = in_state(State.ESTABLISHED)
    for n in range(10):
        segment = theirs("PA", seq=1 + 700 * n, ack=1, payload=bytes(700))
        [ack] = answers(end, segment)
        assert ack == ours("A", seq=1, ack=701 + 700 * n, wnd=WND - 700 * (n + 1))


# ── RECEIVE ─────────────────────────────────────────────────────────────────────────────────────


def test_read_takes_no_more_than_asked():
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("PA", seq=1, ack=1, payload=b"abcde"))
    assert (end.read(2), end.unread_octets, end.read(99), end.read(99)) == (b"ab", 3, b"cde", b"")


def test_end_of_file_comes_after_the_last_octet():
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("FPA", seq=1, ack=1, payload=b"abc"))
    assert (end.eof, end.read(99), end.eof) == (False, b"abc", True)


def test_what_came_before_a_reset_can_be_read():
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("PA", seq=1, ack=1, payload=b"abc"))
    answers(end, theirs("R", seq=4))
    assert (end.state, end.read(99), end.take()) == (State.CLOSED, b"abc", [])


# ── CLOSE ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "sent", "new_state"),
    [
        (State.LISTEN, [], State.CLOSED),
        (State.SYN_SENT, [], State.CLOSED),
        (State.SYN_RECEIVED, [ours("FA", seq=1, ack=1)], State.FIN_WAIT_1),
        (State.ESTABLISHED, [ours("FA", seq=1, ack=1)], State.FIN_WAIT_1),
        (State.CLOSE_WAIT, [ours("FA", seq=1, ack=2, wnd=WND - 1)], State.LAST_ACK),
        (State.FIN_WAIT_1, [], State.FIN_WAIT_1),
        (State.FIN_WAIT_2, [], State.FIN_WAIT_2),
        (State.CLOSING, [], State.CLOSING),
        (State.LAST_ACK, [], State.LAST_ACK),
        (State.TIME_WAIT, [], State.TIME_WAIT),
    ],
)
@pytest.mark.parametrize("call", ["close", "shutdown"])
def test_close(state, sent, new_state, call):
    """§3.10.4."""
    end = in_state(state)
    getattr(end, call)(0)
    assert (end.take(), end.state) == (sent, new_state)


def test_close_of_a_closed_end_is_fine():
    end = new()
    end.close(0)
    assert (end.take(), end.state) == ([], State.CLOSED)


def test_shutdown_of_a_closed_end_is_refused():
    with pytest.raises(OSError) as refusal:
        new().shutdown(0)
    assert errno_of(refusal) == "ENOTCONN"


def test_fin_follows_the_data():
    """§3.10.4: "Queue this until all preceding SENDs have been segmentized, then form a FIN"."""
    end = in_state(State.SYN_SENT)
    answers(end, replace(SYN_ACK, wnd_octets=3))
    end.send(b"abcde", 0)
    end.close(0)
    assert (end.take(), end.state) == ([ours("A", seq=1, ack=1, payload=b"abc")], State.FIN_WAIT_1)
    assert answers(end, theirs("A", seq=1, ack=4)) == [ours("FPA", seq=4, ack=1, payload=b"de")]


def test_close_in_syn_received_waits_behind_data():
    """§3.10.4: "otherwise, queue for processing after entering ESTABLISHED state"."""
    end = in_state(State.SYN_RECEIVED)
    end.send(b"hi", 0)
    end.close(0)
    assert (end.take(), end.state) == ([], State.SYN_RECEIVED)
    assert answers(end, ACK_OF_SYN) == [ours("FPA", seq=1, ack=1, payload=b"hi")]
    assert end.state is State.FIN_WAIT_1


def test_close_in_syn_received_survives_a_lost_syn_ack():
    end = opened_at_once()
    end.close(0)
    assert end.take() == [ours("FA", seq=1, ack=1)]
    assert ticked(end, 1) == [ours("SA", seq=0, ack=1, options=MSS)]
    assert answers(end, ACK_OF_SYN, now_ns=SECOND) == [ours("FA", seq=1, ack=1)]
    assert (answers(end, theirs("A", seq=1, ack=2)), end.state) == ([], State.FIN_WAIT_2)


def test_close_with_unread_data_resets():
    """§3.6.1, SHLD-3: "SHOULD send a RST to show that data was lost"."""
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("PA", seq=1, ack=1, payload=b"abc"))
    end.close(0)
    assert (end.take(), end.state) == ([ours("RA", seq=1, ack=4, wnd=0)], State.CLOSED)


def test_close_with_unread_data_in_time_wait_is_too_late_to_reset():
    end = in_state(State.FIN_WAIT_2)
    answers(end, theirs("FPA", seq=1, ack=2, payload=b"abc"))
    end.close(0)
    assert (end.take(), end.state) == ([], State.TIME_WAIT)


def test_shutdown_leaves_the_other_direction_open():
    end = in_state(State.FIN_WAIT_2)
    answers(end, theirs("PA", seq=1, ack=2, payload=b"abc"))
    assert end.read(9) == b"abc"


def test_time_wait_ends_after_2_msl():
    end = in_state(State.TIME_WAIT, time_wait_ns=7 * SECOND)
    assert (ticked(end, 6.9), end.state) == ([], State.TIME_WAIT)
    assert (ticked(end, 7), end.state, end.next_timer_ns) == ([], State.CLOSED, None)


# ── ABORT ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        (State.CLOSED, []),
        (State.LISTEN, []),
        (State.SYN_SENT, []),
        (State.SYN_RECEIVED, [ours("RA", seq=1, ack=1, wnd=0)]),
        (State.ESTABLISHED, [ours("RA", seq=1, ack=1, wnd=0)]),
        (State.FIN_WAIT_1, [ours("RA", seq=2, ack=1, wnd=0)]),
        (State.FIN_WAIT_2, [ours("RA", seq=2, ack=1, wnd=0)]),
        (State.CLOSE_WAIT, [ours("RA", seq=1, ack=2, wnd=0)]),
        (State.CLOSING, []),
        (State.LAST_ACK, []),
        (State.TIME_WAIT, []),
    ],
)
def test_abort(state, sent):
    """§3.10.5: "Send a reset segment <SEQ=SND.NXT><CTL=RST>"; in the last three states there is
    nobody left to tell.
    """
    end = in_state(state)
    end.abort(0)
    assert (end.take(), end.state, end.next_timer_ns) == (sent, State.CLOSED, None)


def test_aborted_end_resets_what_still_comes():
    """§3.5.2, group 1."""
    end = in_state(State.ESTABLISHED)
    end.abort(0)
    end.take()
    [rst] = answers(end, theirs("PA", seq=1, ack=1, payload=b"abc"))
    assert (rst.flags.letters, rst.seq) == ("R", ISS + 1)


def test_reopening_a_used_endpoint_is_refused():
    end = in_state(State.ESTABLISHED)
    end.abort(0)
    with pytest.raises(OSError):
        end.open(0)
    with pytest.raises(OSError):
        end.listen()


def test_syn_is_not_answered_by_a_used_listener():
    end = in_state(State.LISTEN)
    end.close(0)
    [rst] = answers(end, SYN)
    assert rst.flags.letters == "RA"
