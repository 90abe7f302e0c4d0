from .ladder import DATA, OPEN, finding, ids, ladder


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
            "the server believed it: ESTABLISHED → CLOSED. What the applications saw: read() at "
            "the server failed with ECONNRESET."
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


def test_forged_reset_without_any_effect_did_not_end_the_connection():
    timeline = ladder(OPEN + DATA + "client R seq=9 fate=injected | ESTABLISHED ESTABLISHED")
    assert finding(timeline, "close.abort") == (
        "no",
        "The RST of the client did not end the connection: the server is still in ESTABLISHED.",
        (7,),
    )
    assert finding(timeline, "reset.challenged") is None


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
