"""What an eavesdropper knows of a connection, and what it does not."""

from dataclasses import replace

import pytest

from tcplab.tcp.options import NoOperation, Timestamps, WindowScale
from tcplab.tcp.overheard import Overheard
from tests.tcp.ends import IRS, ISS, A, B, ours, theirs

SCALED = (WindowScale(7),)
STAMPED = (NoOperation(), NoOperation(), Timestamps(100, 0))


def stamped(segment, value, echo):
    return replace(segment, options=(*segment.options, Timestamps(value, echo)))


SYN = ours("S", seq=0, options=SCALED)
SYN_ACK = theirs("SA", seq=0, ack=1, options=SCALED)
ACK = ours("A", seq=1, ack=1, wnd=100)
OPEN = (SYN, SYN_ACK, ACK)


def heard(*segments) -> Overheard:
    talk = Overheard()
    for segment in segments:
        talk.hear(segment, ttl=64)
    return talk


def test_nothing_heard_is_nothing_known():
    talk = heard()
    known = (talk.isn(A), talk.snd_nxt(A), talk.rcv_nxt(A), talk.last_ack(A), talk.wnd_octets(A))
    assert known == (None,) * 5
    assert (talk.timestamps(A, B), talk.ttl(A), talk.octets(A)) == (None, None, b"")


def test_both_ends_numbers_follow_from_the_handshake():
    talk = heard(*OPEN)
    assert (talk.isn(A), talk.snd_nxt(A), talk.rcv_nxt(A)) == (ISS, ISS + 1, IRS + 1)
    assert (talk.isn(B), talk.snd_nxt(B), talk.rcv_nxt(B)) == (IRS, IRS + 1, ISS + 1)
    assert talk.ttl(A) == 64


def test_data_that_was_heard_counts_as_received_before_its_ack():
    talk = heard(*OPEN, ours("PA", seq=1, ack=1, payload=b"hello"))
    assert (talk.snd_nxt(A), talk.rcv_nxt(B)) == (ISS + 6, ISS + 6)
    assert talk.last_ack(B) == ISS + 1  # of its own word
    assert talk.octets(A) == b"hello"


def test_damaged_segment_says_nothing():
    bad = replace(ours("PA", seq=1, ack=1, payload=b"hello"), checksum_ok=False)
    talk = heard(*OPEN, bad)
    assert (talk.snd_nxt(A), talk.octets(A)) == (ISS + 1, b"")


# --- windows ------------------------------------------------------------------------------------


def test_window_is_scaled_where_both_syns_were_heard():
    assert heard(*OPEN).wnd_octets(A) == 100 << 7


def test_window_of_a_syn_is_never_scaled():
    assert heard(SYN, SYN_ACK).wnd_octets(B) == SYN_ACK.wnd_octets


def test_window_is_not_scaled_where_one_end_did_not_offer_it():
    assert heard(SYN, replace(SYN_ACK, options=()), ACK).wnd_octets(A) == 100


@pytest.mark.parametrize("story", [(ACK,), (SYN_ACK, ACK), (SYN, ACK)])
def test_window_is_unknown_unless_both_syns_were_heard(story):
    assert heard(*story).wnd_octets(A) is None


# --- timestamps ---------------------------------------------------------------------------------


def test_forged_timestamps_are_the_last_ones_heard_of_either_end():
    talk = heard(*OPEN, stamped(ACK, 500, 90), stamped(theirs("A", seq=1, ack=1), 95, 500))
    assert talk.timestamps(A, B) == Timestamps(500, 95)
    assert talk.timestamps(B, A) == Timestamps(95, 500)


def test_connection_without_timestamps_has_none_to_forge():
    assert heard(*OPEN).timestamps(A, B) is None


def test_timestamps_of_an_rst_are_not_its_senders():
    talk = heard(*OPEN, stamped(ACK, 500, 90), stamped(ours("R", seq=1), 7, 7))
    assert talk.timestamps(A, B) == Timestamps(500, 90)


def test_who_said_nothing_yet_goes_on_from_what_its_peer_echoed():
    """The SYN was spoofed: only its answer was heard."""
    talk = heard(stamped(SYN_ACK, 900, 100))
    assert talk.timestamps(A, B) == Timestamps(100, 900)


# --- what the listener says itself --------------------------------------------------------------


def test_spoofed_opening_is_known_from_its_own_syn_and_the_answer():
    talk = Overheard()
    talk.say(SYN)
    talk.hear(SYN_ACK)
    assert (talk.snd_nxt(A), talk.snd_nxt(B)) == (ISS + 1, IRS + 1)
    talk.say(ours("PA", seq=1, ack=1, payload=b"evil"))
    assert talk.snd_nxt(A) == ISS + 5
    assert talk.octets(A) == b""  # that was not heard


def test_own_data_in_order_moves_the_numbers_and_other_data_does_not():
    talk = heard(*OPEN)
    talk.say(ours("PA", seq=1, ack=1, payload=b"evil"))
    assert (talk.snd_nxt(A), talk.rcv_nxt(B)) == (ISS + 5, ISS + 5)
    talk.say(ours("PA", seq=900, ack=1, payload=b"far"))
    assert (talk.snd_nxt(A), talk.rcv_nxt(B)) == (ISS + 5, ISS + 5)


@pytest.mark.parametrize("letters", ["R", "S"])
def test_own_rst_or_syn_leaves_what_is_known_of_an_open_connection(letters):
    talk = heard(*OPEN)
    talk.say(ours(letters, seq=1))
    assert (talk.snd_nxt(A), talk.rcv_nxt(B), talk.isn(A)) == (ISS + 1, ISS + 1, ISS)


def test_next_connection_between_the_same_addresses_is_another_one():
    talk = heard(*OPEN, ours("PA", seq=1, ack=1, payload=b"old"))
    talk.hear(replace(SYN, seq=ISS + 5_000_000))
    assert (talk.isn(A), talk.octets(A)) == (ISS + 5_000_000, b"")
