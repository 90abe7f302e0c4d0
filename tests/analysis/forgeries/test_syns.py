from tests.analysis.ladder import DATA, OPEN, finding, ids, ladder


def test_forged_syn_is_challenged_whatever_its_number():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client S seq=21 forged     | ESTABLISHED  ESTABLISHED
        server A ack=21 by=7       | ESTABLISHED  ESTABLISHED
        client S seq=21 forged     | ESTABLISHED  ESTABLISHED
        count server TcpExtTCPChallengeACK 1
        count server TcpExtTCPACKSkippedChallenge 1
    """
    )
    assert finding(timeline, "syn.challenged") == (
        "yes",
        (
            "The SYN in the client's name changed nothing, and would not with any number (it has "
            "15; the next that the server expects is 15): in ESTABLISHED a SYN only gets a "
            "challenge ACK (RFC 5961 §4.2), to which the real client would send an exact RST if it "
            "were gone."
        ),
        (7, 8),
    )
    assert finding(timeline, "syn.rate-limited")[2] == (9, 10, 11)


def test_syn_of_the_end_itself_is_no_forgery():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client S seq=21 fate=injected   | ESTABLISHED  ESTABLISHED
        server A ack=21 by=7            | ESTABLISHED  ESTABLISHED
    """
    )
    assert not [each for each in ids(timeline) if each.startswith("syn.")]
