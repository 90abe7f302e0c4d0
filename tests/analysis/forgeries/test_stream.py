from tests.analysis.ladder import DATA, OPEN, finding, ids, ladder

HIJACKED = (
    OPEN
    + DATA
    + """
    client PA data=7 ack=1 forged          | ESTABLISHED  ESTABLISHED
    server A ack=28 by=7                   | ESTABLISHED  ESTABLISHED
    client A ack=1 by=8                    | ESTABLISHED  ESTABLISHED
    server A ack=28 by=9                   | ESTABLISHED  ESTABLISHED
    server read() 7                        | ESTABLISHED  ESTABLISHED
    client PA data=5 seq=21 ack=1          | ESTABLISHED  ESTABLISHED
    server A ack=28 by=12                  | ESTABLISHED  ESTABLISHED
    server read() EAGAIN                   | ESTABLISHED  ESTABLISHED
    count client TcpExtTCPACKSkippedChallenge 2
"""
)


def test_forged_data_with_the_next_number_is_read_as_the_peers():
    assert finding(ladder(HIJACKED), "data.forged") == (
        "yes",
        (
            "The TCP of the client did not send these 7 octets, but they have exactly the number "
            "that the server expected next (15), so they are the next of the stream. The program "
            "at the server read 7 octets as its peer's: the session is hijacked."
        ),
        (7, 8, 11),
    )


def test_after_forged_data_the_ends_no_longer_agree():
    assert finding(ladder(HIJACKED), "forged.desynchronised") == (
        "yes",
        (
            "The two ends no longer agree: the server acknowledges 22, but the client's next "
            "number is 15 (segments that say so: 3). The client drops them. Answered: 1, answers "
            "kept back: 2 (TCPACKSkippedChallenge). Without tcp_invalid_ratelimit each answer "
            "would call forth the next, an ACK storm."
        ),
        (8, 9, 10, 13, 15),
    )


def test_after_forged_data_the_true_senders_octets_are_duplicates():
    assert finding(ladder(HIJACKED), "data.overlaid") == (
        "yes",
        (
            "What the client itself then said counts as duplicates, as far as its numbers were "
            "taken by what was forged: 5 of 5 octets never reached the program at the server, "
            "although their numbers are acknowledged."
        ),
        (12, 13),
    )


TRACED = (
    HIJACKED
    + """
    reason client by=8 drop TCP_ACK_UNSENT_DATA
    reason server by=9 drop TCP_OLD_SEQUENCE
    reason client by=10 drop TCP_ACK_UNSENT_DATA
    reason server by=12 drop TCP_OLD_SEQUENCE
"""
)


def test_the_kernels_word_stands_with_the_acks_that_were_dropped():
    verdict, sentence, events = finding(ladder(TRACED), "forged.desynchronised")
    assert (verdict, events) == ("yes", (8, 9, 10, 13, 15, 16, 18))
    assert (
        "The client drops them. The kernel's own word for it: TCP_ACK_UNSENT_DATA. Answered: 1"
    ) in sentence


def test_the_kernels_word_stands_with_octets_that_were_dropped_as_old():
    verdict, sentence, events = finding(ladder(TRACED), "data.overlaid")
    assert (verdict, events) == ("yes", (12, 13, 19))
    assert sentence.endswith("acknowledged. The kernel's own word for it: TCP_OLD_SEQUENCE.")


def test_octets_acknowledged_only_by_number_are_told_apart():
    verdict, sentence, _events = finding(ladder(HIJACKED), "data.acknowledged")
    assert verdict == "yes"
    assert sentence.endswith(
        " But 5 of those from the client only by number: forged octets had come first and were "
        "taken in their place."
    )


def test_octets_beyond_the_forged_ones_are_taken():
    beyond = HIJACKED.replace("client PA data=5", "client PA data=9").replace(
        "server A ack=28 by=12", "server A ack=30 by=12"
    )
    verdict, sentence, _events = finding(ladder(beyond), "data.overlaid")
    assert (verdict, "7 of 9 octets" in sentence) == ("yes", True)


def test_forged_data_under_tls_is_told_as_dead_session():
    word = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    broken = HIJACKED.replace("read() 7 ", f"read() {word} ")
    verdict, sentence, events = finding(ladder(broken), "data.forged")
    assert (verdict, events) == ("yes", (7, 8, 11))
    assert f"failed with {word}: the session is dead" in sentence
    assert "hijacked" not in sentence


def test_forged_fin_is_believed_and_data_after_it_contradicts_it():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client FA ack=1 forged                 | ESTABLISHED  CLOSE-WAIT
        server A ack=22 by=7                   | ESTABLISHED  CLOSE-WAIT
        server read() 0                        | ESTABLISHED  CLOSE-WAIT
        client PA data=5 seq=21 ack=1          | ESTABLISHED  CLOSED
        server R by=10                         | CLOSED       CLOSED
        count server TcpExtTCPAbortOnData 1
    """
    )
    verdict, sentence, events = finding(timeline, "fin.forged")
    assert (verdict, events) == ("yes", (7, 8, 9))
    assert sentence.endswith("read() returned 0: end of file, and no error.")
    assert finding(timeline, "fin.contradicted")[2] == (10, 11, 12)
    assert "data.overlaid" not in ids(timeline)
    assert "close.four-way" not in ids(timeline)


def test_copies_of_what_waits_are_dropped_and_only_they_have_the_kernels_word():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client PA data=7 seq=31 ack=1 forged   | ESTABLISHED  ESTABLISHED
        server A ack=21 sack=31-38 by=7        | ESTABLISHED  ESTABLISHED
        client PA data=7 seq=31 ack=1 forged   | ESTABLISHED  ESTABLISHED
        server A ack=21 sack=31-38 by=9        | ESTABLISHED  ESTABLISHED
        reason server by=9 drop TCP_OFOMERGE
    """
    )
    assert finding(timeline, "data.queued") == (
        "yes",
        (
            "In the window but 10 octets too early: the server put what was sent in the client's "
            "name into its out-of-order queue, and went on asking for 15. The copies of it that "
            "came after it (1) were dropped: all that they brought was waiting already. The "
            "kernel's own word for it: TCP_OFOMERGE."
        ),
        (7, 8, 9, 10, 11),
    )


def test_forged_data_in_the_window_waits_for_the_gap():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client PA data=7 seq=31 ack=1 forged   | ESTABLISHED  ESTABLISHED
        server A ack=21 sack=31-38 by=7        | ESTABLISHED  ESTABLISHED
        client PA data=10 seq=21 ack=1         | ESTABLISHED  ESTABLISHED
        server A ack=38 by=9                   | ESTABLISHED  ESTABLISHED
        server read() 17                       | ESTABLISHED  ESTABLISHED
    """
    )
    assert finding(timeline, "data.queued") == (
        "yes",
        (
            "In the window but 10 octets too early: the server put what was sent in the client's "
            "name into its out-of-order queue, and went on asking for 15. When the true sender had "
            "filled the gap, the 7 forged octets were read right behind its own."
        ),
        (7, 8, 9, 11),
    )


def test_forged_fin_in_the_window_takes_effect_later():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client FA seq=31 ack=1 forged          | ESTABLISHED  ESTABLISHED
        server A ack=21 sack=31-32 by=7        | ESTABLISHED  ESTABLISHED
        client PA data=10 seq=21 ack=1         | ESTABLISHED  CLOSE-WAIT
        server A ack=32 by=9                   | ESTABLISHED  CLOSE-WAIT
    """
    )
    verdict, sentence, events = finding(timeline, "fin.queued")
    assert (verdict, events) == ("yes", (7, 8, 9))
    assert sentence.endswith("the FIN took effect, and the server was in CLOSE-WAIT.")


def test_forged_data_outside_the_window_is_answered_every_time():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client PA data=7 seq=90000 ack=1 forged   | ESTABLISHED  ESTABLISHED
        server A ack=21 by=7                      | ESTABLISHED  ESTABLISHED
        client PA data=7 seq=90000 ack=1 forged   | ESTABLISHED  ESTABLISHED
        server A ack=21 by=9                      | ESTABLISHED  ESTABLISHED
    """
    )
    verdict, sentence, events = finding(timeline, "data.outside")
    assert (verdict, events) == ("yes", (7, 8, 9, 10))
    assert "outside the window: 2." in sentence


def test_acks_of_an_attacker_acknowledge_nothing_of_its_bearer():
    """Its ACK counts the victim's numbers, not those of the end in whose name it is."""
    timeline = ladder(OPEN + DATA + "client PA data=7 ack=1 forged | ESTABLISHED ESTABLISHED")
    assert finding(timeline, "data.acknowledged")[1] == (
        "All data was acknowledged: 20 octets from the client."
    )


def test_forged_data_that_begins_too_early_is_taken_from_the_next_number_on():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client PA data=10 seq=18 ack=1 forged  | ESTABLISHED  ESTABLISHED
        server A ack=28 by=7                   | ESTABLISHED  ESTABLISHED
        server read() 7                        | ESTABLISHED  ESTABLISHED
    """
    )
    assert finding(timeline, "data.forged") == (
        "yes",
        (
            "The TCP of the client did not send this. It begins 3 octets before the number that "
            "the server expected next (15): those the server had already, and took the rest for "
            "the next of the stream. The program at the server read 7 octets as its peer's: the "
            "session is hijacked."
        ),
        (7, 8, 9),
    )
    assert "data.outside" not in ids(timeline)


def test_a_forged_fin_behind_octets_that_were_had_already_ends_the_stream():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client FPA data=3 seq=18 ack=1 forged  | ESTABLISHED  CLOSE-WAIT
        server A ack=22 by=7                   | ESTABLISHED  CLOSE-WAIT
        server read() 0                        | ESTABLISHED  CLOSE-WAIT
    """
    )
    verdict, sentence, events = finding(timeline, "fin.forged")
    assert (verdict, events) == ("yes", (7, 8, 9))
    assert "begins 3 octets before" in sentence
    assert "ends with a FIN: ESTABLISHED → CLOSE-WAIT." in sentence


def test_forged_data_that_is_wholly_old_is_before_the_window_not_beyond_it():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client PA data=5 seq=3 ack=1 forged    | ESTABLISHED  ESTABLISHED
        server A ack=21 by=7                   | ESTABLISHED  ESTABLISHED
    """
    )
    verdict, sentence, events = finding(timeline, "data.outside")
    assert (verdict, events) == ("yes", (7, 8))
    assert "is before it: the server had all that long ago. It dropped them" in sentence
    assert "data.forged" not in ids(timeline)
