from .ladder import DATA, OPEN, finding, ladder


def test_data_acknowledged_over_the_wrap():
    assert finding(ladder(OPEN + DATA), "data.acknowledged") == (
        "yes",
        "All data was acknowledged: 20 octets from the client.",
        (5, 6),
    )


def test_data_acknowledged_in_both_directions():
    timeline = ladder(OPEN + DATA + "server PA data=5\nclient PA data=7\nserver A")
    assert finding(timeline, "data.acknowledged") == (
        "yes",
        "All data was acknowledged: 27 octets from the client, 5 octets from the server.",
        (5, 7, 8, 9),
    )


def test_data_acknowledged_only_in_part_is_no():
    timeline = ladder(OPEN + DATA + "client PA data=30\nserver A ack=31")
    assert finding(timeline, "data.acknowledged") == (
        "no",
        "Of the 50 octets from the client only 30 were acknowledged.",
        (5, 7, 8),
    )


def test_data_whose_ack_never_arrived_is_no():
    timeline = ladder(OPEN + "client PA data=20\nserver A fate=dropped")
    assert finding(timeline, "data.acknowledged") == (
        "no",
        "Of the 20 octets from the client only 0 were acknowledged.",
        (5,),
    )


def test_data_not_acknowledged_is_inconclusive_when_interrupted():
    timeline = ladder(OPEN + "client PA data=20", interrupted=True)
    verdict, _sentence, _events = finding(timeline, "data.acknowledged")
    assert verdict == "inconclusive"


def test_data_sent_twice_counts_once():
    timeline = ladder(OPEN + "client PA data=20 fate=dropped\nclient PA seq=1 data=20\nserver A")
    assert finding(timeline, "data.acknowledged") == (
        "yes",
        "All data was acknowledged: 20 octets from the client.",
        (5, 6, 7),
    )


def test_ack_of_the_fin_acknowledges_no_more_octets_than_there_were():
    timeline = ladder(OPEN + "client FPA data=20\nserver A")
    _verdict, sentence, _events = finding(timeline, "data.acknowledged")
    assert sentence == "All data was acknowledged: 20 octets from the client."


def test_nothing_is_said_where_nothing_was_sent():
    assert finding(ladder(OPEN), "data.acknowledged") is None


def test_retransmissions_are_named():
    timeline = ladder(
        """
        client S fate=dropped
        client S seq=0
        server SA
        client A
        client PA data=20 fate=dropped
        client PA seq=1 data=20
        server A
    """
    )
    assert finding(timeline, "data.retransmissions") == (
        "yes",
        (
            "Sent again, since no acknowledgment came in time: [SYN] seq 0 of the client, "
            "[PSH, ACK] seq 1 of the client."
        ),
        (1, 5),
    )


def test_retransmissions_beyond_three_are_counted():
    timeline = ladder(OPEN + "client PA data=20\n" + "client PA seq=1 data=20\n" * 5)
    _verdict, sentence, events = finding(timeline, "data.retransmissions")
    assert sentence.endswith(", [PSH, ACK] seq 1 of the client, and 2 more.")
    assert events == (6, 7, 8, 9, 10)


def test_reordered_segments_are_no_retransmissions():
    timeline = ladder(OPEN + "client PA seq=21 data=20\nclient PA seq=1 data=20")
    assert finding(timeline, "data.retransmissions") is None


def test_copies_that_the_wire_made_are_no_retransmissions():
    timeline = ladder(OPEN + "client PA data=20\nclient PA seq=1 data=20 fate=duplicated")
    assert finding(timeline, "data.retransmissions") is None


def test_data_that_was_injected_was_sent_by_nobody():
    timeline = ladder(OPEN + DATA + "client PA data=30 fate=injected\nserver A ack=51")
    assert finding(timeline, "data.acknowledged") == (
        "yes",
        "All data was acknowledged: 20 octets from the client.",
        (5, 6),
    )
