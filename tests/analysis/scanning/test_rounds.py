"""When to ask again, how long to wait, when to stop."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcplab.analysis.scanning.report import Round
from tcplab.analysis.scanning.rounds import ENOUGH, MOST_ROUNDS, Rounds

from .scanned import ALL, MS, scan, scans

SECOND = 1000 * MS
FIVE_PER_CENT, TWENTY_PER_CENT = 0.95**2, 0.8**2
"""What arrives when so much is lost each way."""


def after(*rounds, **options):
    """Rounds of (probes, answers)."""
    told = Rounds(**options)
    for number, (probes, answers) in enumerate(rounds):
        told.begin(probes, number * MS)
        told.end(answers, number * MS + 1)
    return told


# ── the cases that a scan must end exact in ─────────────────────────────────────────────────

RUNS = 1000
MOST_MISSED = 1
"""A tenth of one is expected at most in so many runs; more than one is seen in one case of two
hundred."""


@pytest.mark.parametrize(
    ("host", "usual_rounds", "most_probes"),
    [
        ({"answering": ALL}, 1, ALL),
        ({"answering": ALL - 100, "silent": 100}, 2, ALL + 116),
        ({"answering": ALL, "arrives": FIVE_PER_CENT}, 5, 73_500),
        ({"answering": ALL, "arrives": TWENTY_PER_CENT}, 12, 105_000),
        ({"answering": ALL - 100, "silent": 100, "arrives": FIVE_PER_CENT}, 9, 74_500),
        ({"answering": ALL - 100, "silent": 100, "arrives": TWENTY_PER_CENT}, 20, 106_000),
        ({"answering": 5, "silent": ALL - 5}, 5, 5 * ALL),
        ({"answering": 1, "silent": ALL - 1}, 6, 6 * ALL),
        ({"answering": 95, "silent": 5, "arrives": FIVE_PER_CENT}, 7, 290),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_scan_ends_exact_and_soon(host, usual_rounds, most_probes):
    ended = scans(2, RUNS, **host)
    assert sum(each.missed for each in ended) <= MOST_MISSED
    assert all(each.certain for each in ended)
    assert sorted(each.rounds for each in ended)[RUNS // 2] == usual_rounds
    assert max(each.probes for each in ended) <= most_probes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "missed"),
    [
        ({"answering": 5, "silent": ALL - 5, "arrives": FIVE_PER_CENT}, 0.001),
        # Five answers of five are seen on such a path once in ten scans. That the loss may be so
        # great all the same is what the prior says too seldom for it, and the controls find out.
        ({"answering": 5, "silent": ALL - 5, "arrives": TWENTY_PER_CENT}, 0.005),
        ({"answering": 20, "silent": ALL - 20, "arrives": TWENTY_PER_CENT}, 0.0015),
    ],
)
def test_few_ports_that_answer_over_a_bad_path_are_found(host, missed):
    ended = scans(3, 4000, **host)
    assert sum(each.missed for each in ended) <= missed * 4000
    assert all(each.certain for each in ended)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    answering=st.integers(0, 3000),
    silent=st.integers(0, 3000),
    arrives=st.floats(0.05, 1),
)
def test_scan_of_any_host_ends(seed, answering, silent, arrives):
    ended = scan(Random(seed), answering=answering, silent=silent, arrives=arrives)
    assert 1 <= ended.rounds <= MOST_ROUNDS
    assert ended.probes >= answering + silent
    if ended.rounds < MOST_ROUNDS:
        assert ended.certain


# ── answers that are late or lost by other causes than chance ───────────────────────────────


def test_burst_that_the_ring_had_no_room_for_is_made_good():
    for each in scans(4, 200, answering=ALL - 100, silent=100, room=20_000):
        assert (each.missed, each.certain) == (0, True)
        assert each.rounds <= 4


def test_burst_on_a_path_that_loses_too_is_made_good():
    ended = scans(5, 200, answering=ALL - 100, silent=100, room=30_000, arrives=FIVE_PER_CENT)
    assert sum(each.missed for each in ended) <= 1
    assert all(each.certain for each in ended)


@pytest.mark.parametrize("at_most", [20, 200, 3000])
def test_host_that_limits_its_answers_is_asked_as_long_as_they_come(at_most):
    host = {"answering": 20 * at_most, "silent": 50, "at_most": at_most}
    for each in scans(6, 20, **host):
        assert (each.missed, each.certain) == (0, True)


def test_limit_too_low_for_all_rounds_is_not_called_certain():
    (ended,) = scans(7, 1, answering=2000, at_most=20)
    assert (ended.rounds, ended.missed, ended.certain) == (MOST_ROUNDS, 1400, False)


def test_rounds_with_drops_do_not_count_as_tries():
    rounds = Rounds()
    for _ in range(MOST_ROUNDS):
        rounds.begin(100, 0)
        rounds.end(0, 0, drops=1)
    assert rounds.expected_missed() == 100
    assert (rounds.another(100), rounds.certain) == (False, False)


# ── ICMP errors that a host has one of in a second ──────────────────────────────────────────


def settled(rounds, silent):
    """Ask them in vain until no more answers are to be expected, were it for chance alone."""
    while True:
        assert rounds.another(silent)
        if rounds.quiet_for_ns() > SECOND:
            return
        rounds.begin(silent, 2)
        rounds.end(0, 3)


@pytest.mark.parametrize("rejected", [0, 1, 6])
def test_silent_ports_are_asked_once_more_after_a_pause(rejected):
    """They may be about to be rejected by a host whose tokens for ICMP errors are used up."""
    rounds = after((ALL, 0))
    rounds.measured(MS)
    rounds.begin(ALL, 0)
    rounds.end(ALL - 94, 1, rejected=rejected)
    settled(rounds, 94)
    rounds.begin(94, 4)
    rounds.end(0, 5)
    assert (rounds.another(94), rounds.certain) == (True, False)
    assert rounds.quiet_for_ns() < SECOND  # what is to come comes at once
    rounds.begin(94, 6)
    rounds.end(0, 7)
    assert (rounds.another(94), rounds.certain) == (False, True)
    assert not rounds.icmp_still_coming


def test_each_icmp_error_after_a_pause_is_worth_another_one():
    rounds = Rounds()
    rounds.measured(MS)
    rounds.begin(ALL, 0)
    rounds.end(ALL - 10, 1, rejected=6)
    settled(rounds, 10)
    rounds.begin(10, 4)
    rounds.end(0, 5)
    for silent in range(9, 5, -1):
        assert rounds.another(silent + 1)
        rounds.begin(silent + 1, 6)
        assert rounds.quiet_for_ns() < SECOND < rounds.quiet_for_ns(answered=True)
        rounds.end(1, 7, rejected=1)
    assert (rounds.another(6), rounds.certain) == (True, False)
    rounds.begin(6, 8)
    rounds.end(0, 9)
    assert (rounds.another(6), rounds.certain) == (False, True)


def test_icmp_errors_that_do_not_end_leave_it_uncertain():
    rounds = Rounds()
    rounds.measured(MS)
    rounds.begin(ALL, 0)
    rounds.end(ALL - 94, 1, rejected=6)
    settled(rounds, 94)
    silent = 94
    while rounds.another(silent):
        rounds.begin(silent, 2)
        rounds.end(1, 3, rejected=1)
        silent -= 1
    assert len(rounds.rounds) == MOST_ROUNDS
    assert (rounds.certain, rounds.icmp_still_coming) == (False, True)


def test_who_is_in_a_hurry_pauses_only_after_icmp_errors_and_says_so():
    for rejected in (0, 1):
        rounds = Rounds(hurried=True)
        rounds.measured(MS)
        rounds.begin(ALL, 0)
        rounds.end(ALL - 100, 1, rejected=rejected)
        rounds.begin(100, 2)
        rounds.end(0, 3)
        assert rounds.another(100) is bool(rejected)
        assert rounds.certain is not bool(rejected)
        assert rounds.icmp_not_awaited


def test_where_nobody_limits_icmp_errors_there_is_no_pause():
    rounds = Rounds(icmp_limited=False)
    rounds.measured(MS)
    rounds.begin(ALL, 0)
    rounds.end(ALL - 95, 1, rejected=6)
    rounds.begin(95, 2)
    rounds.end(0, 3)
    assert (rounds.another(95), rounds.certain, rounds.icmp_not_awaited) == (False, True, False)


def test_waiting_for_answers_for_longer_than_a_pause_is_one():
    """To nobody who has ever answered: the time-out is a second, and backs off."""
    rounds = after(*[(10, 0)] * 6)
    assert (rounds.another(10), rounds.certain) == (False, True)


# ── a host that falls silent ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answering", "first"),
    # One port that is silent in the first round has never answered: see the next test.
    [(1, 1), *((answering, first) for answering in (5, 20, 3000, ALL) for first in (0, 1))],
)
def test_host_that_falls_silent_is_not_taken_for_a_filter(answering, first):
    for each in scans(8, 20, answering=answering, silent=10, away=range(first, MOST_ROUNDS)):
        assert (each.certain, each.fallen_silent) == (False, True)
        assert each.rounds < 12


def test_host_that_is_silent_from_the_beginning_has_not_fallen_silent():
    (ended,) = scans(8, 1, answering=0, silent=10)
    assert (ended.certain, ended.fallen_silent) == (True, False)


def test_host_that_is_back_soon_is_asked_everything_again():
    for each in scans(9, 20, answering=3000, silent=10, away=range(4)):
        assert (each.missed, each.certain, each.fallen_silent) == (0, True, False)


def test_to_a_host_that_seems_gone_go_only_controls():
    rounds = after((100, 60))
    rounds.measured(MS)
    assert (rounds.another(40), rounds.knocking) == (True, False)
    missed = rounds.expected_missed()
    rounds.begin(56, 2, again=16)
    rounds.end(0, 3)
    assert (rounds.another(40), rounds.knocking) == (True, True)
    assert rounds.quiet_for_ns() > SECOND
    rounds.begin(16, 4, again=16)
    rounds.end(0, 5, again=1)
    assert (rounds.another(40), rounds.knocking) == (True, False)
    assert rounds.expected_missed() == missed  # forty were asked, but nobody heard it


def test_path_that_became_worse_is_judged_by_the_controls_of_its_rounds():
    """Nothing of 3,000 answers was lost; but of the controls beside forty silent ports half are."""
    rounds = after((3040, 3000))
    while rounds.another(40):
        rounds.begin(56, 0, again=16)
        rounds.end(0, 1, again=8)
    assert rounds.certain
    assert 8 <= len(rounds.rounds) <= 16  # 0.5^13 is a ten-thousandth


# ── stopping ────────────────────────────────────────────────────────────────────────────────


def test_nobody_left_to_ask_ends_it_at_once():
    rounds = after((ALL, ALL))
    assert (rounds.another(0), rounds.certain, rounds.to_come()) == (False, True, 0)


def test_first_round_alone_never_settles_a_silent_port():
    rounds = after((ALL, ALL - 1))
    assert (rounds.another(1), rounds.certain) == (True, False)
    assert 1 <= rounds.to_come() <= 5


def test_round_that_brought_an_answer_is_followed_by_one_more():
    rounds = after((ALL, ALL - 100), (100, 1))
    assert rounds.expected_missed() < ENOUGH
    assert rounds.another(99)


def test_host_that_says_nothing_is_asked_a_few_times():
    rounds = after(*[(1, 0)] * 4)
    assert rounds.another(1)
    rounds.begin(1, 0)
    rounds.end(0, 0)
    assert (rounds.another(1), rounds.certain) == (False, True)


def test_no_round_is_no_certainty():
    assert not Rounds().certain


def test_a_few_controls_are_enough():
    rounds = Rounds()
    assert [rounds.controls(answered) for answered in (0, 5, 65_000)] == [0, 5, 16]


# ── waiting ─────────────────────────────────────────────────────────────────────────────────


def test_rto_is_a_second_until_measured_and_then_rfc_6298s():
    rounds = Rounds()
    assert rounds.rto_ns == SECOND
    rounds.measured(100 * MS)
    assert rounds.rto_ns == 300 * MS


def test_rto_has_its_floor():
    rounds = Rounds(least_ns=20 * MS)
    rounds.measured(MS // 10)
    assert rounds.rto_ns == 20 * MS


def test_quiet_time_backs_off_within_bounds():
    rounds = Rounds()
    rounds.measured(MS)
    quiet = []
    for _ in range(12):
        quiet.append(rounds.quiet_for_ns())
        rounds.begin(10, 0)
        rounds.end(1, 0)
    assert quiet[:3] == [20 * MS, 25 * MS, int(31.25 * MS)]
    assert quiet == sorted(quiet)
    assert quiet[-1] == 80 * MS


def test_rounds_are_kept_with_times_of_the_scan():
    rounds = Rounds(1000)
    rounds.begin(12, 1500, again=2)
    rounds.end(7, 2500, again=2)
    assert rounds.rounds == (
        Round(
            number=0,
            probes=12,
            controls=2,
            answers=7,
            began_ns=500,
            ended_ns=1500,
            rto_ns=SECOND,
        ),
    )
    assert rounds.another(3)
