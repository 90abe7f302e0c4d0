"""Sentences that bring their own Korean."""

from tcplab.text import Text, in_both
from tests.scenario.languages import english, korean

BRACES = in_both(en="The {n} of a {name}", ko="{name}의 {n}")


def test_said_in_the_language_of_who_speaks():
    text = in_both(en="A connection", ko="연결")
    assert (english(text), korean(text)) == ("A connection", "연결")


def test_a_brace_is_a_brace():
    assert (english(BRACES), korean(BRACES)) == ("The {n} of a {name}", "{name}의 {n}")


def test_in_the_gap_of_another_sentence():
    text = Text("{first}, {rest}", first=BRACES, rest="x")
    assert korean(text) == "{name}의 {n}, x"


def test_equality_is_that_of_both_languages():
    same = in_both(en="one", ko="하나")
    assert same == in_both(en="one", ko="하나")
    assert hash(same) == hash(in_both(en="one", ko="하나"))
    assert same != in_both(en="one", ko="한")
    assert same != Text("one")
    assert Text("one") != same
    assert same != "one"
