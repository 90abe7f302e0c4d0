from tests.analysis.ladder import DATA, OPEN, finding, ids, ladder


def test_forged_reset_with_the_exact_number_is_told_as_nobodys():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client R seq=21 fate=injected   | ESTABLISHED  CLOSED
        server read() ECONNRESET        | ESTABLISHED  CLOSED
        client read() ETIMEDOUT         | ESTABLISHED  CLOSED
    """
    )
    assert finding(timeline, "reset.forged") == (
        "yes",
        (
            "The TCP of the client did not send this RST: it was put on the wire in the client's "
            "name. Its sequence number is exactly the next one that the server expected (15), so "
            "the server believed it: ESTABLISHED → CLOSED. The client was told nothing and stays "
            "in ESTABLISHED: half-open. What the applications saw: read() at the server failed "
            "with ECONNRESET."
        ),
        (7, 8),
    )
    assert finding(timeline, "close.abort") is None


def test_forged_reset_that_is_not_exact_is_challenged():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client R seq=1021 fate=injected   | ESTABLISHED  ESTABLISHED
        server A ack=21 by=7              | ESTABLISHED  ESTABLISHED
    """
    )
    assert finding(timeline, "reset.challenged") == (
        "yes",
        (
            "The RST in the client's name did not end the connection: its sequence number is 1015, "
            "and the next one that the server expects is 15. In the window but not exact, it gets "
            "a challenge ACK, to which the real client would send an exact RST if it were gone "
            "(RFC 9293 §3.10.7.4)."
        ),
        (7, 8),
    )
    assert finding(timeline, "close.abort") is None


def test_forged_reset_outside_the_window_is_dropped_in_silence():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client R seq=9 forged              | ESTABLISHED  ESTABLISHED
        reason server by=7 drop TCP_OLD_SEQUENCE
        client R seq=9 forged              | ESTABLISHED  ESTABLISHED
    """
    )
    assert finding(timeline, "reset.outside") == (
        "yes",
        (
            "RSTs in the client's name that were dropped without a word: 2. The next number that "
            "the server expects is 15, its window reaches 64240 octets from there, and 3 is "
            "outside (RFC 9293 §3.10.7.4). The kernel's own word for it: TCP_OLD_SEQUENCE."
        ),
        (7, 8, 9),
    )
    assert finding(timeline, "close.abort") is None
    assert finding(timeline, "reset.challenged") is None


def test_forged_resets_beyond_the_rate_limit_get_no_challenge():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client R seq=1021 forged   | ESTABLISHED  ESTABLISHED
        server A ack=21 by=7       | ESTABLISHED  ESTABLISHED
        client R seq=1021 forged   | ESTABLISHED  ESTABLISHED
        client R seq=1021 forged   | ESTABLISHED  ESTABLISHED
        count server TcpExtTCPChallengeACK 1
        count server TcpExtTCPACKSkippedChallenge 2
    """
    )
    assert finding(timeline, "reset.challenged")[2] == (7, 8)
    verdict, sentence, events = finding(timeline, "reset.rate-limited")
    assert (verdict, events) == ("yes", (9, 10, 11, 12))
    assert "got none: 2." in sentence
    assert "1 sent (TCPChallengeACK) and 2 kept back (TCPACKSkippedChallenge)" in sentence


def test_forged_resets_in_the_window_that_nothing_explains_are_not_told():
    timeline = ladder(OPEN + DATA + "client R seq=1021 forged | ESTABLISHED ESTABLISHED")
    assert not [each for each in ids(timeline) if each.startswith("reset.")]


def test_forged_reset_with_the_number_of_the_fin_is_believed_in_close_wait():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client FA                  | FIN-WAIT-1   CLOSE-WAIT
        server A                   | FIN-WAIT-2   CLOSE-WAIT
        client R seq=21 forged     | FIN-WAIT-2   CLOSED
    """
    )
    verdict, sentence, events = finding(timeline, "reset.forged")
    assert (verdict, events) == ("yes", (8, 9))
    assert "(15) is that of the FIN, one less than the next" in sentence
    assert sentence.endswith("CLOSE-WAIT → CLOSED.")


def test_forged_reset_at_the_edge_of_what_was_sacked_is_believed():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client PA data=10 seq=31                  | ESTABLISHED  ESTABLISHED
        server A ack=21 sack=31-41 by=7           | ESTABLISHED  ESTABLISHED
        client R seq=41 forged                    | ESTABLISHED  CLOSED
    """
    )
    verdict, sentence, events = finding(timeline, "reset.forged")
    assert (verdict, events) == ("yes", (8, 9))
    assert "(35) is not the next one (15) but the right edge of the highest block" in sentence


def test_forged_reset_that_no_rule_explains_is_not_told_as_believed():
    timeline = ladder(OPEN + DATA + "client R seq=700 forged | ESTABLISHED CLOSED")
    assert finding(timeline, "reset.forged") is None


def test_reset_of_the_host_itself_is_no_forgery():
    timeline = ladder(OPEN + DATA + "client R seq=21 | CLOSED CLOSED")
    assert "reset.forged" not in ids(timeline)


def test_forged_reset_at_an_end_that_is_not_open_is_not_told():
    timeline = ladder("client R seq=9 fate=injected | CLOSED CLOSED")
    assert not [each for each in ids(timeline) if each.startswith("reset.")]


def test_refusal_that_was_put_on_the_wire_is_told_as_nobodys():
    timeline = ladder(
        """
        client connect() 0              | SYN-SENT  LISTEN
        client S fate=dropped           | SYN-SENT  LISTEN
        server RA ack=1 fate=injected   | CLOSED    LISTEN
    """
    )
    assert finding(timeline, "open.refused-on-the-way") == (
        "no",
        (
            "The TCP of the server did not send this RST: it was put on the wire in the server's "
            "name. It acknowledges ISN + 1 (4294967291), so to the client the port is closed: "
            "SYN-SENT → CLOSED."
        ),
        (2,),
    )
    assert ids(timeline) == ["open.refused-on-the-way"]
