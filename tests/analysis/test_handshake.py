from tcplab.timeline.timeline import Stack

from .ladder import CLOSE, DATA, OPEN, finding, ids, ladder

CROSSED = """
    client connect() 0   | SYN-SENT     CLOSED
    server connect() 0   | SYN-SENT     SYN-SENT
    client S late        | SYN-SENT     SYN-RECEIVED
    server S             | SYN-RECEIVED SYN-RECEIVED
    client SA seq=0      | SYN-RECEIVED ESTABLISHED
    server SA seq=0      | ESTABLISHED  ESTABLISHED
"""


def test_three_way_each_ack_is_the_others_isn_plus_1():
    assert finding(ladder(OPEN), "open.three-way") == (
        "yes",
        (
            "Three-way handshake: each ACK is the other side's ISN + 1 "
            "(client 4294967290 → 4294967291, server 100 → 101)."
        ),
        (2, 3, 4),
    )


def test_three_way_syn_ack_of_another_syn_is_no():
    assert finding(ladder("client S\nserver SA ack=7\nclient A"), "open.three-way") == (
        "no",
        (
            "The [SYN, ACK] acknowledges 1, but the client's ISN + 1 is 4294967291: it does not "
            "answer this SYN."
        ),
        (0, 1, 2),
    )


def test_three_way_third_ack_of_another_isn_is_no():
    assert finding(ladder("client S\nserver SA\nclient A ack=3"), "open.three-way") == (
        "no",
        "The [ACK] acknowledges 103, but the server's ISN + 1 is 101: it does not answer this SYN.",
        (0, 1, 2),
    )


def test_three_way_syn_ack_with_data_or_fin_is_acknowledged_with_it():
    assert finding(ladder("client S\nserver SA data=6\nclient A"), "open.three-way") == (
        "yes",
        (
            "Three-way handshake: the SYN, ACK acknowledges the client's ISN + 1 "
            "(4294967290 → 4294967291) and carries data or a FIN besides, as it may (numbers: 6); "
            "the client's ACK is of the server's ISN + 1 or more (100 → 107)."
        ),
        (0, 1, 2),
    )
    assert finding(ladder("client S\nserver FSA\nclient A"), "open.three-way")[0] == "yes"


def test_three_way_syn_ack_with_data_may_be_acknowledged_without_it():
    told = finding(ladder("client S\nserver SA data=6\nclient A ack=1"), "open.three-way")
    assert (told[0], "100 → 101" in told[1]) == ("yes", True)


def test_three_way_third_ack_of_more_than_the_syn_ack_held_is_no():
    told = finding(ladder("client S\nserver SA data=6\nclient A ack=8"), "open.three-way")
    assert told[0] == "no"


def test_states_that_pass_established_by_are_told_as_they_are():
    timeline = ladder("""
        server listen() 0    | CLOSED       LISTEN
        client connect() 0   | SYN-SENT     LISTEN
        client S             | SYN-SENT     SYN-RECEIVED
        server FSA           | CLOSE-WAIT   FIN-WAIT-1
        client A             | CLOSE-WAIT   FIN-WAIT-2
    """)
    assert finding(timeline, "open.states")[:2] == (
        "yes",
        (
            "The server's kernel (observed): LISTEN → SYN-RECEIVED → FIN-WAIT-1. "
            "The client, tcplab's own TCP (crafted): CLOSED → SYN-SENT → ESTABLISHED."
        ),
    )


def test_three_way_without_third_segment_is_no():
    assert finding(ladder("client S\nserver SA"), "open.three-way") == (
        "no",
        "The client never acknowledged the SYN, ACK, so the server still waits in SYN-RECEIVED.",
        (0, 1),
    )


def test_three_way_without_third_segment_is_inconclusive_when_interrupted():
    verdict, _sentence, events = finding(
        ladder("client S\nserver SA", interrupted=True), "open.three-way"
    )
    assert (verdict, events) == ("inconclusive", (0, 1))


def test_three_way_syn_ack_answered_by_rst_is_no():
    assert finding(ladder("client S\nserver SA\nclient R seq=1"), "open.three-way") == (
        "no",
        "The client answered the SYN, ACK with RST: it wants no connection.",
        (0, 1),
    )


def test_three_way_names_the_copies_that_arrived():
    timeline = ladder("""
        client S fate=dropped
        client S seq=0
        server SA fate=dropped
        server SA seq=0
        client A fate=dropped
        client PA data=20
    """)
    assert finding(timeline, "open.three-way") == (
        "yes",
        (
            "Three-way handshake: each ACK is the other side's ISN + 1 "
            "(client 4294967290 → 4294967291, server 100 → 101)."
        ),
        (1, 3, 5),
    )


def test_three_way_is_not_told_of_a_connection_that_was_open_before():
    timeline = ladder("client PA data=20 ack=1\nserver A")
    assert ids(timeline) == ["data.acknowledged"]


def test_simultaneous_open_each_ack_is_the_others_isn_plus_1():
    timeline = ladder(CROSSED)
    assert finding(timeline, "open.simultaneous") == (
        "yes",
        (
            "Simultaneous open: two SYNs crossed, and each ACK is the other side's ISN + 1 "
            "(client 4294967290 → 4294967291, server 100 → 101). It is one connection."
        ),
        (2, 3, 4, 5),
    )
    assert finding(timeline, "open.three-way") is None


def test_simultaneous_open_with_one_ack_missing_is_no():
    assert finding(ladder("client S late\nserver S\nclient SA seq=0"), "open.simultaneous") == (
        "no",
        "Two SYNs crossed, but not both were acknowledged.",
        (0, 1, 2),
    )


def test_simultaneous_open_with_a_wrong_ack_is_no():
    timeline = ladder("client S late\nserver S\nclient SA seq=0 ack=5\nserver SA seq=0")
    assert finding(timeline, "open.simultaneous") == (
        "no",
        (
            "The [SYN, ACK] acknowledges 105, but the server's ISN + 1 is 101: it does not answer "
            "this SYN."
        ),
        (0, 1, 2, 3),
    )


def test_states_of_two_kernels_are_observed():
    assert finding(ladder(OPEN + DATA + CLOSE, client=Stack.KERNEL), "open.states") == (
        "yes",
        (
            "The server's kernel (observed): LISTEN → SYN-RECEIVED → ESTABLISHED. "
            "The client's kernel (observed): CLOSED → SYN-SENT → ESTABLISHED."
        ),
        (2, 3, 4),
    )


def test_states_of_a_remote_host_are_inferred():
    assert finding(ladder(OPEN, server=Stack.REMOTE), "open.states") == (
        "yes",
        (
            "The server (inferred): LISTEN → SYN-RECEIVED → ESTABLISHED. "
            "The client, tcplab's own TCP (crafted): CLOSED → SYN-SENT → ESTABLISHED."
        ),
        (2, 3, 4),
    )


def test_states_of_a_simultaneous_open_pass_syn_received_at_both_ends():
    assert finding(ladder(CROSSED), "open.states") == (
        "yes",
        (
            "The server's kernel (observed): CLOSED → SYN-SENT → SYN-RECEIVED → ESTABLISHED. The "
            "client, tcplab's own TCP (crafted): CLOSED → SYN-SENT → SYN-RECEIVED → ESTABLISHED."
        ),
        (2, 3, 5),
    )


def test_states_that_never_reach_established_are_no():
    timeline = ladder("""
        server listen() 0    | CLOSED       LISTEN
        client S             | SYN-SENT     SYN-RECEIVED
        server SA            | ESTABLISHED  SYN-RECEIVED
    """)
    verdict, _sentence, events = finding(timeline, "open.states")
    assert (verdict, events) == ("no", (1, 2))


def test_states_by_a_move_that_the_rfc_does_not_know_are_no():
    timeline = ladder("""
        server listen() 0    | CLOSED       LISTEN
        client S             | SYN-SENT     ESTABLISHED
        server SA            | ESTABLISHED  ESTABLISHED
        client A             | ESTABLISHED  ESTABLISHED
    """)
    verdict, sentence, _events = finding(timeline, "open.states")
    assert verdict == "no"
    assert "LISTEN → ESTABLISHED" in sentence


def test_states_that_nobody_looked_at_are_inconclusive():
    assert finding(ladder("client S\nserver SA\nclient A"), "open.states") == (
        "inconclusive",
        "Not both ends' states are known, so nobody can say how they opened.",
        (0, 1, 2),
    )
