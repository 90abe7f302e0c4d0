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
MOST_MISSED = 3
"""One is expected at most in so many runs; more than three are seen in two cases of a hundred."""


@pytest.mark.parametrize(
    ("host", "usual_rounds", "most_probes"),
    [
        ({"answering": ALL}, 1, ALL),
        ({"answering": ALL - 100, "silent": 100}, 2, ALL + 100),
        ({"answering": ALL, "arrives": FIVE_PER_CENT}, 5, 73_500),
        ({"answering": ALL, "arrives": TWENTY_PER_CENT}, 12, 105_000),
        ({"answering": ALL - 100, "silent": 100, "arrives": FIVE_PER_CENT}, 8, 74_500),
        ({"answering": ALL - 100, "silent": 100, "arrives": TWENTY_PER_CENT}, 18, 106_000),
        ({"answering": 5, "silent": ALL - 5}, 5, 5 * ALL),
        ({"answering": 5, "silent": ALL - 5, "with_controls": True}, 4, 4 * ALL),
        ({"answering": 1, "silent": ALL - 1, "with_controls": True}, 4, 4 * ALL),
        ({"answering": 95, "silent": 5, "arrives": FIVE_PER_CENT}, 6, 170),
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
    ended = scans(3, 4000, with_controls=True, **host)
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


def test_six_icmp_errors_and_silent_ports_are_worth_two_rounds_of_a_second():
    """The seventh error may wait in the host's token bucket for the next second."""
    rounds = Rounds()
    rounds.measured(MS)
    rounds.begin(ALL, 0)
    rounds.end(ALL - 94, 1, rejected=6)
    while rounds.expected_missed() >= ENOUGH:
        assert rounds.another(94)
        assert rounds.quiet_for_ns() < SECOND
        rounds.begin(94, 2)
        rounds.end(0, 3)
    for _ in range(2):
        assert rounds.another(94)
        assert rounds.quiet_for_ns() > SECOND
        rounds.begin(94, 4)
        rounds.end(0, 5)
    assert (rounds.another(94), rounds.certain) == (False, True)


def test_five_icmp_errors_are_below_any_limit():
    rounds = Rounds()
    rounds.begin(ALL, 0)
    rounds.end(ALL - 95, 1, rejected=5)
    rounds.begin(95, 2)
    rounds.end(0, 3)
    assert not rounds.another(95)


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


def test_controls_are_asked_where_few_answered():
    rounds = Rounds()
    assert [rounds.controls(answered) for answered in (0, 5, 100, 65_000)] == [0, 5, 64, 0]


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
        Round(number=0, probes=12, answers=7, began_ns=500, ended_ns=1500, rto_ns=SECOND),
    )
    assert rounds.another(3)
