from tcplab.analysis.repeats import Repeats

from .ladder import OPEN, ladder


def repeated(text: str) -> list[bool]:
    """Of the segments behind the opening: which does the sender send again?"""
    repeats = Repeats()
    return [repeats.is_one(event) for event in ladder(OPEN + text).segments()][3:]


def test_the_same_segment_again():
    assert repeated("client PA data=9\nclient PA data=9 seq=1") == [False, True]


def test_the_first_part_of_a_longer_segment():
    assert repeated("client PA data=9\nclient PA data=4 seq=1") == [False, True]


def test_old_data_with_a_fin_at_its_end():
    assert repeated("client PA data=9\nclient FA\nclient FPA data=9 seq=1") == [False, False, True]


def test_data_after_a_pure_ack_of_the_same_number_is_new():
    assert repeated("client A\nclient PA data=9\nclient A") == [False, False, False]
