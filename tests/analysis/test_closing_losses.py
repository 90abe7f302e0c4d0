import pytest

from tcplab.timeline.timeline import Stack

from .ladder import CLOSE, OPEN, finding, ids, ladder

FIN_LOST = """
    client close() 0                  | FIN-WAIT-1   ESTABLISHED
    client FA fate=dropped            | FIN-WAIT-1   ESTABLISHED
    client FA seq=1 ack=1 fate=dropped | FIN-WAIT-1   ESTABLISHED
    client FA seq=1 ack=1             | FIN-WAIT-1   CLOSE-WAIT
    server A                          | FIN-WAIT-2   CLOSE-WAIT
    server close() 0                  | FIN-WAIT-2   LAST-ACK
    server FA                         | TIME-WAIT    LAST-ACK
    client A                          | TIME-WAIT    CLOSED
"""
LAST_ACK_LOST = """
    client close() 0        | FIN-WAIT-1   ESTABLISHED
    client FA               | FIN-WAIT-1   CLOSE-WAIT
    server A                | FIN-WAIT-2   CLOSE-WAIT
    server close() 0        | FIN-WAIT-2   LAST-ACK
    server FA               | TIME-WAIT    LAST-ACK
    client A fate=dropped   | TIME-WAIT    LAST-ACK
    server FA seq=1         | TIME-WAIT    LAST-ACK
    client A                | TIME-WAIT    CLOSED
"""


def test_a_lost_fin_leaves_its_sender_in_fin_wait_1_not_in_time_wait():
    assert finding(ladder(OPEN + FIN_LOST, client=Stack.KERNEL), "close.fin-lost") == (
        "yes",
        (
            "Lost FINs of the client: 2. Meanwhile it was in FIN-WAIT-1 (observed), not in "
            "TIME-WAIT, since nobody had acknowledged its FIN. It sent the FIN again until one "
            "arrived."
        ),
        (6, 7, 8),
    )


def test_time_wait_while_the_fin_is_lost_is_no():
    text = FIN_LOST.replace("FIN-WAIT-1   ESTABLISHED", "TIME-WAIT    ESTABLISHED")
    assert finding(ladder(OPEN + text), "close.fin-lost") == (
        "no",
        (
            "Lost FINs of the client: 2. Meanwhile it was in TIME-WAIT (crafted), though nobody "
            "had acknowledged its FIN. It sent the FIN again until one arrived."
        ),
        (6, 7, 8),
    )


def test_a_fin_of_which_none_arrives():
    timeline = ladder(
        OPEN
        + "client FA fate=dropped | FIN-WAIT-1 ESTABLISHED\n"
        + "client FA seq=1 fate=corrupted | FIN-WAIT-1 ESTABLISHED"
    )
    assert finding(timeline, "close.fin-lost") == (
        "yes",
        (
            "Lost FINs of the client: 2. Meanwhile it was in FIN-WAIT-1 (crafted), not in "
            "TIME-WAIT, since nobody had acknowledged its FIN. None has arrived."
        ),
        (5, 6),
    )


def test_the_second_fin_lost_keeps_its_sender_in_last_ack():
    text = OPEN + CLOSE.replace(
        "    server FA            | TIME-WAIT    LAST-ACK\n",
        "    server FA fate=dropped | FIN-WAIT-2   LAST-ACK\n"
        "    server FA seq=1        | TIME-WAIT    LAST-ACK\n",
    )
    _verdict, sentence, events = finding(ladder(text), "close.fin-lost")

    assert sentence.startswith(
        "Lost FINs of the server: 1. Meanwhile it was in LAST-ACK (observed)"
    )
    assert events == (9, 10)


def test_a_lost_fin_of_an_end_that_nobody_saw_is_inconclusive():
    timeline = ladder(
        OPEN + "client FA fate=dropped\nclient FA seq=1\nserver A\nserver FA\nclient A"
    )
    verdict, sentence, _events = finding(timeline, "close.fin-lost")
    assert verdict == "inconclusive"
    assert "Its states meanwhile are not known." in sentence


def test_a_lost_last_ack_is_answered_out_of_time_wait():
    assert finding(ladder(OPEN + LAST_ACK_LOST), "close.last-ack-lost") == (
        "yes",
        (
            "The ACK of the server's FIN was lost, which kept the server in LAST-ACK (observed). "
            "It sent its FIN again, and the client's TIME-WAIT answered."
        ),
        (9, 10, 11, 12),
    )


def test_a_repeated_fin_answered_by_another_state_is_no():
    text = LAST_ACK_LOST.replace(
        "server FA seq=1         | TIME-WAIT    LAST-ACK",
        "server FA seq=1         | CLOSED       LAST-ACK",
    )
    verdict, sentence, _events = finding(ladder(OPEN + text), "close.last-ack-lost")
    assert verdict == "no"
    assert "though the client was in CLOSED, not in TIME-WAIT." in sentence


@pytest.mark.parametrize(("interrupted", "verdict"), [(False, "no"), (True, "inconclusive")])
def test_a_lost_last_ack_without_another_one(interrupted, verdict):
    first, _, _rest = LAST_ACK_LOST.partition("    server FA seq=1")
    found = finding(ladder(OPEN + first, interrupted=interrupted), "close.last-ack-lost")
    assert found == (
        verdict,
        (
            "The ACK of the server's FIN was lost, which kept the server in LAST-ACK (observed). "
            "No other ACK has come."
        ),
        (9, 10),
    )


def test_nothing_is_said_of_a_close_without_losses():
    assert not {"close.fin-lost", "close.last-ack-lost"} & {*ids(ladder(OPEN + CLOSE))}
