"""SEGMENT ARRIVES, state by state, in the order of RFC 9293 §3.10.7. Sections quoted are of RFC
9293.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.tcp.options import MaximumSegmentSize, NoOperation, WindowScale
from tcplab.tcp.segment import Address
from tcplab.tcp.sequence import ZERO
from tcplab.tcp.states import State
from tests.tcp.ends import (
    ACK_OF_SYN,
    FIN,
    IRS,
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
    reset,
    theirs,
)
from tests.tcp.segments import segments

OUR_SYN_ACK = ours("SA", seq=0, ack=1, options=MSS)
SYNCHRONIZED = [state for state in State if state.synchronized]
AFTER_OUR_FIN = {State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSING, State.LAST_ACK, State.TIME_WAIT}
AFTER_THEIR_FIN = {State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK, State.TIME_WAIT}


def pure_ack(state):
    """<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> of an end in `state`."""
    fin_in = state in AFTER_THEIR_FIN
    wnd = WND - 1 if fin_in else WND  # their FIN has taken one number of the window
    return ours("A", seq=2 if state in AFTER_OUR_FIN else 1, ack=2 if fin_in else 1, wnd=wnd)


def their_next(state):
    """SEG.SEQ of the segment that an end in `state` expects."""
    return 2 if state in AFTER_THEIR_FIN else 1


# ── §3.10.7.1 CLOSED ────────────────────────────────────────────────────────────────────────────


def test_closed_rst_is_ignored():
    """ "An incoming segment containing a RST is discarded." """
    assert answers(new(), theirs("RA", seq=7, ack=7)) == []


def test_closed_ack_is_reset_with_its_ack_number():
    """ "<SEQ=SEG.ACK><CTL=RST>" """
    assert answers(new(), theirs("A", seq=7, ack=9)) == [reset(seq=ISS + 9)]


def test_closed_syn_is_reset_with_sequence_number_zero():
    """ "<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>" """
    assert answers(new(), theirs("S", seq=7)) == [reset(seq=ZERO, ack=IRS + 8)]


def test_closed_data_without_ack_is_acknowledged_by_the_rst():
    segment = theirs("P", seq=7, payload=b"abc")
    assert answers(new(), segment) == [reset(seq=ZERO, ack=IRS + 10)]


# ── §3.10.7.2 LISTEN ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("letters", ["R", "RA", "SR"])
def test_listen_rst_is_ignored(letters):
    """ "first check for a RST: An incoming RST should be ignored." """
    end = in_state(State.LISTEN)
    assert (answers(end, theirs(letters, seq=0, ack=1)), end.state) == ([], State.LISTEN)


@pytest.mark.parametrize("letters", ["A", "SA", "FA"])
def test_listen_ack_is_reset(letters):
    """ "second check for an ACK: Any acknowledgment is bad if it arrives on a connection still in
    the LISTEN state."
    """
    end = in_state(State.LISTEN)
    assert answers(end, theirs(letters, seq=0, ack=9)) == [reset(seq=ISS + 9)]
    assert end.state is State.LISTEN


def test_listen_syn_is_answered_with_syn_ack():
    """ "<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>"; "The connection state should be changed to
    SYN-RECEIVED."
    """
    end = in_state(State.LISTEN)
    assert answers(end, SYN) == [OUR_SYN_ACK]
    assert (end.state, end.irs, end.rcv_nxt, end.snd_nxt) == (
        State.SYN_RECEIVED,
        IRS,
        IRS + 1,
        ISS + 1,
    )


@pytest.mark.parametrize("letters", ["", "F", "P"])
def test_listen_anything_else_is_dropped(letters):
    """ "fourth other data or control: ... it should be dropped" """
    end = in_state(State.LISTEN)
    assert (answers(end, theirs(letters, seq=0, payload=b"x")), end.state) == ([], State.LISTEN)


def test_listen_to_anybody_takes_the_remote_of_the_syn():
    end = in_state(State.LISTEN, remote=None)
    assert answers(end, SYN) == [OUR_SYN_ACK]
    assert end.remote == B


def test_listen_to_somebody_ignores_others():
    end = in_state(State.LISTEN)
    assert answers(end, replace(SYN, src=Address("192.0.2.9", 80))) == []
    assert end.state is State.LISTEN


def test_listen_data_on_the_syn_is_not_acknowledged():
    """It comes again with the next segment."""
    assert answers(in_state(State.LISTEN), replace(SYN, payload=b"early")) == [OUR_SYN_ACK]


# ── §3.10.7.3 SYN-SENT ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("letters", ["A", "SA", "FA"])
@pytest.mark.parametrize("ack", [0, 2], ids=["SEG.ACK =< ISS", "SEG.ACK > SND.NXT"])
def test_syn_sent_bad_ack_is_reset_and_the_syn_is_sent_again(letters, ack):
    """ "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset": the recovery from a half-open
    connection (§3.5.1, figure 9).
    """
    end = in_state(State.SYN_SENT)
    segment = replace(theirs(letters, seq=300, ack=1), ack=ISS + ack)
    assert answers(end, segment) == [reset(seq=ISS + ack)]
    assert end.state is State.SYN_SENT
    end.tick(SECOND)
    assert end.take() == [ours("S", seq=0, options=MSS)]
    assert answers(end, SYN_ACK) == [ours("A", seq=1, ack=1)]


def test_syn_sent_rst_with_acceptable_ack_refuses():
    """ "signal to the user "error: connection reset", drop the segment, enter CLOSED state" """
    end = in_state(State.SYN_SENT)
    assert answers(end, theirs("RA", seq=0, ack=1)) == []
    assert (end.state, end.error, end.next_timer_ns) == (State.CLOSED, "ECONNREFUSED", None)


@pytest.mark.parametrize(
    "segment",
    [theirs("R", seq=0), replace(theirs("RA", seq=0, ack=1), ack=ISS), theirs("RA", seq=0, ack=2)],
    ids=["no ACK", "ACK too old", "ACK of what was never sent"],
)
def test_syn_sent_rst_bad_ack_is_ignored(segment):
    """ "Otherwise (no ACK), drop the segment and return." """
    end = in_state(State.SYN_SENT)
    assert (answers(end, segment), end.state) == ([], State.SYN_SENT)


def test_syn_sent_syn_ack_establishes():
    """ "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>" """
    end = in_state(State.SYN_SENT)
    assert answers(end, SYN_ACK) == [ours("A", seq=1, ack=1)]
    assert (end.state, end.irs, end.snd_una, end.snd_wnd) == (State.ESTABLISHED, IRS, ISS + 1, WND)


def test_syn_sent_syn_makes_syn_received():
    """ "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment" """
    end = in_state(State.SYN_SENT)
    assert answers(end, SYN) == [OUR_SYN_ACK]
    assert end.state is State.SYN_RECEIVED


@pytest.mark.parametrize("letters", ["", "A", "FA", "PA"])
def test_syn_sent_without_syn_or_rst_is_dropped(letters):
    """ "fifth, if neither of the SYN or RST bits is set, then drop the segment and return" """
    end = in_state(State.SYN_SENT)
    assert (answers(end, theirs(letters, seq=1, ack=1)), end.state) == ([], State.SYN_SENT)


def test_syn_sent_data_and_fin_on_the_syn_ack_are_taken():
    """ "If there are other controls or text in the segment, then continue processing at the sixth
    step"
    """
    end = in_state(State.SYN_SENT)
    segment = theirs("SFA", seq=0, ack=1, payload=b"banner", options=MSS)
    assert answers(end, segment) == [ours("A", seq=1, ack=8, wnd=WND - 7)]
    assert (end.state, end.read(99), end.eof) == (State.CLOSE_WAIT, b"banner", True)


def test_syn_sent_queued_data_rides_on_the_ack():
    end = in_state(State.SYN_SENT)
    end.send(b"hi", 0)
    assert answers(end, SYN_ACK) == [ours("PA", seq=1, ack=1, payload=b"hi")]


# ── §3.10.7.4 first: the sequence number ────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", SYNCHRONIZED)
@pytest.mark.parametrize("offset", [-1, WND + 1], ids=["before the window", "behind the window"])
def test_synchronized_unacceptable_segment_is_answered_with_ack(state, offset):
    """ "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless
    the RST bit is set ...)"
    """
    end = in_state(state)
    segment = theirs("A", seq=their_next(state) + offset, ack=1)
    assert (answers(end, segment), end.state) == ([pure_ack(state)], state)


def test_syn_received_unacceptable_segment_is_answered_with_ack():
    end = in_state(State.SYN_RECEIVED)
    assert answers(end, theirs("A", seq=1 + WND, ack=1)) == [ours("A", seq=1, ack=1)]
    assert end.state is State.SYN_RECEIVED


def test_established_repeated_data_is_acknowledged_again():
    end = in_state(State.ESTABLISHED)
    data = theirs("PA", seq=1, ack=1, payload=b"abc")
    ack = ours("A", seq=1, ack=4, wnd=WND - 3)
    assert [answers(end, data), answers(end, data), end.read(99)] == [[ack], [ack], b"abc"]


def test_established_known_part_of_a_segment_is_trimmed():
    """ "One could tailor actual segments to fit this assumption by trimming off any portions that
    lie outside the window (including SYN and FIN)."
    """
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("PA", seq=1, ack=1, payload=b"abc"))
    assert answers(end, theirs("PA", seq=2, ack=1, payload=b"bcde")) == [
        ours("A", seq=1, ack=6, wnd=WND - 5)
    ]
    assert end.read(99) == b"abcde"


def test_established_part_behind_the_window_is_trimmed_with_its_fin():
    end = in_state(State.ESTABLISHED, wnd_octets=4)
    segment = theirs("FPA", seq=1, ack=1, payload=b"abcdef")
    assert answers(end, segment) == [ours("A", seq=1, ack=5, wnd=0)]
    assert (end.state, end.read(99)) == (State.ESTABLISHED, b"abcd")


def test_established_segment_out_of_order_is_answered_with_a_duplicate_ack():
    end = in_state(State.ESTABLISHED)
    assert answers(end, theirs("PA", seq=4, ack=1, payload=b"def")) == [ours("A", seq=1, ack=1)]
    assert end.unread_octets == 0


def test_established_fin_out_of_order_is_not_processed():
    end = in_state(State.ESTABLISHED)
    assert answers(end, theirs("FA", seq=4, ack=1)) == [ours("A", seq=1, ack=1)]
    assert (end.state, end.eof) == (State.ESTABLISHED, False)


def test_established_closed_window_still_takes_an_ack():
    """ "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be
    made to accept valid ACKs, URGs, and RSTs."
    """
    end = in_state(State.ESTABLISHED, wnd_octets=3)
    answers(end, theirs("PA", seq=1, ack=1, payload=b"abc"))
    end.send(b"xy", 0)
    end.take()
    segment = theirs("PA", seq=4, ack=3, payload=b"d")
    assert answers(end, segment) == [ours("A", seq=3, ack=4, wnd=0)]
    assert (end.snd_una, end.read(99)) == (ISS + 3, b"abc")


def test_established_keepalive_is_answered():
    """§3.8.4: a probe with SEG.SEQ = SND.NXT-1 is out of the window by intent."""
    assert answers(in_state(State.ESTABLISHED), theirs("A", seq=0, ack=1)) == [
        ours("A", seq=1, ack=1)
    ]


# ── §3.10.7.4 second: the RST bit ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (State.ESTABLISHED, "ECONNRESET"),
        (State.FIN_WAIT_1, "ECONNRESET"),
        (State.FIN_WAIT_2, "ECONNRESET"),
        (State.CLOSE_WAIT, "ECONNRESET"),
        (State.CLOSING, None),
        (State.LAST_ACK, None),
        (State.TIME_WAIT, None),
    ],
)
def test_synchronized_exact_rst_closes(state, error):
    """ "Users should also receive an unsolicited general "connection reset" signal"; in the last
    three states "enter the CLOSED state, delete the TCB, and return".
    """
    end = in_state(state)
    assert answers(end, theirs("R", seq=their_next(state))) == []
    assert (end.state, end.error, end.next_timer_ns) == (State.CLOSED, error, None)


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_synchronized_rst_in_the_window_is_challenged(state):
    """RFC 5961 §3.2: "the segment is acceptable but not exact: send a challenge ACK"."""
    end = in_state(state)
    assert answers(end, theirs("R", seq=their_next(state) + 1)) == [pure_ack(state)]
    assert end.state is state


@pytest.mark.parametrize("state", SYNCHRONIZED)
@pytest.mark.parametrize("offset", [-1, WND], ids=["before the window", "behind the window"])
def test_synchronized_rst_outside_the_window_is_dropped(state, offset):
    end = in_state(state)
    assert answers(end, theirs("R", seq=their_next(state) + offset)) == []
    assert end.state is state


def test_syn_received_rst_after_passive_open_returns_to_listen():
    """ "If this connection was initiated with a passive OPEN ..., then return this connection to
    LISTEN state and return. The user need not be informed."
    """
    end = in_state(State.SYN_RECEIVED, remote=None)
    assert answers(end, theirs("R", seq=1)) == []
    assert (end.state, end.error, end.remote, end.next_timer_ns) == (
        State.LISTEN,
        None,
        None,
        None,
    )


def test_syn_received_again_after_listen_uses_another_isn():
    """§3.4.1: an ISN is not to be used twice."""
    end = in_state(State.SYN_RECEIVED)
    answers(end, theirs("R", seq=1))
    [syn_ack] = answers(end, SYN)
    assert (syn_ack, end.state) == (replace(OUR_SYN_ACK, seq=ISS + 64_000), State.SYN_RECEIVED)


def test_syn_received_rst_after_active_open_refuses():
    """ "if the connection was initiated with an active OPEN ..., then ... "connection refused" """
    end = opened_at_once()
    assert answers(end, theirs("R", seq=1)) == []
    assert (end.state, end.error) == (State.CLOSED, "ECONNREFUSED")


# ── §3.10.7.4 fourth: the SYN bit ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", SYNCHRONIZED)
@pytest.mark.parametrize("seq", [0, 7, 70_000], ids=["the old SYN", "in window", "elsewhere"])
def test_synchronized_syn_is_challenged(state, seq):
    """ "irrespective of the sequence number, TCP endpoints MUST send a "challenge ACK" " (RFC 5961
    §4.2)
    """
    end = in_state(state)
    assert (answers(end, theirs("S", seq=seq)), end.state) == ([pure_ack(state)], state)


def test_syn_received_other_syn_after_passive_open_returns_to_listen():
    """ "If the connection was initiated with a passive OPEN, then return this connection to the
    LISTEN state and return."
    """
    end = in_state(State.SYN_RECEIVED)
    assert (answers(end, theirs("S", seq=7)), end.state) == ([], State.LISTEN)


def test_syn_received_other_syn_after_active_open_is_challenged():
    """ "Otherwise, handle per the directions for synchronized states below." """
    end = opened_at_once()
    assert answers(end, theirs("S", seq=7)) == [ours("A", seq=1, ack=1)]
    assert end.state is State.SYN_RECEIVED


def test_syn_received_repeated_syn_is_answered_with_the_same_syn_ack():
    """As Linux does: our SYN,ACK was lost, and a bare ACK would not help a peer in SYN-SENT."""
    end = in_state(State.SYN_RECEIVED)
    assert (answers(end, SYN), end.state) == ([OUR_SYN_ACK], State.SYN_RECEIVED)


# ── §3.10.7.4 fifth: the ACK field ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [*SYNCHRONIZED, State.SYN_RECEIVED])
def test_segment_without_ack_is_dropped(state):
    """ "if the ACK bit is off, drop the segment and return" """
    end = in_state(state)
    segment = theirs("P", seq=their_next(state), payload=b"x")
    assert (answers(end, segment), end.state, end.unread_octets) == ([], state, 0)


def test_syn_received_ack_of_syn_establishes():
    end = in_state(State.SYN_RECEIVED)
    assert answers(end, ACK_OF_SYN) == []
    assert (end.state, end.snd_una, end.snd_wnd, end.next_timer_ns) == (
        State.ESTABLISHED,
        ISS + 1,
        WND,
        None,
    )


@pytest.mark.parametrize("ack", [0, 2])
def test_syn_received_bad_ack_is_reset(ack):
    """ "If the segment acknowledgment is not acceptable, form a reset segment
    <SEQ=SEG.ACK><CTL=RST>"
    """
    end = in_state(State.SYN_RECEIVED)
    segment = replace(ACK_OF_SYN, ack=ISS + ack)
    assert answers(end, segment) == [reset(seq=ISS + ack)]
    assert end.state is State.SYN_RECEIVED


def test_syn_received_syn_ack_of_a_simultaneous_open_establishes():
    """§3.5, figure 7, line 6: nothing is sent in reply."""
    end = opened_at_once()
    assert (answers(end, SYN_ACK), end.state) == ([], State.ESTABLISHED)


def test_syn_received_data_and_fin_on_the_ack_are_taken():
    end = in_state(State.SYN_RECEIVED)
    segment = theirs("FPA", seq=1, ack=1, payload=b"abc")
    assert answers(end, segment) == [ours("A", seq=1, ack=5, wnd=WND - 4)]
    assert (end.state, end.read(9)) == (State.CLOSE_WAIT, b"abc")


@pytest.mark.parametrize("state", SYNCHRONIZED)
def test_synchronized_ack_of_what_was_never_sent_is_challenged(state):
    """ "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send an ACK" """
    end = in_state(state)
    segment = theirs("A", seq=their_next(state), ack=3)
    assert (answers(end, segment), end.state) == ([pure_ack(state)], state)


def test_established_ack_older_than_the_window_is_challenged():
    """RFC 5961 §5.2."""
    end = in_state(State.ESTABLISHED)
    segment = replace(theirs("PA", seq=1, ack=1, payload=b"x"), ack=ISS + -WND)
    assert answers(end, segment) == [ours("A", seq=1, ack=1)]
    assert end.unread_octets == 0


def test_established_data_with_an_old_ack_is_taken():
    """ "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored." """
    end = in_state(State.ESTABLISHED)
    segment = replace(theirs("PA", seq=1, ack=1, payload=b"x"), ack=ISS)
    assert answers(end, segment) == [ours("A", seq=1, ack=2, wnd=WND - 1)]


def test_established_ack_advances_snd_una_and_stops_the_timer():
    end = in_state(State.ESTABLISHED)
    end.send(b"abc", 0)
    end.take()
    assert answers(end, theirs("A", seq=1, ack=3)) == []
    assert (end.snd_una, end.next_timer_ns) == (ISS + 3, SECOND)
    assert answers(end, theirs("A", seq=1, ack=4)) == []
    assert (end.snd_una, end.next_timer_ns) == (ISS + 4, None)


def test_established_window_of_an_older_segment_is_ignored():
    """ "the check here prevents using old segments to update the window" """
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("PA", seq=1, ack=1, payload=b"abc"))
    answers(end, theirs("A", seq=4, ack=1, wnd=500))
    answers(end, theirs("PA", seq=3, ack=1, payload=b"cde", wnd=900))
    assert (end.snd_wnd, end.read(9)) == (500, b"abcde")


@pytest.mark.parametrize(
    ("state", "new"),
    [
        (State.FIN_WAIT_1, State.FIN_WAIT_2),
        (State.CLOSING, State.TIME_WAIT),
        (State.LAST_ACK, State.CLOSED),
    ],
)
def test_ack_of_our_fin(state, new):
    end = in_state(state)
    segment = theirs("A", seq=their_next(state), ack=2)
    assert (answers(end, segment), end.state) == ([], new)


# ── §3.10.7.4 seventh: the segment text ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2])
def test_text_is_acknowledged_at_once(state):
    """ "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>" """
    end = in_state(state)
    segment = theirs("PA", seq=1, ack=1, payload=b"abc")
    ack = replace(pure_ack(state), ack=IRS + 4, wnd_octets=WND - 3)
    assert (answers(end, segment), end.read(9)) == ([ack], b"abc")


@pytest.mark.parametrize("state", sorted(AFTER_THEIR_FIN, key=str))
def test_text_after_their_fin_is_not_taken(state):
    """ "This should not occur since a FIN has been received from the remote side." """
    end = in_state(state)
    answers(end, theirs("PA", seq=2, ack=1, payload=b"abc"))
    assert (end.state, end.unread_octets, end.rcv_nxt) == (state, 0, IRS + 2)


@pytest.mark.parametrize("ways", [[], [theirs("A", seq=1, ack=2)]], ids=["FW1", "FW2"])
def test_text_after_close_is_reset(ways):
    """§3.6.1: "If new data is received after CLOSE, a RST should be sent" (RFC 2525 §2.17)."""
    end = in_state(State.ESTABLISHED)
    end.close(0)
    end.take()
    for segment in ways:
        answers(end, segment)
    segment = theirs("PA", seq=1, ack=2, payload=b"abc")
    assert (answers(end, segment), end.state) == ([reset(seq=ISS + 2)], State.CLOSED)


def test_fin_wait_2_repeated_text_after_close_is_no_new_data():
    end = in_state(State.ESTABLISHED)
    answers(end, theirs("PA", seq=1, ack=1, payload=b"abc"))
    end.read(9)
    end.close(0)
    end.take()
    answers(end, theirs("A", seq=4, ack=2))
    segment = theirs("FPA", seq=1, ack=2, payload=b"abc")
    assert answers(end, segment) == [ours("A", seq=2, ack=5, wnd=WND - 4)]
    assert end.state is State.TIME_WAIT


# ── §3.10.7.4 eighth: the FIN bit ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "ack", "new"),
    [
        (State.ESTABLISHED, 1, State.CLOSE_WAIT),
        (State.FIN_WAIT_1, 1, State.CLOSING),
        (State.FIN_WAIT_1, 2, State.TIME_WAIT),
        (State.FIN_WAIT_2, 2, State.TIME_WAIT),
    ],
)
def test_fin_moves_and_is_acknowledged(state, ack, new):
    """ "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN" """
    end = in_state(state)
    segment = theirs("FA", seq=1, ack=ack)
    assert (answers(end, segment), end.state, end.eof) == ([pure_ack(new)], new, True)


@pytest.mark.parametrize("state", sorted(AFTER_THEIR_FIN, key=str))
def test_repeated_fin_is_acknowledged_again(state):
    """ "Remain in the ... state." """
    end = in_state(state)
    assert (answers(end, FIN), end.state) == ([pure_ack(state)], state)


def test_time_wait_repeated_fin_restarts_the_2_msl_time_out():
    """ "Restart the 2 MSL time-wait timeout." """
    end = in_state(State.TIME_WAIT)
    assert end.next_timer_ns == 60 * SECOND
    answers(end, FIN, now_ns=5 * SECOND)
    assert end.next_timer_ns == 65 * SECOND


@pytest.mark.parametrize("state", [State.CLOSED, State.LISTEN, State.SYN_SENT])
def test_fin_before_synchronization_is_not_processed(state):
    """ "Do not process the FIN if the state is CLOSED, LISTEN, or SYN-SENT since the SEG.SEQ cannot
    be validated"
    """
    end = in_state(state)
    answers(end, theirs("F", seq=1))
    assert end.state is state


# ── what both SYNs agree on ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("theirs_is", "sent"),
    [
        pytest.param((MaximumSegmentSize(100),), 100, id="theirs is smaller"),
        pytest.param((MaximumSegmentSize(9000),), 1460, id="ours is smaller"),
        pytest.param((), 536, id="none: 536 for IPv4 (MUST-15)"),
        pytest.param((MaximumSegmentSize(0),), 536, id="0 is nonsense"),
        pytest.param((MaximumSegmentSize(1),), 48, id="1 would send crumbs"),
    ],
)
def test_data_is_split_by_the_effective_mss(theirs_is, sent):
    end = in_state(State.SYN_SENT)
    answers(end, replace(SYN_ACK, options=theirs_is))
    end.send(bytes(2000), 0)
    assert len(end.take()[0].payload) == sent


def test_windows_are_scaled_only_if_both_offer_it():
    """RFC 7323 §2.2; a SYN's own window is never scaled."""
    scale = (*MSS, NoOperation(), WindowScale(3))
    end = new(offer=scale, wnd_octets=200_000)
    end.open(0)
    assert end.take() == [ours("S", seq=0, wnd=65535, options=scale)]
    syn_ack = replace(SYN_ACK, options=(*MSS, WindowScale(15)))
    assert answers(end, syn_ack) == [ours("A", seq=1, ack=1, wnd=25_000)]
    assert end.snd_wnd == WND
    answers(end, theirs("A", seq=1, ack=1, wnd=5))
    assert end.snd_wnd == 5 << 14


def test_windows_are_not_scaled_if_the_peer_does_not_offer_it():
    end = new(offer=(*MSS, NoOperation(), WindowScale(3)), wnd_octets=200_000)
    end.open(0)
    end.take()
    assert answers(end, SYN_ACK) == [ours("A", seq=1, ack=1, wnd=65535)]


def test_syn_ack_repeats_only_options_that_the_syn_had():
    end = new(offer=(*MSS, NoOperation(), WindowScale(3)))
    end.listen()
    assert answers(end, SYN) == [OUR_SYN_ACK]


def test_data_over_ipv6_is_split_by_1220_octets_if_the_peer_names_no_mss():
    """§3.7.1, MUST-15."""
    local, remote = Address("2001:db8::1", 40000), Address("2001:db8::2", 80)
    end = new(local=local, remote=remote)
    end.open(0)
    end.receive(replace(SYN_ACK, src=remote, dst=local, options=()), 0)
    end.take()
    end.send(bytes(2000), 0)
    assert len(end.take()[0].payload) == 1220


# ── damaged and foreign segments ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"checksum_ok": False},
        {"missing_octets": 1},
        {"src": Address("192.0.2.9", 80)},
        {"dst": Address("192.0.2.1", 1)},
    ],
    ids=str,
)
def test_damaged_or_foreign_segment_is_ignored(change):
    end = in_state(State.ESTABLISHED)
    assert (answers(end, replace(FIN, **change)), end.state) == ([], State.ESTABLISHED)


def test_challenge_acks_are_limited():
    """RFC 5961 §7: "at most 10 in any 5 second window", so that two confused ends fall silent."""
    end = in_state(State.ESTABLISHED)
    forged = theirs("S", seq=7)
    assert sum(len(answers(end, forged)) for _ in range(20)) == 10
    assert len(answers(end, forged, now_ns=5 * SECOND)) == 1


@given(st.sampled_from(State), st.lists(segments, max_size=30))
def test_any_segments_at_all_are_survived(state, story):
    """One segment is answered by as many as the initial window holds at most, and by no other
    peer.
    """
    end = in_state(state)
    for segment in story:
        sent = answers(end, segment)
        assert len(sent) <= 11
        assert all((each.src, each.dst) == (A, B) for each in sent)
        if end.next_timer_ns is not None:
            end.tick(end.next_timer_ns)
            end.take()
