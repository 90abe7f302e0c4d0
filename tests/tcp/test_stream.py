"""One direction put in order, whatever order its segments come in."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import MODULUS, Seq
from tcplab.tcp.stream import Stream
from tests.tcp.ends import A, B


def said(seq: Seq, payload: bytes = b"", flags: Flags = Flags.ACK) -> Segment:
    return Segment(src=A, dst=B, seq=seq, flags=flags, payload=payload)


def heard(*segments: Segment, **how) -> Stream:
    """A stream that took these, tagged 0, 1, 2 …"""
    stream = Stream(**how)
    for tag, segment in enumerate(segments):
        stream.take(segment, tag)
    return stream


START = Seq(MODULUS - 3)
SYN = said(START, flags=Flags.SYN)


def test_it_begins_behind_the_syn():
    assert heard(SYN, said(START + 1, b"hello")).octets == b"hello"


def test_without_a_syn_it_begins_with_what_was_heard_first():
    assert heard(said(Seq(77), b"lo"), said(Seq(79), b"!")).octets == b"lo!"


def test_data_on_a_syn_counts_behind_it():
    assert heard(said(START, b"fast", Flags.SYN)).octets == b"fast"


def test_octets_that_come_early_wait_for_the_gap_to_be_filled():
    stream = heard(SYN, said(START + 4, b"def"))
    assert stream.octets == b""
    stream.take(said(START + 1, b"abc"), 2)
    assert stream.octets == b"abcdef"


def test_octets_that_come_twice_are_those_that_came_first():
    stream = heard(SYN, said(START + 1, b"abc"), said(START + 1, b"XYZdef"))
    assert stream.octets == b"abcdef"


def test_it_names_the_segments_that_brought_a_span():
    stream = heard(SYN, said(START + 1, b"user"), said(START + 5, b"pass"), said(START + 9, b"bye"))
    assert stream.sources(0, 4) == (1,)
    assert stream.sources(3, 5) == (1, 2)
    assert stream.sources(8, 11) == (3,)
    assert stream.sources(4, 4) == ()


def test_it_keeps_no_more_than_its_limit():
    stream = heard(SYN, said(START + 1, b"abcd"), said(START + 5, b"efgh"), limit_octets=6)
    assert stream.octets == b"abcdef"
    assert stream.sources(4, 6) == (2,)


def test_what_waits_is_bounded_too():
    early = (said(START + 100 + 2 * n, b"x") for n in range(50))
    stream = heard(SYN, *early, said(START + 1, b"abc"), limit_octets=8)
    assert stream.octets == b"abc"
    stream.take(said(START + 4, b"d" * 97))
    assert len(stream.octets) == 8  # of those that were early only the first 8 were kept


@given(st.binary(min_size=1, max_size=60), st.data())
def test_any_order_gives_the_same_octets(octets: bytes, data: st.DataObject):
    cuts = data.draw(st.lists(st.integers(0, len(octets)), max_size=8))
    edges = sorted({0, len(octets), *cuts})
    pieces = [said(START + 1 + begin, octets[begin:end]) for begin, end in pairwise(edges)]
    again = data.draw(st.lists(st.sampled_from(pieces), max_size=4))
    shuffled = data.draw(st.permutations([*pieces, *again]))
    assert heard(SYN, *shuffled).octets == octets
