"""A SYN flood on real kernels: who is served, by which defence, and why."""

import os
import signal
import time
from dataclasses import replace

import pytest

from tcplab.analysis.flooding.report import ConditionId, FloodReport
from tcplab.analysis.flooding.settings import Cookies, FloodSettings
from tcplab.experiment.flood import compare, flood
from tests.live import forked
from tests.testbed.test_namespace import descriptors, still_open

SHORT = FloodSettings(seconds=1.0)
SERVED = {(Cookies.OFF, False): 0, (Cookies.ON, False): 5, (Cookies.ALWAYS, False): 5}
LIMITED = (Cookies.OFF, True)
PATIENCE_S = 120.0
ALL = ("MSS", "Timestamp", "SAckOK", "WScale")

every_version = pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])


def flooded(rootless: bool = True, **how) -> FloodReport:
    (report,) = forked(watched, replace(SHORT, **how), rootless, alone)
    return report


def alone(settings: FloodSettings, **how) -> tuple[FloodReport]:
    return (flood(settings, **how),)


def watched(settings: FloodSettings, rootless: bool, play) -> tuple[FloodReport, ...]:
    """What `play` reports, the first time that the machine let the client try as often as it was
    to: who stands still for a fifth of a second misses a try.
    """
    end_s = time.monotonic() + PATIENCE_S
    entered = False
    while time.monotonic() < end_s:
        reports = play(settings, rootless=None if rootless and entered else rootless)
        entered = True
        if all(len(each.tries) == each.settings.tries for each in reports):
            return reports
    raise AssertionError(f"the machine stood still in every run for {PATIENCE_S:.0f} s")


def column(reports) -> dict[tuple[Cookies, bool], int]:
    """The table's who-was-served column: how many of the client's tries were."""
    return {
        (each.settings.cookies, each.settings.rate_limit_pps is not None): each.tries_served
        for each in reports
    }


def compared(version: int, rootless: bool) -> tuple[FloodReport, ...]:
    return forked(watched, replace(SHORT, version=version), rootless, compare)


def check_served(reports) -> None:
    """Without a defence the client is denied; with each of them it is served."""
    assert column(reports) == {**SERVED, LIMITED: 5}
    assert all(len(each.tries) == 5 and not each.partial for each in reports)
    assert all(each.drops == 0 for each in reports)


@every_version
def test_every_defence_serves_the_client_that_is_denied_without(version):
    reports = compared(version, rootless=True)

    check_served(reports)
    off, on, always, limited = reports
    assert all(each.rootless for each in reports)
    assert [each.sent for each in reports[:3]] == [400, 400, 400]
    assert 0 < limited.sent <= limited.settings.bearable_pps + 1
    assert off.served_after_ns is None
    assert off.counters["TcpExtListenDrops"] >= 400 - off.syn_received_peak
    assert off.counters["TcpExtSyncookiesSent"] == 0
    assert off.settings.room <= off.syn_received_peak <= off.settings.room + 1
    assert on.counters["TcpExtSyncookiesRecv"] == 5
    assert on.counters["TcpExtSyncookiesSent"] == 405 - on.syn_received_peak
    assert always.counters["TcpExtSyncookiesSent"] == 405
    assert (always.syn_received_peak, always.counters["TcpExtListenDrops"]) == (0, 0)
    assert limited.counters["TcpExtListenDrops"] == 0
    assert off.options_kept is None
    assert on.options_kept == always.options_kept == limited.options_kept == ALL


@pytest.mark.root
@every_version
def test_the_same_as_root(version):
    reports = compared(version, rootless=False)

    check_served(reports)
    assert not any(each.rootless for each in reports)


@pytest.mark.repeats
@pytest.mark.slow
@every_version
def test_the_served_column_is_the_same_in_5_of_5(version):
    for _ in range(5):
        check_served(compared(version, rootless=True))


@every_version
def test_a_cookie_keeps_only_the_mss_without_timestamps(version):
    on = flooded(version=version, cookies=Cookies.ON, timestamps=False)
    limited = flooded(version=version, rate_limit_pps=1, timestamps=False)

    assert on.options_kept == ("MSS",)
    assert limited.options_kept == ("MSS", "SAckOK", "WScale")


# --- the conditions -----------------------------------------------------------------------------


def held(report: FloodReport) -> set[ConditionId]:
    return {each.id for each in report.conditions if each.held}


def test_all_conditions_hold_where_the_last_quarter_alone_denies():
    report = flooded(backlog=128)

    assert report.tries_served == 0
    assert held(report) == set(ConditionId)
    assert report.counters["TcpExtTCPReqQFullDrop"] == 0


@every_version
def test_a_client_that_the_kernel_knows_is_served_from_the_last_quarter(version):
    report = flooded(version=version, backlog=128, proven=True)

    assert report.tries_served == 5
    assert set(ConditionId) - held(report) == {ConditionId.UNPROVEN}
    assert report.counters["TcpExtListenDrops"] > 0


def test_a_full_backlog_denies_although_the_last_quarter_is_far():
    report = flooded(max_syn_backlog=256)

    assert report.tries_served == 0
    assert set(ConditionId) - held(report) == {ConditionId.LAST_QUARTER, ConditionId.LASTING}
    assert report.counters["TcpExtTCPReqQFullDrop"] == report.counters["TcpExtListenDrops"] > 0


def test_a_queue_that_is_longer_than_the_flood_denies_nothing():
    report = flooded(backlog=4096, max_syn_backlog=2048)

    assert report.tries_served == 5
    assert report.syn_received_peak == 400
    assert not {ConditionId.QUEUE_FULL, ConditionId.LAST_QUARTER} & held(report)


@pytest.mark.repeats
@pytest.mark.slow
def test_half_open_connections_are_given_up_early_where_they_fill_half_the_backlog():
    early = flooded(seconds=10.0)
    late = flooded(seconds=10.0, backlog=128)

    assert not early.tries[0].took_ns
    assert early.served
    assert not late.served


# --- the end ------------------------------------------------------------------------------------


class Interrupting:
    """Presses Ctrl-C at that look, as a terminal does."""

    def __init__(self, look: int) -> None:
        self.left = look

    def __call__(self, *_what) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_leaves_a_partial_report_and_nothing_running():
    def run() -> tuple[FloodReport, set[str], list[str]]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        before = descriptors()
        report = flood(
            FloodSettings(frames=20_000, rate_limit_pps=1000, seconds=10.0),
            rootless=True,
            heed=Interrupting(3),
        )
        return report, still_open(before), os.listdir("/proc/self/task")

    report, left, threads = forked(run)
    assert report.partial
    assert len(report.looks) == 3
    assert 0 < report.sent < 20_000
    assert not left
    assert len(threads) == 1


def test_ctrl_c_in_the_second_of_a_comparison_ends_it_there():
    def run() -> tuple[FloodReport, ...]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        settings = replace(SHORT, seconds=0.4)
        looks = Interrupting(0)

        def heed(each, look) -> None:
            if each.cookies is Cookies.ON:
                looks.left = looks.left or 2
                looks()

        return compare(settings, rootless=True, heed=heed)

    reports = forked(run)
    assert [(each.settings.cookies, each.partial) for each in reports] == [
        (Cookies.OFF, False),
        (Cookies.ON, True),
    ]


def test_a_look_tells_what_was_until_then():
    def run() -> list:
        seen = []

        def play(settings: FloodSettings, **how) -> tuple[FloodReport, ...]:
            seen.clear()
            return (flood(settings, heed=seen.append, **how),)

        watched(replace(SHORT, cookies=Cookies.ON), True, play)
        return seen

    looks = forked(run)
    assert [look.at_ns for look in looks] == sorted(look.at_ns for look in looks)
    first, last = looks[0], looks[-1]
    assert (first.sent, first.client_tries, first.client_served) == (400, 0, 0)
    assert first.counters["TcpExtSyncookiesSent"] == 400 - first.syn_received
    assert (last.client_tries, last.client_served) == (5, 5)
    assert all(0 <= look.listen_queue <= 1 for look in looks)
