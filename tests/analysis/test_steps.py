from tcplab.analysis.steps import label

from .ladder import CLOSE, DATA, OPEN, ladder


def steps(text):
    return [event.step for event in label(ladder(text)).segments()]


ACK_OF_OLD = 1234  # what an old connection expects, relative to the new ISN
OPENED = ["open 1/3", "open 2/3", "open 3/3"]


def test_a_whole_life():
    assert steps(OPEN + DATA + CLOSE) == [
        *OPENED,
        "data",
        "ack",
        "close 1/4",
        "close 2/4",
        "close 3/4",
        "close 4/4",
    ]


def test_only_the_steps_are_changed():
    timeline = ladder(OPEN + DATA + CLOSE)
    assert label(label(timeline)) == label(timeline)
    assert [event.i for event in label(timeline).events] == list(range(len(timeline.events)))


def test_a_close_that_merges():
    assert steps(OPEN + "client FA\nserver FA\nclient A") == [
        *OPENED,
        "close 1/3",
        "close 2/3",
        "close 3/3",
    ]


def test_a_merged_close_with_a_lost_fin():
    assert steps(OPEN + "client FA\nserver FA fate=dropped\nserver FA seq=1\nclient A") == [
        *OPENED,
        "close 1/3",
        "close 2/3",
        "retransmission",
        "close 3/3",
    ]


def test_a_simultaneous_close():
    assert steps(OPEN + "client FA late\nserver FA\nclient A\nserver A")[3:] == [
        "close 1/4",
        "close 2/4",
        "close 3/4",
        "close 4/4",
    ]


def test_a_half_close_with_data_in_the_middle():
    assert steps(OPEN + "client FA\nserver A\nserver PA data=9\nclient A\nserver FA\nclient A")[
        3:
    ] == [
        "close 1/4",
        "close 2/4",
        "data",
        "ack",
        "close 3/4",
        "close 4/4",
    ]


def test_a_simultaneous_open():
    assert steps("client S late\nserver S\nclient SA seq=0\nserver SA seq=0") == [
        "open 1/4",
        "open 2/4",
        "open 3/4",
        "open 4/4",
    ]


def test_lost_segments_keep_their_step_and_their_copies_are_retransmissions():
    assert steps("""
        client S fate=dropped
        client S seq=0
        server SA
        client A
        client PA data=20 fate=dropped
        client PA seq=1 data=20
        server A
    """) == [
        "open 1/3",
        "retransmission",
        "open 2/3",
        "open 3/3",
        "data",
        "retransmission",
        "ack",
    ]


def test_a_copy_made_by_the_wire_is_a_duplicate():
    assert steps(OPEN + "client PA data=20\nclient PA seq=1 data=20 fate=duplicated")[3:] == [
        "data",
        "duplicate",
    ]


def test_what_neither_end_sent_is_injected():
    assert steps(OPEN + "server R fate=injected")[3:] == ["injected"]


def test_reset():
    assert steps("client S\nserver RA") == ["open 1/3", "reset"]


def test_a_challenge_ack_and_a_second_try():
    assert steps(f"""
        client S
        server A seq=900 ack={ACK_OF_OLD}
        client R seq={ACK_OF_OLD}
        client S seq=70
        server SA seq=0 ack=71
        client A
    """) == ["open 1/3", "challenge ack", "reset", "open 1/3", "open 2/3", "open 3/3"]


def test_a_connection_that_was_open_before():
    assert steps("client PA data=20 ack=1\nserver A\nclient FA\nserver A") == [
        "data",
        "ack",
        "close 1/4",
        "close 2/4",
    ]
