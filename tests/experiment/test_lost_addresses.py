"""What is sent to an address that its host has given up is lost, and not by any rule's doing."""

from tcplab.experiment.on_testbed import play
from tcplab.scenario.reader import parse
from tcplab.timeline.events import Fate, WireEvent
from tests.live import forked

MOVES = """
title = { en = "A test", ko = "시험" }
story = { en = "The client moves.", ko = "클라이언트가 옮겨 갑니다." }
notice = { en = "Nothing.", ko = "없음." }
unhurried = true
quickack = true
step = [
  { on = "wire", do = "delay", seconds = 0.01, name = "a long way" },
  { at = "server", do = "listen" },
  { at = "client", do = "connect", within = 5 },
  { at = "server", do = "accept", within = 5 },
  { at = "client", do = "readdress", number = 7 },
  { at = "server", do = "send", data = "hello" },
]
"""


def test_a_segment_that_nobody_can_receive_names_no_rule():
    timeline = forked(play, parse(MOVES, name="x", source="x.toml"), command=(), rootless=True)

    lost = [each for each in timeline.segments() if each.fate is Fate.DROPPED]
    assert [each.segment.payload for each in lost] == [b"hello"]
    assert [
        each.rule
        for each in timeline.events
        if isinstance(each, WireEvent) and each.segment == lost[0].i
    ] == ["nobody has 192.0.2.1"]
