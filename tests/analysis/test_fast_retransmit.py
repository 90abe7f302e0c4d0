"""Repetitions that waited for no time-out."""

import pytest

from tcplab.analysis.explain import explain

from .ladder import OPEN, finding, ids, ladder

GAP = """
    client PA data=20
    server A
    client PA data=20 fate=dropped
    client PA data=20
    server A ack=21
    client PA data=20
    server A ack=21
"""
THIRD = """
    client PA data=20
    server A ack=21
"""


def test_three_duplicate_acks_make_a_fast_retransmit():
    timeline = ladder(OPEN + GAP + THIRD + "client PA seq=21 data=20 by=13\nserver A ack=101")
    assert finding(timeline, "retransmission.fast") == (
        "yes",
        (
            "Fast retransmit: after 3 duplicate ACKs of 21 the client sent [PSH, ACK] seq 21 "
            "again at once, without waiting for its time-out."
        ),
        (7, 9, 11, 13, 14),
    )
    assert "data.retransmissions" not in ids(timeline)


def test_capture_without_causes_shows_it_too():
    timeline = ladder(OPEN + GAP + THIRD + "client PA seq=21 data=20")
    assert finding(timeline, "retransmission.fast") is not None


def test_two_duplicate_acks_make_none():
    timeline = ladder(OPEN + GAP + "client PA seq=21 data=20")
    assert finding(timeline, "retransmission.fast") is None
    assert finding(timeline, "data.retransmissions") is not None


@pytest.mark.parametrize("third", ["server A ack=21 wnd=100", "server PA ack=21 data=5"])
def test_window_update_and_data_are_no_duplicate_acks(third):
    timeline = ladder(OPEN + GAP + "client PA data=20\n" + third + "\nclient PA seq=21 data=20")
    assert finding(timeline, "retransmission.fast") is None


def test_duplicate_ack_that_was_lost_does_not_count():
    timeline = ladder(
        OPEN + GAP + "client PA data=20\nserver A ack=21 fate=dropped\nclient PA seq=21 data=20"
    )
    assert finding(timeline, "retransmission.fast") is None


def test_segment_that_was_only_late_was_sent_again_needlessly():
    late = (OPEN + GAP + THIRD).replace("data=20 fate=dropped", "data=20 fate=delayed ms=50")
    timeline = ladder(late + "client PA seq=21 data=20 by=13")
    _verdict, sentence, _events = finding(timeline, "retransmission.fast")
    assert sentence.endswith(" The first one was not lost, though: it came as well.")


def test_time_out_after_three_duplicate_acks_is_a_time_out():
    timeline = ladder(
        OPEN
        + GAP
        + THIRD
        + "@1000 client PA seq=21 data=20\n"
        + "tell client by=14 rto=400000 backoff=1 retransmits=1"
    )
    assert finding(timeline, "retransmission.fast") is None
    assert finding(timeline, "retransmission.time-out") is not None


def test_sack_alone_may_show_what_is_missing():
    timeline = ladder(
        OPEN
        + "client PA data=20 fate=dropped\nclient PA data=20\nserver A ack=1 sack=21-41\n"
        + "client PA seq=1 data=20 by=7"
    )
    assert finding(timeline, "retransmission.sack") == (
        "yes",
        (
            "A SACK of the server showed that [PSH, ACK] seq 1 of the client was missing, so it "
            "was sent again at once."
        ),
        (5, 7, 8),
    )


def test_last_segment_without_a_time_out_is_a_probe():
    timeline = ladder(
        OPEN
        + "@1000 client PA data=20\n@1001 client PA data=20 fate=dropped\n"
        + "@1211 client PA seq=21 data=20\n"
        + "tell client by=7 rto=2100000 backoff=0 retransmits=0"
    )
    assert finding(timeline, "retransmission.probe") == (
        "yes",
        (
            "Tail-loss probe: after 0.2 s the client sent its last segment, [PSH, ACK] seq 21, "
            "again, before its time-out (2.1 s)."
        ),
        (6, 7),
    )


def test_segment_that_is_not_the_last_is_no_probe():
    timeline = ladder(
        OPEN
        + "@1000 client PA data=20 fate=dropped\n@1001 client PA data=20\n"
        + "@1211 client PA seq=1 data=20\n"
        + "tell client by=7 rto=2100000 backoff=0 retransmits=0"
    )
    assert finding(timeline, "retransmission.probe") is None


@pytest.mark.parametrize(
    ("repetitions", "words", "proof"),
    [
        (3, "again at once.", 3),
        (4, " It happened once more.", 4),
        (5, " It happened 2 times more.", 5),
    ],
)
def test_more_than_three_are_counted_with_the_third(repetitions, words, proof):
    segments = [
        f"client PA data=20 fate=dropped\nclient PA data=20\nserver A ack={1 + 40 * k} "
        f"sack={21 + 40 * k}-{41 + 40 * k}\nclient PA seq={1 + 40 * k} data=20 by={7 + 5 * k}\n"
        f"server A ack={41 + 40 * k}\n"
        for k in range(repetitions)
    ]
    told = [each for each in explain(ladder(OPEN + "".join(segments))) if "sack" in each.id]
    assert len(told) == 3
    assert str(told[2].sentence).endswith(words)
    assert [len(each.events) for each in told] == [3, 3, proof]
