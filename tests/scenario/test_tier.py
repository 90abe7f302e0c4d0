"""A scenario's safety tier is that of its highest step."""

import pytest

from tcplab.scenario import catalogue
from tcplab.scenario.reader import parse
from tcplab.scenario.shipped import remote
from tcplab.scenario.tier import Tier, tier
from tests.scenario.test_reader import HEAD, OPENING


@pytest.mark.parametrize(
    "step",
    [
        'at = "client"\ndo = "abort"',
        'at = "client"\ndo = "kill-socket"',
        "wait = 1.0",
        'wait = "quiet"\nwithin = 1.0',
        'expect = "client.state == CLOSED"',
    ],
)
def test_calls_and_waits_probe(step):
    scenario = parse(f"{HEAD}{OPENING}[[step]]\n{step}\n", name="x", source="x.toml")
    assert tier(scenario) is Tier.PROBE


@pytest.mark.parametrize(
    "step",
    [
        'on = "wire"\ndo = "hold"',
        'on = "wire"\ndo = "loss"\npercent = 1',
        'on = "wire"\ndo = "cut"\nhost = "client"',
        'at = "client"\ndo = "silence"',
        'at = "client"\ndo = "reboot"',
        'at = "server"\ndo = "firewall"',
        'at = "server"\ndo = "craft"\nflags = "R"\nseq = 1',
    ],
)
def test_acts_on_the_wire_and_on_hosts_disrupt(step):
    scenario = parse(f"{HEAD}{OPENING}[[step]]\n{step}\n", name="x", source="x.toml")
    assert tier(scenario) is Tier.DISRUPT


def test_shipped_ones():
    assert tier(catalogue.load("three-way")) is Tier.PROBE
    assert tier(catalogue.load("simultaneous")) is Tier.DISRUPT
    assert tier(remote(b"hi")) is Tier.PROBE
