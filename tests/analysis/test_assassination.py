from .ladder import CLOSE, DATA, OPEN, finding, ladder

DIED = OPEN + DATA + CLOSE
"""The client is in TIME-WAIT; its last ACK is event 12."""


def test_rst_that_ends_time_wait_is_an_assassination():
    timeline = ladder(DIED + "server R seq=2 | CLOSED CLOSED")
    assert finding(timeline, "close.assassination") == (
        "yes",
        (
            "TIME-WAIT assassination (RFC 1337): the RST ended the client's TIME-WAIT at once, "
            "long before 2 MSL were over. From now on nothing keeps old segments out of a new "
            "connection between these ports."
        ),
        (13,),
    )
    assert finding(timeline, "close.time-wait") == (
        "yes",
        "The client closed first and held TIME-WAIT, until an RST ended it (crafted).",
        (8, 11),
    )


def test_exact_rst_that_time_wait_survives_was_ignored():
    timeline = ladder(DIED + "server R seq=2 | TIME-WAIT CLOSED")
    assert finding(timeline, "close.assassination") == (
        "yes",
        (
            "The RST found the client in TIME-WAIT, with the very number that it expects, and was "
            "ignored: only time ends TIME-WAIT here (RFC 1337, fix F1)."
        ),
        (13,),
    )
    assert "now holds TIME-WAIT" in finding(timeline, "close.time-wait")[1]


def test_rst_with_another_number_proves_nothing_about_time_wait():
    timeline = ladder(DIED + "server R seq=900 | TIME-WAIT CLOSED")
    assert finding(timeline, "close.assassination") is None


def test_no_rst_no_assassination():
    assert finding(ladder(DIED), "close.assassination") is None
