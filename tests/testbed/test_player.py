"""A video player over TCP: when it begins, stalls, goes on and ends. Nothing real in it."""

import pytest

from tcplab.testbed.player import Player

SECOND_NS = 10**9
START_NS = 5 * SECOND_NS


@pytest.fixture
def player() -> Player:
    """Plays 1000 octets a second, and begins with two seconds' worth."""
    return Player(rate_octets=1000, buffer_octets=2000)


def at(seconds: float) -> int:
    return START_NS + int(seconds * SECOND_NS)


def test_it_does_not_begin_before_its_buffer_is_full(player):
    player.receives(1999, at(0))

    assert not player.playing
    assert player.empty_ns is None
    assert player.buffered_ms(at(100)) == 1999  # nothing is played meanwhile


def test_it_begins_once_its_buffer_is_full(player):
    player.receives(1500, at(0))
    player.receives(500, at(1))

    assert player.playing
    assert player.buffered_ms(at(1)) == 2000
    assert player.buffered_ms(at(2.5)) == 500
    assert player.empty_ns == at(3) + 1


def test_what_comes_in_time_keeps_it_playing(player):
    for second in range(10):
        player.receives(2000 if second == 0 else 1000, at(second))

    assert player.playing
    assert player.stalls == 0
    assert player.buffered_ms(at(9)) == 2000


def test_it_stalls_when_the_buffer_is_empty(player):
    player.receives(2000, at(0))
    player.passes(player.empty_ns)

    assert not player.playing
    assert player.stalls == 1
    assert player.buffered_ms(at(10)) == 0


def test_after_a_stall_it_fills_its_buffer_before_it_goes_on(player):
    player.receives(2000, at(0))
    player.receives(1000, at(4))
    assert (player.playing, player.stalls) == (False, 1)

    player.receives(1000, at(5))
    assert (player.playing, player.stalls) == (True, 1)
    assert player.buffered_ms(at(5)) == 2000


def test_a_gap_shorter_than_the_buffer_is_not_noticed(player):
    player.receives(2000, at(0))
    player.receives(1900, at(1.9))

    assert (player.playing, player.stalls) == (True, 0)


def test_at_the_end_it_plays_what_it_has_and_is_done_without_a_stall(player):
    player.receives(500, at(0))
    player.ends(at(1))
    assert player.playing
    assert not player.done

    player.passes(player.empty_ns)
    assert (player.done, player.playing, player.stalls) == (True, False, 0)


def test_an_end_with_nothing_to_play_is_the_end(player):
    player.ends(at(0))

    assert player.done


def test_an_end_during_a_stall_is_the_end(player):
    player.receives(2000, at(0))
    player.passes(at(3))
    player.ends(at(4))

    assert (player.done, player.stalls) == (True, 1)
