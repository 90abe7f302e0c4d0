import pytest

from tcplab.tcp.receiving import Receiving
from tcplab.tcp.sequence import MODULUS, Seq

IRS = Seq(MODULUS - 2)


def synchronized(capacity=1000, shift=0):
    receiving = Receiving(capacity_octets=capacity, mss_octets=100)
    receiving.synchronize(IRS)
    receiving.shift = shift
    return receiving


def test_syn_counts_as_one_octet():
    receiving = synchronized()
    assert (receiving.irs, receiving.nxt, receiving.wnd_octets) == (IRS, IRS + 1, 1000)


def test_window_that_is_no_multiple_of_its_scale_is_rounded_up():
    """Rounded down, its right edge would move back (RFC 7323 §2.4)."""
    receiving = synchronized(shift=4)
    assert (receiving.window_field(), receiving.wnd_octets) == (63, 1008)


@pytest.mark.parametrize(("shift", "field"), [(0, 0xFFFF), (1, 50_000)])
def test_large_buffer_is_offered_as_far_as_the_scale_reaches(shift, field):
    receiving = synchronized(capacity=100_000, shift=shift)
    assert (receiving.syn_window_field(), receiving.window_field()) == (0xFFFF, field)


def test_window_shrinks_only_by_what_arrives():
    receiving = synchronized()
    receiving.take_in(IRS + 1, bytes(99), fin=False)
    assert receiving.window_field() == 901
    receiving.read(99)
    assert receiving.window_field() == 901


def test_window_grows_by_a_segment_at_least():
    receiving = synchronized()
    receiving.take_in(IRS + 1, bytes(100), fin=False)
    receiving.read(100)
    assert receiving.window_field() == 1000


def test_fin_outside_the_window_is_not_taken():
    receiving = synchronized(capacity=3)
    receiving.take_in(IRS + 1, b"abc", fin=True)
    assert (receiving.fin, receiving.nxt, receiving.wnd_octets) == (False, IRS + 4, 0)


def test_fin_inside_the_window_is_taken_after_the_data():
    receiving = synchronized(capacity=4)
    receiving.take_in(IRS + 1, b"abc", fin=True)
    assert (receiving.fin, receiving.nxt, receiving.read(9)) == (True, IRS + 5, b"abc")
