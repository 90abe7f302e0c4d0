"""Time-outs: what is said of a segment that was sent again after longer and longer waits."""

from .ladder import DATA, OPEN, finding, ids, ladder

LOST = """
    @1000 client PA data=20 fate=dropped
    @1200 client PA seq=1 data=20 fate=dropped
    @1600 client PA seq=1 data=20 fate=dropped
    @2400 client PA seq=1 data=20
"""


def test_waits_that_double_are_told_with_their_end():
    timeline = ladder(OPEN + LOST + "server A")
    assert finding(timeline, "retransmission.time-out") == (
        "yes",
        (
            "The client got no answer to its [PSH, ACK] seq 1 and sent it again 3 times, after "
            "0.2, 0.4, 0.8 s: each wait twice the one before, the back-off of RFC 6298. Then the "
            "server acknowledged it."
        ),
        (5, 6, 7, 8, 9),
    )
    assert "data.retransmissions" not in ids(timeline)


def test_kernels_own_backoff_and_time_out_are_told():
    timeline = ladder(
        OPEN
        + "@1000 client PA data=20 fate=dropped\n"
        + "@1200 client PA seq=1 data=20\n"
        + "tell client by=6 rto=404000 backoff=1 retransmits=1\n"
        + "server A"
    )
    assert finding(timeline, "retransmission.time-out") == (
        "yes",
        (
            "The client got no answer to its [PSH, ACK] seq 1 and sent it again after 0.2 s. Its "
            "kernel's backoff was then 1, its time-out 0.4 s. Then the server acknowledged it."
        ),
        (5, 6, 8),
    )


def test_segment_that_nobody_acknowledged_is_no():
    verdict, sentence, events = finding(ladder(OPEN + LOST), "retransmission.time-out")
    assert verdict == "no"
    assert sentence.endswith(" RFC 6298. It was never acknowledged.")
    assert events == (5, 6, 7, 8)


def test_segment_that_nobody_acknowledged_is_inconclusive_when_interrupted():
    timeline = ladder(OPEN + LOST, interrupted=True)
    verdict, _sentence, _events = finding(timeline, "retransmission.time-out")
    assert verdict == "inconclusive"


def test_reset_ends_the_repetitions_as_well():
    _verdict, sentence, events = finding(
        ladder(OPEN + LOST + "server R"), "retransmission.time-out"
    )
    assert sentence.endswith(" Then the server answered with RST.")
    assert events[-1] == 9


def test_lost_ack_does_not_end_them():
    timeline = ladder(OPEN + LOST + "server A fate=dropped")
    verdict, _sentence, events = finding(timeline, "retransmission.time-out")
    assert (verdict, events) == ("no", (5, 6, 7, 8))


def test_syns_that_nobody_answered_are_told_as_silence_alone():
    timeline = ladder("@0 client S\n@1000 client S seq=0\n@3000 client S seq=0")
    assert ids(timeline) == ["open.silent"]


def test_syn_that_was_answered_in_the_end_is_told():
    timeline = ladder(
        """
        @0    client S fate=dropped
        @1000 client S seq=0 fate=dropped
        @3000 client S seq=0
        server SA
        client A
    """
    )
    _verdict, sentence, events = finding(timeline, "retransmission.time-out")
    assert sentence.startswith("The client got no answer to its [SYN] seq 0 and sent it again 2 ")
    assert events == (0, 1, 2, 3)


def test_answers_that_no_tcp_accepts_are_told_instead_of_no_answer():
    timeline = ladder(
        """
        @0    client S
        @1    server SA ack=700
        @2    client R seq=700
        @1000 client S seq=0
        @1001 server A seq=900 ack=700
        @3000 client S seq=0
        @3001 server SA seq=0 ack=1
        @3002 client A
    """
    )
    _verdict, sentence, events = finding(timeline, "retransmission.time-out")
    assert sentence == (
        "What came in answer to the [SYN] seq 0 of the client was nothing that a TCP accepts (not "
        "the ACK of this SYN; count: 2), so it was sent again, after 1.0, 2.0 s: each wait twice "
        "the one before, the back-off of RFC 6298. Then the server acknowledged it."
    )
    assert events == (0, 1, 3, 4, 5, 6)


def test_even_waits_without_a_kernels_word_are_left_to_the_plain_list():
    timeline = ladder(
        OPEN
        + "@1000 client PA data=20\n@1200 client PA seq=1 data=20\n@1400 client PA seq=1 data=20"
    )
    assert finding(timeline, "retransmission.time-out") is None
    assert finding(timeline, "data.retransmissions") is not None


def test_answer_to_a_syn_that_came_again_waited_for_nothing():
    timeline = ladder(
        """
        @0    client S
        @1    server SA fate=dropped
        @1000 client S seq=0
        server SA seq=0 by=2
        client A
    """
    )
    _verdict, sentence, events = finding(timeline, "data.retransmissions")
    assert sentence.endswith(": [SYN] seq 0 of the client.")
    assert events == (2,)


def test_at_most_three_segments_are_told_of():
    lost = "".join(
        f"@{start + wait} client PA seq={1 + 20 * k} data=20 fate=dropped\n"
        for start, wait in ((1000, 0), (1200, 0), (1600, 0))
        for k in range(5)
    )
    assert ids(ladder(OPEN + lost)).count("retransmission.time-out") == 3


def test_nothing_is_said_where_nothing_was_sent_again():
    assert not any(each.startswith("retransmission") for each in ids(ladder(OPEN + DATA)))
