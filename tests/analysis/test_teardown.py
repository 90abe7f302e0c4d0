import pytest

from tcplab.timeline.timeline import Stack

from .ladder import CLOSE, DATA, OPEN, finding, ids, ladder

HALF_CLOSE = """
    client shutdown() 0  | FIN-WAIT-1   ESTABLISHED
    client FA            | FIN-WAIT-1   CLOSE-WAIT
    server A             | FIN-WAIT-2   CLOSE-WAIT
    server PA data=4     | FIN-WAIT-2   CLOSE-WAIT
    client A             | FIN-WAIT-2   CLOSE-WAIT
    server PA data=6     | FIN-WAIT-2   CLOSE-WAIT
    client A             | FIN-WAIT-2   CLOSE-WAIT
    server FA            | TIME-WAIT    LAST-ACK
    client A             | TIME-WAIT    CLOSED
"""
CROSSED = """
    client close() 0     | FIN-WAIT-1   ESTABLISHED
    server close() 0     | FIN-WAIT-1   FIN-WAIT-1
    client FA late       | FIN-WAIT-1   CLOSING
    server FA            | CLOSING      CLOSING
    client A             | CLOSING      TIME-WAIT
    server A             | TIME-WAIT    TIME-WAIT
"""
MERGED = """
    client close() 0     | FIN-WAIT-1   ESTABLISHED
    client FA            | FIN-WAIT-1   CLOSE-WAIT
    server close() 0     | FIN-WAIT-1   LAST-ACK
    server FA            | TIME-WAIT    LAST-ACK
    client A             | TIME-WAIT    CLOSED
"""


def test_four_segments():
    assert finding(ladder(OPEN + CLOSE), "close.four-segment") == (
        "yes",
        (
            "Four segments closed it: the client and then the server sent a FIN for its own "
            "direction, and each got an ACK of its own."
        ),
        (6, 7, 9, 10),
    )


def test_four_segments_from_the_server_first():
    timeline = ladder(OPEN + "server FA\nclient A\nclient FA\nserver A")
    _verdict, sentence, events = finding(timeline, "close.four-segment")
    assert sentence.startswith("Four segments closed it: the server and then the client sent")
    assert events == (5, 6, 7, 8)


def test_an_acknowledgment_of_more_than_the_fin_is_no():
    timeline = ladder(OPEN + "client FA\nserver A ack=9\nserver FA ack=2\nclient A")
    assert finding(timeline, "close.four-segment") == (
        "no",
        "The FIN of the client ends at 4294967292, but the server acknowledged 3.",
        (5, 6, 7, 8),
    )


def test_three_segments_say_how_long_the_ack_was_held_back():
    timeline = ladder(OPEN + MERGED)
    assert finding(timeline, "close.three-segment") == (
        "yes",
        (
            "Three segments closed it: the server closed 1.99 ms after the client's FIN had come, "
            "before its delayed ACK was due, so that ACK rode on its own FIN."
        ),
        (6, 8, 9),
    )
    assert finding(timeline, "close.four-segment") is None


def test_half_close_with_both_ends_states():
    timeline = ladder(OPEN + HALF_CLOSE)
    assert finding(timeline, "close.half-close") == (
        "yes",
        (
            "Half-close: the client ended its own direction only, and 10 octets still flowed to "
            "it. The client was in FIN-WAIT-2 (crafted), the server in CLOSE-WAIT (observed)."
        ),
        (6, 7, 8, 10, 12, 13),
    )
    assert finding(timeline, "close.four-segment") is None


def test_half_close_in_another_state_is_no():
    timeline = ladder(
        OPEN + HALF_CLOSE.replace("FIN-WAIT-2   CLOSE-WAIT", "FIN-WAIT-2   ESTABLISHED")
    )
    verdict, sentence, _events = finding(timeline, "close.half-close")
    assert verdict == "no"
    assert sentence == (
        "10 octets flowed to the client after its FIN, but the server was in ESTABLISHED, not "
        "CLOSE-WAIT."
    )


def test_data_that_the_fin_overtook_is_no_half_close():
    timeline = ladder(
        OPEN + "client FA late\nserver PA data=9\nserver A\nclient A\nserver FA\nclient A"
    )
    assert finding(timeline, "close.half-close") is None
    assert finding(timeline, "close.four-segment")[0] == "yes"


def test_simultaneous_close_through_closing():
    timeline = ladder(OPEN + CROSSED)
    assert finding(timeline, "close.simultaneous") == (
        "yes",
        (
            "Simultaneous close: the two FINs crossed on the wire, so each end got a FIN where it "
            "waited for an ACK, and both went through CLOSING (client crafted, server observed)."
        ),
        (7, 8, 9, 10),
    )


def test_simultaneous_close_without_closing_is_no():
    timeline = ladder(
        OPEN
        + CROSSED.replace("CLOSING      CLOSING", "FIN-WAIT-2   CLOSING").replace(
            "CLOSING      TIME-WAIT", "FIN-WAIT-2   TIME-WAIT"
        )
    )
    verdict, sentence, _events = finding(timeline, "close.simultaneous")
    assert (verdict, sentence) == (
        "no",
        "The two FINs crossed, but the client never was in CLOSING.",
    )


def test_time_wait_at_the_end_that_closed_first():
    assert finding(ladder(OPEN + CLOSE), "close.time-wait") == (
        "yes",
        (
            "The client closed first, so the client now holds TIME-WAIT "
            "(for 2 MSL, twice the maximum segment lifetime, says RFC 9293; crafted)."
        ),
        (6, 9),
    )


def test_time_wait_as_long_as_the_kernels_timer_says():
    # The timer is read 10 s after TIME-WAIT began.
    timeline = ladder(
        "@0 server listen() 0 | CLOSED LISTEN\n"
        + OPEN
        + CLOSE
        + "@10011 sample client timewait 49990",
        client=Stack.KERNEL,
    )
    assert finding(timeline, "close.time-wait") == (
        "yes",
        (
            "The client closed first, so the client now holds TIME-WAIT (60 s on this kernel; "
            "observed)."
        ),
        (7, 10, 12),
    )


def test_time_wait_begins_anew_with_a_fin_that_comes_again():
    # The timer is read 1 s after the repeated FIN, and 2 s after the first one.
    timeline = ladder(
        "@0 server listen() 0 | CLOSED LISTEN\n"
        + OPEN
        + CLOSE.replace("TIME-WAIT    CLOSED", "TIME-WAIT    LAST-ACK").replace(
            "client A ", "client A fate=dropped "
        )
        + "@1011 server FA seq=1 | TIME-WAIT LAST-ACK\n"
        + "@1012 client A | TIME-WAIT CLOSED\n"
        + "@2011 sample client timewait 59000",
        client=Stack.KERNEL,
    )
    _verdict, sentence, _events = finding(timeline, "close.time-wait")
    assert "(60 s on this kernel; observed)" in sentence


def test_time_wait_ignores_other_timers():
    timeline = ladder(OPEN + CLOSE + "sample client retransmit 204", client=Stack.KERNEL)
    _verdict, sentence, events = finding(timeline, "close.time-wait")
    assert "says RFC 9293" in sentence
    assert events == (6, 9)


def test_time_wait_at_both_ends_after_a_simultaneous_close():
    assert finding(ladder(OPEN + CROSSED), "close.time-wait") == (
        "yes",
        (
            "Both ends closed at once, so both now hold TIME-WAIT (for 2 MSL, twice the maximum "
            "segment lifetime, says RFC 9293; client crafted, server observed)."
        ),
        (7, 9, 10),
    )


def test_time_wait_at_both_ends_is_as_long_as_the_timer_of_the_one_that_has_one_says():
    timeline = ladder(OPEN + CROSSED + "sample server timewait 60000")
    _verdict, sentence, events = finding(timeline, "close.time-wait")
    assert "(60 s on the server's kernel; client crafted, server observed)" in sentence
    assert events == (7, 9, 10, 11)


def test_time_wait_that_was_not_seen_is_no():
    timeline = ladder(OPEN + CLOSE.replace("TIME-WAIT ", "CLOSED    "))
    assert finding(timeline, "close.time-wait") == (
        "no",
        "The client closed first, but no TIME-WAIT was seen there.",
        (6,),
    )


def test_time_wait_at_the_wrong_end_as_well_is_no():
    timeline = ladder(OPEN + CLOSE.replace("TIME-WAIT    CLOSED", "TIME-WAIT    TIME-WAIT"))
    assert finding(timeline, "close.time-wait") == (
        "no",
        "The client closed first, and yet the server went through TIME-WAIT, too.",
        (6, 9),
    )


def test_time_wait_that_nobody_could_see_is_inconclusive():
    timeline = ladder("client S\nserver SA\nclient A\nclient FA\nserver A\nserver FA\nclient A")
    assert finding(timeline, "close.time-wait") == (
        "inconclusive",
        "The client closed first and so owes a TIME-WAIT, but its states are not known.",
        (3,),
    )


@pytest.mark.parametrize(
    ("end", "sentence", "events"),
    [
        ("client close() 0", "Neither end closed: the connection is still open.", ()),
        ("client FA", "The FIN of the client was not acknowledged.", (5,)),
        (
            "client FA\nserver A",
            "Only the client closed: the server acknowledged its FIN, but sent none of its own.",
            (5, 6),
        ),
        (
            "client FA\nserver A\nserver FA",
            "Both ends closed, but the FIN of the server was not acknowledged.",
            (5, 6, 7),
        ),
        ("client FA\nserver A fate=dropped", "The FIN of the client was not acknowledged.", (5,)),
    ],
)
def test_unfinished(end, sentence, events):
    assert finding(ladder(OPEN + end), "close.unfinished") == ("no", sentence, events)


def test_what_no_program_closed_is_open_as_it_should_be():
    assert finding(ladder(OPEN + DATA), "close.unfinished") == (
        "yes",
        "Neither end closed: the connection is still open.",
        (),
    )


def test_unfinished_is_inconclusive_when_interrupted():
    assert finding(ladder(OPEN + DATA, interrupted=True), "close.unfinished") == (
        "inconclusive",
        "Neither end closed: the connection is still open.",
        (),
    )


def test_a_lost_fin_sent_again_closes_all_the_same():
    timeline = ladder(
        OPEN + "client FA fate=dropped\nclient FA seq=1\nserver A\nserver FA\nclient A"
    )
    _verdict, _sentence, events = finding(timeline, "close.four-segment")
    assert events == (6, 7, 8, 9)


def test_a_connection_that_never_opened_has_no_end():
    assert ids(ladder("client S\nserver RA")) == ["open.closed"]


def test_half_close_whose_first_data_carries_the_ack_of_the_fin():
    timeline = ladder(
        OPEN
        + """
        client shutdown() 0  | FIN-WAIT-1   ESTABLISHED
        client FA            | FIN-WAIT-1   CLOSE-WAIT
        server PA data=4     | FIN-WAIT-2   CLOSE-WAIT
        client A             | FIN-WAIT-2   CLOSE-WAIT
        server FA            | TIME-WAIT    LAST-ACK
        client A             | TIME-WAIT    CLOSED
        """
    )
    verdict, sentence, _events = finding(timeline, "close.half-close")
    assert (verdict, "4 octets still flowed" in sentence) == ("yes", True)


def test_half_close_data_that_meets_fin_wait_1_after_the_fin_was_acknowledged_is_no():
    timeline = ladder(
        OPEN
        + """
        client FA            | FIN-WAIT-1   CLOSE-WAIT
        server A             | FIN-WAIT-1   CLOSE-WAIT
        server PA data=4     | FIN-WAIT-1   CLOSE-WAIT
        server FA            | CLOSING      LAST-ACK
        client A             | CLOSING      CLOSED
        """
    )
    verdict, _sentence, _events = finding(timeline, "close.half-close")
    assert verdict == "no"
