"""Fewer answers, or chance?"""

from random import Random

import pytest

from tcplab.analysis.scanning.ratio import Sample

USUAL = Sample(probes=1000, answers=1000)


def test_none_after_all_is_fewer():
    assert Sample(probes=64, answers=0).fewer_than(USUAL)


def test_more_is_not_fewer():
    assert not USUAL.fewer_than(Sample(probes=64, answers=0))


def test_a_tenth_fewer_is_not_worth_noting_however_sure():
    assert not Sample(probes=10**6, answers=9 * 10**5).fewer_than(USUAL)


def test_five_answers_are_no_baseline():
    few = Sample(probes=10_000, answers=5)
    assert not Sample(probes=10_000, answers=0).fewer_than(few)
    assert Sample(probes=10_000, answers=0).seems_fewer_than(few)


@pytest.mark.parametrize("sample", [Sample(), Sample(probes=9), USUAL])
def test_nothing_is_fewer_than_nothing(sample):
    assert not sample.fewer_than(Sample())
    assert not sample.fewer_than(Sample(probes=50))


def test_answers_to_earlier_probes_are_no_surprise():
    late = Sample(probes=100, answers=160)
    assert not late.fewer_than(USUAL)
    assert Sample(probes=100, answers=0).fewer_than(late)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("probes", [50, 1000])
def test_chance_is_kept(share, probes):
    random = Random(8)

    def seen(count):
        return sum(random.random() < share for _ in range(count))

    pairs = [
        (Sample(probes=probes, answers=seen(probes)), Sample(probes=500, answers=seen(500)))
        for _ in range(1000)
    ]
    assert sum(low.fewer_than(high, chance=0.01) for low, high in pairs) <= 20
    assert not any(low.fewer_than(high) for low, high in pairs)


def test_what_was_long_ago_fades():
    assert Sample(probes=800, answers=80).faded() == Sample(probes=700, answers=70)
