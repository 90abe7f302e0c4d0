import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.tcp.sequence import MODULUS, ZERO, Seq

seqs = st.builds(Seq, st.integers(0, MODULUS - 1))
near = st.integers(-(1 << 31) + 1, (1 << 31) - 1)
"""The distances that the order is defined for: less than 2^31 (§3.4)."""


@pytest.mark.parametrize("value", [-1, MODULUS])
def test_number_outside_the_space_is_refused(value):
    with pytest.raises(ValueError, match=r"0 … 2\^32 - 1"):
        Seq(value)


def test_after_the_last_number_comes_zero():
    assert Seq(MODULUS - 1) + 1 == ZERO


def test_order_follows_the_shorter_way_over_the_wrap():
    assert Seq(MODULUS - 10) < Seq(10)


@given(seqs, near)
def test_distance_undoes_a_step(start, octets):
    assert (start + octets) - start == octets


@given(seqs, near)
def test_order_agrees_with_distance(start, octets):
    other = start + octets
    assert (
        start < other,
        start <= other,
        start == other,
        start >= other,
        start > other,
    ) == (octets > 0, octets >= 0, octets == 0, octets <= 0, octets < 0)


@given(seqs, st.integers(0, MODULUS - 1))
def test_since_counts_forward_from_the_origin(origin, octets):
    assert (origin + octets).since(origin) == octets


@given(seqs, st.integers(0, 1 << 30), st.integers(0, MODULUS - 1))
def test_within_is_a_half_open_interval(start, size, octets):
    assert (start + octets).within(start, size) == (octets < size)


@given(seqs, st.integers(-MODULUS, MODULUS), st.integers(-MODULUS, MODULUS))
def test_steps_add_up(start, one, other):
    assert start + one + other == start + (one + other)
