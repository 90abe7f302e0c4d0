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
