from tests.analysis.ladder import finding, ids, ladder

SYN = """
    server listen() 0              | CLOSED       LISTEN
    client S forged                | CLOSED       SYN-RECEIVED
"""


def test_handshake_in_another_hosts_name_is_told_as_spoofed():
    timeline = ladder(
        SYN
        + """
        server SA ack=1 by=1 fate=dropped   | CLOSED       SYN-RECEIVED
        client A seq=1 ack=1 forged         | CLOSED       ESTABLISHED
        client PA data=5 seq=1 ack=1 forged | CLOSED       ESTABLISHED
        server A ack=6 by=4 fate=dropped    | CLOSED       ESTABLISHED
    """
    )
    assert finding(timeline, "open.spoofed") == (
        "yes",
        (
            "Spoofed: SYN and ACK came from the attacker, in the client's name. It heard the SYN, "
            "ACK and so could acknowledge the right number (101, the server's ISN + 1): "
            "SYN-RECEIVED → ESTABLISHED. To the server its peer is the client, whose own kernel is "
            "in CLOSED."
        ),
        (1, 2, 3),
    )
    assert "data.forged" not in ids(timeline)


def test_owner_of_the_address_disowns_it_and_the_guess_is_wrong():
    timeline = ladder(
        SYN
        + """
        server SA ack=1 by=1                | CLOSED       SYN-RECEIVED
        client R seq=1 by=2                 | CLOSED       CLOSED
        client A seq=1 ack=5000 forged      | CLOSED       CLOSED
        server R by=4                       | CLOSED       CLOSED
    """
    )
    assert finding(timeline, "open.disowned") == (
        "yes",
        (
            "The SYN, ACK went to the real client, whose kernel had asked for nothing. Its RST has "
            "the number from that ACK, so the server believed it: SYN-RECEIVED → CLOSED."
        ),
        (1, 2, 3),
    )
    assert finding(timeline, "open.wrong-guess") == (
        "yes",
        (
            "The attacker did not hear the server's ISN, and guessed: its ACK says 5100, and right "
            "was 101. One in 2^32 such guesses is right."
        ),
        (2, 4, 5),
    )


def test_spoofed_syn_that_nobody_answers_is_not_told():
    assert not [each for each in ids(ladder(SYN)) if each.startswith("open.spoof")]
