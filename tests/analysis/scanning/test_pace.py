"""How fast to ask."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcplab.analysis.scanning.pace import Pace
from tcplab.analysis.scanning.report import PaceCause

MS = 1_000_000
SECOND = 1000 * MS


class Path:
    """Sends as `pace` allows, a millisecond at a time, and at most `able` probes in one."""

    def __init__(self, most_pps, *, able=300, at_once=2048, seed=1):
        self.pace = Pace(most_pps, 0, most_at_once=at_once)
        self.able = able
        self.now_ns = 0
        self.random = Random(seed)
        self.sent = 0

    def run(self, windows_ms, *, answering=1.0, room=None, errors_above=None, limit=None):
        """Of the probes a share is answered; what exceeds `room` answers in 1 ms is dropped.

        `limit`: the host gives so many answers a millisecond at most. Above so many probes in a
        millisecond the queue is full.
        """
        tokens = 0.0
        for _ in range(windows_ms):
            probes = min(self.pace.allowance(self.now_ns), self.able)
            if probes:
                self.pace.sent(probes, self.now_ns)
            self.sent += probes
            self.now_ns += MS
            answers = sum(self.random.random() < answering for _ in range(probes))
            if limit is not None:
                tokens = min(tokens + limit, 10 * limit)
                answers = min(answers, int(tokens))
                tokens -= answers
            drops = max(0, answers - room) if room is not None else 0
            errors = max(0, probes - errors_above) if errors_above is not None else 0
            self.pace.observed(
                answers=answers - drops, drops=drops, errors=errors, now_ns=self.now_ns
            )
        return self

    def causes(self):
        return [change.cause for change in self.pace.changes]

    def rates(self):
        return [change.pps for change in self.pace.changes]


# ── the rate that was allowed ───────────────────────────────────────────────────────────────


@settings(max_examples=150, deadline=None)
@given(
    rate=st.integers(1, 50_000),
    at_once=st.integers(1, 4096),
    acts=st.lists(
        st.tuples(
            st.integers(0, 200 * MS),  # passes
            st.floats(0, 1),  # this share of what is allowed is sent
            st.floats(0, 1.5),  # answers a probe
            st.sampled_from([0, 0, 0, 1, 30]),  # drops
            st.sampled_from([0, 0, 0, 0, 1]),  # errors
            st.booleans(),  # a round begins
        ),
        max_size=120,
    ),
)
def test_allowed_rate_is_never_exceeded_in_any_window(rate, at_once, acts):
    pace = Pace(rate, 0, most_at_once=at_once)
    now_ns, log = 0, []
    for passes, share, answering, drops, errors, begins in acts:
        now_ns += passes
        if begins:
            pace.begin_round(now_ns)
        allowance = pace.allowance(now_ns)
        assert 0 <= allowance <= at_once
        probes = round(allowance * share)
        pace.sent(probes, now_ns)
        log.append((now_ns, probes))
        pace.observed(answers=int(probes * answering), drops=drops, errors=errors, now_ns=now_ns)
        assert pace.pps is not None
        assert 1 <= pace.pps <= rate
    bucket = max(1, rate // 100)
    for first in range(len(log)):
        total = 0
        for at_ns, probes in log[first:]:
            total += probes
            assert total * SECOND <= rate * (at_ns - log[first][0]) + bucket * SECOND
            assert total <= rate or at_ns - log[first][0] >= SECOND


@given(rate=st.integers(1, 2_000_000), at_once=st.integers(1, 4096))
def test_something_may_be_sent_when_it_was_said(rate, at_once):
    pace = Pace(rate, 0, most_at_once=at_once)
    now_ns = 0
    for _ in range(20):
        allowance = pace.allowance(now_ns)
        if allowance:
            assert pace.next_ns() is None
            pace.sent(allowance, now_ns)
        else:
            at_ns = pace.next_ns()
            assert at_ns > now_ns
            assert not pace.allowance(at_ns - 1)
            now_ns = at_ns
            assert pace.allowance(now_ns)


@pytest.mark.parametrize("rate", [1, 7, 100, 1000, 33_333])
def test_allowed_rate_is_reached(rate):
    path = Path(rate).run(3000)
    assert path.sent == pytest.approx(3 * rate, abs=1 + rate / 25)
    assert path.pace.changes == ()


def test_max_has_no_limit_but_most_at_once():
    pace = Pace(None, 5, most_at_once=2048)
    assert (pace.allowance(5), pace.next_ns(), pace.pps) == (2048, None, None)
    pace.sent(2048, 5)
    assert (pace.allowance(5), pace.next_ns()) == (2048, None)


# ── trouble of our own making ───────────────────────────────────────────────────────────────


def test_drops_halve_the_measured_rate():
    path = Path(None).run(100).run(1, room=100)
    (change,) = path.pace.changes
    assert change.cause is PaceCause.DROPS
    assert change.at_ns == 101 * MS
    assert change.pps == pytest.approx(150_000, rel=0.02)


def test_drops_count_once_a_window():
    """What is dropped just after the rate was halved was sent before."""
    path = Path(None).run(50)
    for _ in range(20):
        path.pace.observed(answers=0, drops=9, errors=0, now_ns=path.now_ns)
        path.now_ns += MS
    assert path.causes() == [PaceCause.DROPS]


def test_small_ring_makes_the_rate_fall_and_rise():
    path = Path(None).run(1500, room=64)
    assert set(path.causes()) == {PaceCause.DROPS, PaceCause.RECOVERY}
    assert 20_000 < path.sent / 1.5 < 90_000
    late = [each.pps for each in path.pace.changes if each.at_ns > 500 * MS]
    assert min(late) >= 16_000
    assert max(late) <= 100_000


def test_send_errors_slow_too():
    path = Path(None).run(60, errors_above=250)
    assert path.causes()[0] is PaceCause.ERRORS


def test_rate_comes_back_without_limit_when_trouble_is_over():
    path = Path(None).run(100, room=100).run(2000)
    assert path.pace.pps is None
    assert path.pace.changes[-1].cause is PaceCause.RECOVERY


def test_rate_comes_back_to_what_was_allowed():
    path = Path(10_000).run(100).run(10, room=2).run(2000)
    assert path.pace.pps == 10_000
    rates = path.rates()
    assert rates[0] == pytest.approx(5000, rel=0.02)
    assert rates == sorted(rates)


def test_waits_while_nothing_is_sent_are_no_windows_without_trouble():
    path = Path(None).run(100).run(1, room=10)
    for _ in range(1000):
        path.now_ns += MS
        path.pace.observed(answers=0, drops=0, errors=0, now_ns=path.now_ns)
    assert path.causes() == [PaceCause.DROPS]


# ── fewer answers ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rate", [None, 1000])
def test_host_that_limits_its_answers_is_asked_more_slowly(rate):
    path = Path(rate).run(300)
    limit = 60 if rate is None else 0.3
    path.run(1200, limit=limit)
    assert PaceCause.SILENCE in path.causes()
    assert PaceCause.NO_HELP not in path.causes()[:2]
    before = path.sent
    path.run(2000, limit=limit)
    assert (path.sent - before) / 2000 < 0.75 * (300 if rate is None else 1)


@pytest.mark.parametrize("rate", [None, 1000])
def test_filtered_range_slows_for_a_moment_only(rate):
    path = Path(rate).run(300).run(3000, answering=0)
    causes = path.causes()
    assert causes == [PaceCause.SILENCE, PaceCause.NO_HELP]
    began, ended = (change.at_ns for change in path.pace.changes)
    assert ended - began < 300 * MS
    assert path.pace.pps == rate


def test_lossy_path_is_not_slowed_for_long():
    path = Path(1000).run(1000).run(20_000, answering=0.5)
    assert set(path.causes()) == {PaceCause.SILENCE, PaceCause.NO_HELP}
    assert path.pace.pps == 1000
    assert path.sent > 0.95 * 21_000


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("answering", [0, 0.0005, 0.01, 0.3, 0.64, 0.9, 1])
def test_chance_is_not_taken_for_fewer_answers(seed, answering):
    """Nothing but a few of thousands answers: that one window has none means nothing."""
    path = Path(None, able=20, seed=seed).run(1500, answering=answering)
    assert path.pace.changes == ()


def test_one_window_without_a_processor_is_not_taken_for_fewer_answers():
    path = Path(None).run(200)
    late = 0
    for _ in range(25):
        path.pace.sent(300, path.now_ns)
        path.now_ns += MS
        late += 300
        path.pace.observed(answers=0, drops=0, errors=0, now_ns=path.now_ns)
    path.pace.observed(answers=late, drops=0, errors=0, now_ns=path.now_ns)
    path.run(200)
    assert path.pace.changes == ()


def test_next_round_asks_those_who_did_not_answer():
    """That hardly any of them does is no reason to slow."""
    path = Path(None).run(200)
    path.pace.begin_round(path.now_ns)
    path.run(500, answering=0.02)
    assert path.pace.changes == ()


def test_round_that_ends_in_a_trial_gives_the_rate_back():
    path = Path(1000).run(300).run(100, answering=0)
    assert path.causes() == [PaceCause.SILENCE]
    path.pace.begin_round(path.now_ns)
    assert path.causes() == [PaceCause.SILENCE, PaceCause.RECOVERY]
    assert path.pace.pps == 1000


def test_long_round_trip_makes_long_windows():
    """The answers of the first 200 ms are still on their way."""
    path = Path(1000)
    path.pace.measured(200 * MS)
    on_their_way = [0] * 200
    for _ in range(5000):
        probes = path.pace.allowance(path.now_ns)
        path.pace.sent(probes, path.now_ns)
        on_their_way.append(probes)
        path.now_ns += MS
        path.pace.observed(answers=on_their_way.pop(0), drops=0, errors=0, now_ns=path.now_ns)
    assert path.pace.changes == ()
