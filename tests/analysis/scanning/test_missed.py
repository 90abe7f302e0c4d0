"""How many answers were missed, by what is known of the loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.analysis.scanning.missed import Controls, estimate

ALL = 65_535


def missed(*answers, unanswered, controls=()):
    """`controls` are (asked, answered) in the last rounds; before there were none."""
    asked = [Controls(asked=asked, answered=answered) for asked, answered in controls]
    none = [Controls()] * (len(answers) - len(asked))
    return estimate(answers, unanswered, [*none, *asked]).missed


def test_one_round_says_nothing_of_the_loss():
    """All the hundred may have been lost, and many more."""
    assert missed(ALL - 100, unanswered=100) > 99


def test_silent_second_round_after_thousands_of_answers_is_enough():
    assert missed(ALL - 100, 0, unanswered=100) < 1e-4


def test_five_answers_of_five_do_not_prove_that_nothing_is_lost():
    assert missed(5, 0, unanswered=ALL - 5) > 0.02


def test_loss_is_read_from_the_rounds():
    """Of 65,535 answers a tenth was lost each time: (0.1)^k of them are left."""
    answers = [58_981, 5_899, 590, 59]
    told = estimate(answers, 106, [Controls()] * len(answers))
    assert told.loss == pytest.approx(0.1, rel=0.02)
    assert told.missed == pytest.approx(ALL * 0.1**4, rel=0.05)


def test_controls_tell_the_loss_where_few_answer():
    alone = missed(5, 0, 0, unanswered=60_000)
    well = missed(5, 0, 0, unanswered=60_000, controls=[(50, 50)])
    badly = missed(5, 0, 0, unanswered=60_000, controls=[(50, 30)])
    assert well < alone < badly


def test_controls_of_late_rounds_tell_that_the_path_is_not_what_it_was():
    """After thousands of answers in the first round nothing came: of nobody else there was one, or
    nobody was there.
    """
    there = missed(3000, 0, 0, unanswered=2000, controls=[(16, 16), (16, 16)])
    gone = missed(3000, 0, 0, unanswered=2000, controls=[(16, 0), (16, 0)])
    assert there < 0.001 < 1 < gone


def test_late_answers_that_loss_cannot_explain_speak_for_themselves():
    """A host that lets twenty answers a round pass: there is no end to them yet."""
    assert missed(65_000, 20, 20, 20, 20, unanswered=455) > 20
    assert missed(65_000, 20, 20, 20, 20, 0, 0, 0, 0, unanswered=455) < 65_000 * 0.1**4


def test_answers_that_end_all_at_once_have_ended():
    """Twenty a round for twenty rounds, and then none: it is no loss of nine tenths."""
    assert missed(*[20] * 20, 0, unanswered=50) > 0.02
    assert missed(*[20] * 20, *[0] * 5, unanswered=50) < 0.001


def test_rounds_that_lost_answers_of_our_own_making_leave_everything_open():
    assert missed(unanswered=17) == 17


@given(
    answers=st.lists(st.integers(0, ALL), min_size=1, max_size=30),
    unanswered=st.integers(0, ALL),
    asked=st.integers(0, 2000),
    share=st.floats(0, 1),
)
def test_estimate_is_always_within_reason(answers, unanswered, asked, share):
    controls = Controls(asked=asked, answered=int(asked * share))
    told = estimate(answers, unanswered, [controls] * len(answers))
    assert 0 < told.loss < 1
    assert 0 <= told.missed <= unanswered * (1 + 1e-9)


@given(answered=st.integers(0, ALL), rounds=st.integers(1, 20), unanswered=st.integers(1, ALL))
def test_another_silent_round_leaves_fewer(answered, rounds, unanswered):
    before = missed(answered, *[0] * (rounds - 1), unanswered=unanswered)
    after = missed(answered, *[0] * rounds, unanswered=unanswered)
    assert after <= before * (1 + 1e-6)
