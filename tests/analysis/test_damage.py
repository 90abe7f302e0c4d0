"""Segments that the receiver did not take."""

from dataclasses import replace

from .ladder import DATA, OPEN, finding, ids, ladder

SEEN = "| ESTABLISHED ESTABLISHED\n"


def test_damaged_segment_is_dropped_without_a_word():
    timeline = ladder(OPEN + "client PA data=20 fate=corrupted " + SEEN)
    assert finding(timeline, "segment.corrupted") == (
        "yes",
        (
            "[PSH, ACK] seq 1 of the client was damaged on the way: its checksum did not fit, so "
            "the server dropped it without a word."
        ),
        (5,),
    )


def test_receivers_counter_is_cited():
    timeline = ladder(
        OPEN + "client PA data=20 fate=corrupted " + SEEN + "count server TcpInCsumErrors 1"
    )
    _verdict, sentence, events = finding(timeline, "segment.corrupted")
    assert sentence.endswith("without a word (TcpInCsumErrors +1).")
    assert events == (5, 6)


def test_damaged_segment_that_was_answered_is_no():
    timeline = ladder(
        OPEN + "client PA data=20 fate=corrupted " + SEEN + "server A ack=21 by=5 " + SEEN
    )
    assert finding(timeline, "segment.corrupted") == (
        "no",
        "[PSH, ACK] seq 1 of the client was damaged on the way, and yet the server took it.",
        (5, 6),
    )


def test_copy_is_taken_once_and_acknowledged_again():
    timeline = ladder(
        OPEN
        + "client PA data=20 "
        + SEEN
        + "client PA seq=1 data=20 fate=duplicated "
        + SEEN
        + "server A by=5 "
        + SEEN
        + "server A by=6 "
        + SEEN
    )
    assert finding(timeline, "segment.duplicate") == (
        "yes",
        (
            "The server got the 20 octets of seq 1 twice: by their numbers it knew the second time "
            "for old, took them once, and only acknowledged them again (ack 21)."
        ),
        (5, 6, 8),
    )


def test_needless_repetition_comes_twice_as_well():
    timeline = ladder(
        OPEN
        + "client PA data=20 "
        + SEEN
        + "server A by=5 fate=dropped "
        + SEEN
        + "@1000 client PA seq=1 data=20 "
        + SEEN
        + "server A by=7 "
        + SEEN
    )
    assert finding(timeline, "segment.duplicate") is not None


def test_copy_that_nothing_answered_proves_nothing():
    timeline = ladder(
        OPEN
        + "client PA data=20 "
        + SEEN
        + "client PA seq=1 data=20 fate=duplicated "
        + SEEN
        + "server A by=5 "
        + SEEN
    )
    assert finding(timeline, "segment.duplicate") is None


def test_capture_does_not_tell_what_came():
    assert "segment.duplicate" not in ids(
        ladder(OPEN + "client PA data=20\nclient PA seq=1 data=20\nserver A by=6")
    )


def test_nothing_is_said_where_all_was_well():
    assert not any(each.startswith("segment") for each in ids(ladder(OPEN + DATA)))


STRAY = """
    client PA data=20                        | ESTABLISHED  ESTABLISHED
    server A by=5                            | ESTABLISHED  ESTABLISHED
    @1 client PA seq=1 data=20 ms={late_ms}  | ESTABLISHED  ESTABLISHED
    server A by=7                            | ESTABLISHED  ESTABLISHED
    @900 client S seq=500                    | SYN-SENT     SYN-RECEIVED
"""


def _taken_over(late_ms):
    """A copy of the data comes so late; after 900 ms connection b has the ports."""
    timeline = ladder(OPEN + STRAY.format(late_ms=late_ms))
    *events, syn = timeline.events
    return replace(timeline, events=(*events, replace(syn, conn="b")))


def test_what_came_when_another_connection_had_the_ports_met_that_one():
    assert "segment.duplicate" in ids(_taken_over(late_ms=500))
    assert "segment.duplicate" not in ids(_taken_over(late_ms=950))
