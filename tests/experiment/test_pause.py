"""A pause is over when its time is, whatever is still on the wire."""

from tcplab.experiment.on_testbed import play
from tcplab.scenario.reader import parse
from tcplab.timeline.events import ExpectEvent
from tests.live import forked

DOWNLOAD = """
title  = { en = "A pause", ko = "멈춤" }
story  = { en = "A long download.", ko = "긴 내려받기." }
notice = { en = "It is not over yet.", ko = "아직 끝나지 않았습니다." }

[[step]]
on = "wire"
do = "delay"
seconds = 0.02

[[step]]
at = "server"
do = "listen"
[[step]]
at = "client"
do = "connect"
within = 20.0
[[step]]
at = "server"
do = "accept"
within = 20.0
[[step]]
at = "client"
do = "drain"
[[step]]
at = "server"
do = "stream"
octets = 60000000

[[step]]
wait = 0.3
[[step]]
on = "wire"
do = "cut"
host = "client"
[[step]]
expect = "client.read.octets < 60000000"
"""


def test_a_step_after_a_pause_comes_in_mid_download():
    scenario = parse(DOWNLOAD, name="pause", source="pause.toml")
    timeline = forked(play, scenario, command=("pause",), rootless=True)

    (expected,) = (event for event in timeline.events if isinstance(event, ExpectEvent))
    assert expected.met, expected.found
