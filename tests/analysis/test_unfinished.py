"""Connections that end without a word."""

from tcplab.timeline.timeline import Stack

from .ladder import DATA, OPEN, finding, ids, ladder


def test_an_end_that_is_gone_leaves_the_other_half_open():
    forgotten = "server forget() 0 | ESTABLISHED CLOSED"

    assert finding(ladder(OPEN + forgotten, client=Stack.KERNEL), "close.half-open") == (
        "yes",
        (
            "Half-open: the server has no socket for this connection any more, and the client is "
            "still in ESTABLISHED: nothing has told it."
        ),
        (),
    )


def test_two_ends_that_gave_up_knew_nothing_of_each_other():
    given_up = """
        server forget() 0       | ESTABLISHED CLOSED
        client RA fate=dropped  | CLOSED      CLOSED
    """

    assert "close.given-up" in ids(ladder(OPEN + given_up, client=Stack.KERNEL))
    assert "close.unfinished" not in ids(ladder(OPEN + given_up, client=Stack.KERNEL))


def test_two_open_ends_are_no_half_open_connection():
    assert "close.unfinished" in ids(ladder(OPEN + DATA, client=Stack.KERNEL))


def test_what_is_only_inferred_of_a_remote_end_proves_no_half_open_connection():
    gone = "server PA data=3 | CLOSED ESTABLISHED"
    timeline = ladder(OPEN + gone, server=Stack.REMOTE)

    assert "close.half-open" not in ids(timeline)


def test_an_end_that_closed_and_then_had_to_abort_has_closed_in_vain():
    timeline = ladder(
        OPEN
        + """
        client shutdown() 0  | FIN-WAIT-1  ESTABLISHED
        client FA            | FIN-WAIT-1  CLOSE-WAIT
        server A             | FIN-WAIT-2  CLOSE-WAIT
        client close() 0     | FIN-WAIT-2  CLOSE-WAIT
        client abort() 0     | CLOSED      CLOSE-WAIT
        client RA by=9       | CLOSED      CLOSED
    """
    )
    assert finding(timeline, "close.unfinished")[:2] == (
        "no",
        "Only the client closed: the server acknowledged its FIN, but sent none of its own.",
    )
    assert "close.abort" in ids(timeline)


def test_a_fin_that_was_not_seen_may_have_had_no_room():
    closed = """
        client shutdown() 0  | FIN-WAIT-1  ESTABLISHED
        client abort() 0     | CLOSED      ESTABLISHED
        client RA by=7       | CLOSED      CLOSED
    """
    full = "server A wnd=0 | ESTABLISHED ESTABLISHED"
    assert finding(ladder(OPEN + full + closed), "close.unfinished")[:2] == (
        "no",
        (
            "The client closed, but its FIN never left: the other end's window is 0, and a FIN "
            "needs room for its number."
        ),
    )
    roomy = "server A | ESTABLISHED ESTABLISHED"
    assert finding(ladder(OPEN + roomy + closed), "close.unfinished")[:2] == (
        "no",
        "The client closed, but no FIN of it was seen.",
    )


def test_syns_that_crossed_and_were_not_both_acknowledged_opened_nothing():
    timeline = ladder("""
        client connect() 0   | SYN-SENT     CLOSED
        client S late        | SYN-SENT     CLOSED
        server S             | SYN-RECEIVED SYN-SENT
        client SA seq=0      | SYN-RECEIVED SYN-SENT
        client close() 0     | CLOSED       SYN-SENT
    """)
    assert "close.unfinished" not in ids(timeline)
    assert finding(timeline, "open.simultaneous")[0] == "no"
