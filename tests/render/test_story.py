"""What a scenario says of itself."""

from dataclasses import replace

from tcplab.render.story import Notice, Story
from tcplab.scenario.steps import Scenario
from tcplab.text import verbatim

from .printing import printed

SCENARIO = Scenario(
    name="lost",
    title=verbatim("The last ACK is lost"),
    story=verbatim("  One line\n  and another…  "),
    notice=verbatim("TIME-WAIT exists \x1b[31mto answer."),
    steps=(),
)


def test_title_and_story_stand_above_and_flow_in_the_width_there_is():
    assert printed(Story(SCENARIO, say=str), width=40).splitlines() == [
        " The last ACK is lost",
        " One line and another…",
        "",
    ]


def test_notice_of_a_strangers_file_is_harmless():
    assert printed(Notice(SCENARIO, say=str), width=60).splitlines() == [
        "",
        " TIME-WAIT exists \\x1b[31mto answer.",
    ]


def test_ascii_typography():
    long = replace(SCENARIO, story=verbatim("a → b …"))
    assert " a -> b ..." in printed(Story(long, say=str, ascii_only=True), width=40)
