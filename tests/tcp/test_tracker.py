"""What a bystander infers. That it agrees with both ends' true states is in
test_conversation.py.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.tcp.options import WindowScale
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.tcp.tracker import Tracker
from tests.tcp.ends import (
    ACK_OF_FIN,
    FIN,
    IRS,
    ISS,
    MSS,
    SYN_ACK,
    WND,
    A,
    B,
    ours,
    reset,
    theirs,
)
from tests.tcp.segments import segments

OUR_SYN = ours("S", seq=0, options=MSS)
OUR_ACK = ours("A", seq=1, ack=1)
OUR_FIN = ours("FA", seq=1, ack=1)


def passed(*story, tracker=None):
    """A tracker that has seen each of these segments leave and arrive; a string loses the next."""
    tracker = tracker or Tracker()
    lost = False
    for segment in story:
        if segment == "lost":
            lost = True
            continue
        tracker.sent(segment)
        if not lost:
            tracker.arrived(segment)
        lost = False
    return tracker


def states(tracker):
    return tracker.state(A), tracker.state(B)


def test_nothing_is_known_at_first():
    tracker = Tracker()
    assert states(tracker) == (State.CLOSED, State.CLOSED)
    assert (tracker.isn(A), tracker.snd_nxt(A), tracker.rcv_nxt(A)) == (None, None, None)


def test_end_that_is_known_to_listen():
    tracker = passed(OUR_SYN, tracker=Tracker(listening=B))
    assert states(tracker) == (State.SYN_SENT, State.SYN_RECEIVED)


def test_syn_does_not_prove_that_somebody_listens():
    assert states(passed(OUR_SYN)) == (State.SYN_SENT, State.CLOSED)


def test_syn_ack_proves_it():
    assert states(passed(OUR_SYN, "lost", SYN_ACK)) == (State.SYN_SENT, State.SYN_RECEIVED)


@pytest.mark.parametrize("flags", ["F", "", "P", "FPU"])
def test_what_has_neither_syn_nor_ack_tells_nothing_of_its_sender(flags):
    assert states(passed(OUR_SYN, theirs(flags, seq=0))) == (State.SYN_SENT, State.CLOSED)
    assert states(passed(ours(flags, seq=0))) == (State.CLOSED, State.CLOSED)


def test_refused():
    refusal = theirs("RA", seq=0, ack=1, wnd=0)
    assert states(passed(OUR_SYN, refusal)) == (State.CLOSED, State.CLOSED)


def test_numbers_after_the_handshake():
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK)
    assert states(tracker) == (State.ESTABLISHED, State.ESTABLISHED)
    assert [(tracker.isn(end), tracker.snd_nxt(end), tracker.rcv_nxt(end)) for end in (A, B)] == [
        (ISS, ISS + 1, IRS + 1),
        (IRS, IRS + 1, ISS + 1),
    ]


def test_repetition_does_not_move_snd_nxt():
    data = ours("PA", seq=1, ack=1, payload=b"abc")
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK, data, "lost", data)
    assert (tracker.snd_nxt(A), tracker.rcv_nxt(B)) == (ISS + 4, ISS + 4)


def test_data_out_of_order_counts_when_its_receiver_acknowledges_it():
    one, two = (ours("PA", seq=seq, ack=1, payload=b"abc") for seq in (1, 4))
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK, "lost", one, two)
    assert tracker.rcv_nxt(B) == ISS + 1
    passed(one, tracker=tracker)
    assert tracker.rcv_nxt(B) == ISS + 4
    passed(theirs("A", seq=1, ack=7), tracker=tracker)
    assert tracker.rcv_nxt(B) == ISS + 7


def test_fin_out_of_order_counts_when_its_receiver_acknowledges_it():
    data, fin = ours("PA", seq=1, ack=1, payload=b"abc"), ours("FA", seq=4, ack=1)
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK, "lost", data, fin, data)
    assert states(tracker) == (State.FIN_WAIT_1, State.ESTABLISHED)
    passed(theirs("A", seq=1, ack=5), tracker=tracker)
    assert states(tracker) == (State.FIN_WAIT_2, State.CLOSE_WAIT)


def test_data_behind_the_window_does_not_count():
    tracker = passed(OUR_SYN, replace(SYN_ACK, wnd_octets=2), OUR_ACK)
    passed(ours("PA", seq=1, ack=1, payload=b"abc"), tracker=tracker)
    assert tracker.rcv_nxt(B) == ISS + 3


@pytest.mark.parametrize(("offer", "taken"), [((WindowScale(8),), 512), ((), 10)])
def test_windows_are_scaled_if_both_syns_offer_it(offer, taken):
    syn_ack = replace(SYN_ACK, wnd_octets=10, options=offer)
    syn = replace(OUR_SYN, options=(WindowScale(0),))
    tracker = passed(syn, syn_ack, OUR_ACK, theirs("A", seq=1, ack=1, wnd=2))
    passed(ours("PA", seq=1, ack=1, payload=bytes(600)), tracker=tracker)
    assert tracker.rcv_nxt(B) == ISS + 1 + taken


def test_syn_ack_after_a_syn_proves_that_the_missed_syn_arrived():
    """RFC 9293 §3.5, figure 7: both ends open at once."""
    tracker = passed(OUR_SYN, "lost", theirs("S", seq=0), ours("SA", seq=0, ack=1))
    assert states(tracker) == (State.SYN_RECEIVED, State.ESTABLISHED)


def test_another_syn_in_the_window_returns_to_listen():
    tracker = passed(OUR_SYN, SYN_ACK)
    tracker.arrived(ours("S", seq=7))
    assert tracker.state(B) is State.LISTEN


@pytest.mark.parametrize("ack", [0, 7])
def test_ack_that_does_not_acknowledge_the_syn_does_not_count(ack):
    tracker = passed(OUR_SYN, SYN_ACK)
    tracker.arrived(replace(OUR_ACK, ack=IRS + ack))
    assert tracker.state(B) is State.SYN_RECEIVED


def test_ack_of_what_was_never_sent_does_not_count():
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK)
    tracker.arrived(ours("PA", seq=1, ack=7, payload=b"abc"))
    assert tracker.rcv_nxt(B) == ISS + 1


@pytest.mark.parametrize(("age", "taken"), [(512, 3), (513, 0)])
def test_data_with_an_ack_older_than_the_largest_window_does_not_count(age, taken):
    """RFC 5961 §5.2: B has announced 10 octets in its SYN, and 512 later."""
    syn, syn_ack = (
        replace(each, wnd_octets=10, options=(WindowScale(8),)) for each in (OUR_SYN, SYN_ACK)
    )
    tracker = passed(syn, syn_ack, OUR_ACK, theirs("A", seq=1, ack=1, wnd=2))
    data = theirs("PA", seq=1, ack=1, payload=b"abc", wnd=2)
    passed(replace(data, ack=ISS + 1 + -age), tracker=tracker)
    assert tracker.rcv_nxt(A) == IRS + 1 + taken


def test_closed_window_still_takes_an_ack():
    tracker = passed(replace(OUR_SYN, wnd_octets=3), SYN_ACK, replace(OUR_ACK, wnd_octets=3))
    fills = theirs("PA", seq=1, ack=1, payload=b"abc")
    passed(fills, ours("FA", seq=1, ack=4, wnd=0), tracker=tracker)
    passed(theirs("PA", seq=4, ack=2, payload=b"d"), tracker=tracker)
    assert (tracker.state(A), tracker.rcv_nxt(A)) == (State.FIN_WAIT_2, IRS + 4)


# ── resets ──────────────────────────────────────────────────────────────────────────────────────


def test_exact_rst_closes_both_ends():
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK, ours("RA", seq=1, ack=1, wnd=0))
    assert states(tracker) == (State.CLOSED, State.CLOSED)


@pytest.mark.parametrize("seq", [0, 2, WND + 1], ids=["before", "in the window", "behind"])
def test_rst_that_is_not_exact_does_not_count(seq):
    """RFC 5961 §3.2. Forged: it arrives, but its supposed sender never sent it."""
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK)
    tracker.arrived(theirs("R", seq=seq))
    assert states(tracker) == (State.ESTABLISHED, State.ESTABLISHED)


def test_rst_after_a_simultaneous_open_refuses():
    tracker = passed(OUR_SYN, theirs("S", seq=0))
    tracker.arrived(theirs("R", seq=1))
    assert states(tracker) == (State.CLOSED, State.SYN_SENT)


def test_forged_exact_rst_closes_its_victim_only():
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK)
    tracker.arrived(theirs("R", seq=1))
    assert states(tracker) == (State.CLOSED, State.ESTABLISHED)


def test_damaged_segment_does_not_count():
    tracker = passed(OUR_SYN, SYN_ACK, OUR_ACK)
    passed(replace(OUR_FIN, checksum_ok=False), tracker=tracker)
    assert states(tracker) == (State.FIN_WAIT_1, State.ESTABLISHED)


def test_rst_of_a_half_open_peer_leaves_it_in_syn_sent():
    """RFC 9293 §3.5.1, figure 9: a plain ACK meets our SYN, our RST makes the peer forget."""
    stale = theirs("A", seq=300, ack=300)
    tracker = passed(OUR_SYN, stale)
    assert states(tracker) == (State.SYN_SENT, State.ESTABLISHED)
    passed(replace(reset(seq=ISS + 300), src=A, dst=B), tracker=tracker)
    assert tracker.state(A) is State.SYN_SENT


def test_rst_of_a_port_scanner_closes_it():
    tracker = passed(OUR_SYN, SYN_ACK, reset(seq=ISS + 1))
    assert states(tracker) == (State.CLOSED, State.LISTEN)


# ── the middle of a connection ──────────────────────────────────────────────────────────────────


def test_first_segment_without_syn_means_established():
    tracker = passed(ours("PA", seq=1, ack=1, payload=b"abc"))
    assert states(tracker) == (State.ESTABLISHED, State.ESTABLISHED)
    assert (tracker.isn(A), tracker.snd_nxt(A), tracker.rcv_nxt(B)) == (None, ISS + 4, ISS + 4)


def test_first_segment_with_fin_closes():
    assert states(passed(OUR_FIN)) == (State.FIN_WAIT_1, State.CLOSE_WAIT)


def test_first_segment_is_a_syn_ack():
    tracker = passed(SYN_ACK)
    assert states(tracker) == (State.ESTABLISHED, State.SYN_RECEIVED)
    assert (tracker.isn(A), tracker.isn(B)) == (ISS, IRS)


def test_first_segment_is_a_rst():
    assert states(passed(reset(seq=ISS))) == (State.CLOSED, State.CLOSED)


def test_close_from_the_middle():
    last = ours("A", seq=2, ack=2)
    tracker = passed(OUR_FIN, theirs("A", seq=1, ack=2), theirs("FA", seq=1, ack=2), last)
    assert states(tracker) == (State.TIME_WAIT, State.CLOSED)


def test_ack_after_a_syn_proves_that_the_missed_syn_ack_arrived():
    tracker = passed(OUR_SYN, OUR_ACK)
    assert states(tracker) == (State.ESTABLISHED, State.CLOSED)


# ── the next connection ─────────────────────────────────────────────────────────────────────────


def closed():
    return passed(
        OUR_SYN,
        SYN_ACK,
        OUR_ACK,
        OUR_FIN,
        ACK_OF_FIN,
        theirs("FA", seq=1, ack=2),
        ours("A", seq=2, ack=2),
    )


def test_new_syn_from_time_wait_begins_again():
    tracker = closed()
    assert states(tracker) == (State.TIME_WAIT, State.CLOSED)
    syn, syn_ack = ours("S", seq=90_000), theirs("SA", seq=70_000, ack=90_001)
    passed(syn, syn_ack, ours("A", seq=90_001, ack=70_001), tracker=tracker)
    assert states(tracker) == (State.ESTABLISHED, State.ESTABLISHED)
    assert (tracker.isn(A), tracker.isn(B)) == (ISS + 90_000, IRS + 70_000)


def test_new_syn_to_time_wait_begins_again_if_it_is_answered():
    """RFC 9293 §3.6.1, MAY-2."""
    tracker = closed()
    passed(theirs("S", seq=70_000), tracker=tracker)
    assert states(tracker) == (State.TIME_WAIT, State.SYN_SENT)
    passed(ours("SA", seq=90_000, ack=70_001), tracker=tracker)
    assert states(tracker) == (State.SYN_RECEIVED, State.ESTABLISHED)


def test_old_segment_after_the_end_is_no_new_connection():
    assert passed(FIN, tracker=closed()).state(B) is State.CLOSED


# ── whatever comes ──────────────────────────────────────────────────────────────────────────────


@given(
    st.sampled_from([None, A, B]),
    st.lists(st.tuples(segments, st.booleans(), st.booleans()), max_size=40),
)
def test_any_segments_at_all_are_survived(listening, story):
    tracker = Tracker(listening=listening)
    for segment, sent, arrived in story:
        if sent:
            tracker.sent(segment)
        if arrived:
            tracker.arrived(segment)


def test_connection_of_an_address_to_itself_is_survived():
    """A real thing: connect() to the own ephemeral port opens simultaneously with itself."""
    tracker = Tracker()
    self_talk = [replace(each, dst=A) for each in (OUR_SYN, ours("SA", seq=0, ack=1), OUR_ACK)]
    passed(*self_talk, replace(OUR_FIN, dst=A), tracker=tracker)
    assert tracker.state(Address("192.0.2.9", 9)) is State.CLOSED
