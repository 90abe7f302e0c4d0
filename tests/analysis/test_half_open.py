from .ladder import finding, ids, ladder

STILL_HELD = (
    "The server answered the SYN with a plain ACK of 5100, not of ISN + 1: it still holds an old "
    "connection between these ports (half-open, RFC 9293 §3.5.1). "
)
# The old connection's numbers have nothing to do with the new ISNs.
ACK_OF_OLD = 5100 - 4294967290


def test_plain_ack_reset_and_tried_again_with_success_is_yes():
    timeline = ladder(f"""
        client S
        server A seq=900 ack={ACK_OF_OLD}
        client R seq={ACK_OF_OLD}
        client S seq=0
        server SA seq=0 ack=1
        client A
    """)
    assert finding(timeline, "open.plain-ack") == (
        "yes",
        STILL_HELD + "The client reset it, tried again and got its SYN, ACK.",
        (0, 1, 2, 3, 4),
    )
    assert ids(timeline)[:1] == ["open.three-way"]


def test_plain_ack_reset_and_tried_again_in_vain_is_no():
    timeline = ladder(f"""
        client S
        server A seq=900 ack={ACK_OF_OLD}
        client R seq={ACK_OF_OLD}
        client S seq=0
    """)
    assert finding(timeline, "open.plain-ack") == (
        "no",
        STILL_HELD + "The client reset it and tried again, but the server sent no SYN, ACK.",
        (0, 1, 2, 3),
    )


def test_plain_ack_reset_and_given_up_is_no():
    timeline = ladder(f"client S\nserver A seq=900 ack={ACK_OF_OLD}\nclient R seq={ACK_OF_OLD}")
    assert finding(timeline, "open.plain-ack") == (
        "no",
        STILL_HELD + "The client reset it and did not try again.",
        (0, 1, 2),
    )


def test_plain_ack_not_reset_is_no():
    timeline = ladder(f"client S\nserver A seq=900 ack={ACK_OF_OLD}\nclient R seq=0")
    assert finding(timeline, "open.plain-ack") == (
        "no",
        STILL_HELD + "The client did not reset it, so it is still there.",
        (0, 1),
    )


def test_plain_ack_not_reset_is_inconclusive_when_interrupted():
    timeline = ladder(f"client S\nserver A seq=900 ack={ACK_OF_OLD}", interrupted=True)
    verdict, _sentence, _events = finding(timeline, "open.plain-ack")
    assert verdict == "inconclusive"


def test_plain_ack_of_this_very_syn_is_inconclusive():
    assert finding(ladder("client S\nserver A seq=1 ack=1"), "open.plain-ack") == (
        "inconclusive",
        "The server acknowledged the SYN but sent none of its own: a SYN, ACK may have been lost.",
        (0, 1),
    )


def test_an_ack_after_the_syn_ack_is_no_plain_ack():
    assert finding(ladder("client S\nserver SA\nserver A\nclient A"), "open.plain-ack") is None
