"""The zero window and its probes."""

from .ladder import DATA, OPEN, finding, ids, ladder

CLOSED = """
    @1000 client PA data=20
    @1001 server A wnd=0
"""
PROBED = """
    @1201 client A seq=20
    @1202 server A wnd=0 by=7
    @1601 client A seq=20
    @1602 server A wnd=0 by=9
    @2401 client A seq=20
    @2402 server A wnd=0 by=11
"""


def test_probes_and_their_answers_are_counted():
    timeline = ladder(OPEN + CLOSED + PROBED + "@2501 server A wnd=4000")
    assert finding(timeline, "window.zero") == (
        "yes",
        (
            "The server announced a window of 0: it has no room until its program reads. Probes of "
            "the client: 3, after 0.2, 0.4, 0.8 s: each wait twice the one before, the back-off of "
            "RFC 6298. Answers that it was still 0: 3. After 1.5 s the window was open again."
        ),
        (6, 7, 8, 9, 10, 11, 12, 13),
    )


def test_window_that_nobody_had_to_probe():
    timeline = ladder(OPEN + CLOSED + "@1101 server A wnd=4000")
    assert finding(timeline, "window.zero") == (
        "yes",
        (
            "The server announced a window of 0: it has no room until its program reads. After "
            "0.1 s the window was open again."
        ),
        (6, 7),
    )


def test_window_that_stays_closed_is_no():
    verdict, sentence, _events = finding(ladder(OPEN + CLOSED + PROBED), "window.zero")
    assert verdict == "no"
    assert sentence.endswith(" The window stayed closed.")


def test_octet_of_new_data_is_a_probe_too():
    timeline = ladder(OPEN + CLOSED + "@1201 client A data=1\n@1202 server A ack=21 wnd=0 by=7")
    _verdict, sentence, _events = finding(timeline, "window.zero")
    assert "Probes of the client: 1, after 0.2 s. Answers that it was still 0: 1." in sentence


def test_reset_announces_no_window():
    assert finding(ladder(OPEN + DATA + "server R wnd=0"), "window.zero") is None


def test_keep_alive_probe_of_an_open_window_is_none():
    assert "window.zero" not in ids(ladder(OPEN + DATA + "client A seq=20\nserver A"))
