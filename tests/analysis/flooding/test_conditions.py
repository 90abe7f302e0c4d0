"""Which conditions of denial a report says held."""

from dataclasses import replace

import pytest

from tcplab.analysis.flooding.conditions import conditions
from tcplab.analysis.flooding.report import COUNTERS, ConditionId, FloodLook, FloodReport, Try
from tcplab.analysis.flooding.settings import Cookies, FloodSettings

NOTHING = dict.fromkeys(COUNTERS, 0)
SMALL = FloodSettings()


def report(half_open: int = 13, *, settings=SMALL, counters=None, **how) -> FloodReport:
    look = FloodLook(
        at_ns=1,
        sent=400,
        listen_queue=0,
        syn_received=half_open,
        counters=NOTHING,
        client_tries=0,
        client_served=0,
    )
    made = FloodReport(
        settings=settings,
        kernel="6.18",
        rootless=True,
        looks=(look,),
        tries=(Try(at_ns=5, took_ns=None), Try(at_ns=205, took_ns=None)),
        calm_ns=90_000,
        known=False,
        sent=400,
        drops=0,
        seconds=3.0,
        counters=NOTHING | (counters or {}),
    )
    return replace(made, **how)


QUARTER = {"TcpExtListenDrops": 387}
FULL = {"TcpExtListenDrops": 384, "TcpExtTCPReqQFullDrop": 384}
COOKIES = {"TcpExtTCPReqQFullDoCookies": 384, "TcpExtSyncookiesSent": 384}
ON = FloodSettings(cookies=Cookies.ON)
ALWAYS = FloodSettings(cookies=Cookies.ALWAYS)
LONG = FloodSettings(backlog=128)


@pytest.mark.parametrize(
    ("seen", "failed"),
    [
        (report(settings=LONG, counters=QUARTER), set()),
        (report(counters=QUARTER), {"lasting"}),
        (report(17, counters=FULL), {"last-quarter", "lasting"}),
        (report(17, settings=ON, counters=COOKIES), {"cookies-off", "last-quarter", "lasting"}),
        (
            report(0, settings=ALWAYS, counters=COOKIES),
            {"cookies-off", "queue-full", "last-quarter", "lasting"},
        ),
        (report(3), {"queue-full", "last-quarter"}),
        (report(settings=LONG, counters=QUARTER, known=True), {"unproven"}),
        (report(settings=LONG, counters=QUARTER | {"TcpExtEmbryonicRsts": 2}), {"vanishing"}),
        (report(settings=LONG, counters=QUARTER, calm_ns=None), {"calm"}),
    ],
)
def test_what_did_not_hold(seen, failed):
    found = conditions(seen)

    assert [each.id for each in found] == list(ConditionId)
    assert {each.id.value for each in found if not each.held} == failed


def test_each_sentence_says_what_was_seen():
    sentences = {each.id: str(each.sentence) for each in conditions(report(counters=QUARTER))}

    assert "within 0.1 ms" in sentences[ConditionId.CALM]
    assert "no more than 13 half-open connections" in sentences[ConditionId.QUEUE_FULL]
    assert "387 SYNs found no place" in sentences[ConditionId.QUEUE_FULL]
    assert "tcp_max_syn_backlog (16)" in sentences[ConditionId.LAST_QUARTER]
    assert sentences[ConditionId.LASTING] == (
        "More than half of listen(16) was half-open: then the kernel gives them up after 7 s "
        "instead of 63 s, unless more than one in 8 of them came within the last second."
    )


def test_served_after_counts_from_the_first_try():
    tries = (Try(at_ns=5, took_ns=None), Try(at_ns=205, took_ns=30), Try(at_ns=405, took_ns=10))
    seen = report(tries=tries)

    assert (seen.served, seen.tries_served, seen.served_after_ns) == (True, 2, 230)
    assert report().served_after_ns is None
