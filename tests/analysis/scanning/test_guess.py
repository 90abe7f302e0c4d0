"""How long it takes, and why nobody answered."""

import pytest

from tcplab.analysis.scanning.census import Census, Proof, Rejection
from tcplab.analysis.scanning.guess import estimate, left, silence
from tcplab.analysis.scanning.report import Silence

TARGET, SOURCE, ROUTER = "192.0.2.9", "198.51.100.1", "198.51.100.254"


def census(*reports):
    """A scan of ten ports, to which so many were answered by these ICMP errors."""
    taken = Census((range(1, 11),))
    for port, (reporter, code) in enumerate(reports, 1):
        taken.reject(port, Rejection(version=4, type=3, code=code, reporter=reporter))
    return taken


def why(taken, **seen):
    return silence(taken, **{"target": TARGET, "source": SOURCE, "on_link": False, **seen})


# ── before it starts ────────────────────────────────────────────────────────────────────────


def test_all_ports_at_a_thousand_a_second():
    assert estimate(65_535, 1000) == 65.535


def test_as_fast_as_the_path_answers_is_not_known_beforehand():
    assert estimate(65_535, None) is None


# ── while it runs ───────────────────────────────────────────────────────────────────────────


def test_nothing_is_left_to_guess_from_before_the_first_probe():
    assert left(ports=10, answered=0, probes=10, sent=0, to_come=4, pps=1000, quiet_s=1) is None


def test_everybody_answers_so_the_first_round_is_all():
    told = left(
        ports=10_000, answered=4000, probes=10_000, sent=4000, to_come=4, pps=1000, quiet_s=1
    )
    assert told == 6


def test_silent_ones_are_asked_again():
    told = left(
        ports=10_000, answered=2000, probes=10_000, sent=4000, to_come=2, pps=1000, quiet_s=1
    )
    assert told == pytest.approx(6 + 2 * 5 + 3)


def test_later_round_has_only_the_silent_ones():
    told = left(
        ports=10_000, answered=9000, probes=1000, sent=500, to_come=1, pps=1000, quiet_s=0.5
    )
    assert told == pytest.approx(0.5 + 1 + 1)


# ── nothing answered ────────────────────────────────────────────────────────────────────────


def test_any_answer_of_the_target_is_no_silence():
    answered = Census((range(1, 11),))
    answered.note(7, Proof.RST)
    assert why(answered) is None


def test_rejection_by_the_target_is_no_silence():
    assert why(census((TARGET, 3))) is None


def test_administrative_rejection_on_the_way_is_no_silence():
    assert why(census((ROUTER, 13))) is None


def test_failed_neighbour_on_the_own_link_is_down():
    assert why(census(), on_link=True, neighbour_failed=True) is Silence.DOWN


def test_own_kernels_report_on_the_own_link_is_down():
    own = Rejection(version=4, type=3, code=1, reporter=SOURCE)
    assert why(census(), on_link=True, own_errors=[own]) is Silence.DOWN
    assert why(census((SOURCE, 1)), on_link=True) is Silence.DOWN


def test_neighbour_that_was_there_once_is_no_telling():
    assert why(census(), on_link=True) is Silence.DOWN_OR_FILTERED


def test_neighbour_that_is_there_is_filtered():
    assert why(census(), on_link=True, is_up=True) is Silence.FILTERED


def test_silence_behind_a_router_is_no_telling():
    assert why(census()) is Silence.DOWN_OR_FILTERED


def test_routers_report_is_unreachable():
    assert why(census((ROUTER, 1), (ROUTER, 0))) is Silence.UNREACHABLE


def test_router_that_is_down_leaves_the_target_unreachable():
    assert why(census(), neighbour_failed=True) is Silence.UNREACHABLE


def test_ipv6_address_unreachable():
    taken = Census((range(1, 3),))
    taken.reject(1, Rejection(version=6, type=1, code=3, reporter="2001:db8::1"))
    assert why(taken, target="2001:db8:1::9", source="2001:db8::2") is Silence.UNREACHABLE
