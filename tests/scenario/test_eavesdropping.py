"""An attacker that listens, as a file says it."""

import pytest

from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.mistake import ScenarioError
from tcplab.scenario.reader import parse
from tcplab.scenario.steps import Expect, On, Scenario
from tcplab.scenario.tier import Tier, tier
from tcplab.scenario.wire import Craft, Steal

HEAD = """\
title = { en = "A test", ko = "시험" }
story = { en = "A test.", ko = "시험." }
notice = { en = "Nothing.", ko = "없음." }
"""
EAR = "[hosts.attacker]\neavesdrops = true\n"
STEAL = '[[step]]\nat = "attacker"\ndo = "steal"\n'
CRAFT = (
    '[[step]]\nat = "attacker"\ndo = "craft"\nas = "client"\nflags = "R"\nseq = "server.rcv_nxt"\n'
)


def read(*parts: str) -> Scenario:
    return parse(HEAD + "".join(parts), name="test", source="test.toml")


def test_the_attacker_eavesdrops_if_the_file_says_so():
    assert read(EAR, STEAL).host("attacker") == HostSettings(name="attacker", eavesdrops=True)
    assert not read(CRAFT).host("attacker").eavesdrops


def test_who_steals_disrupts():
    scenario = read(EAR, STEAL)
    assert scenario.steps == (On(Steal(host="attacker", conn="a")),)
    assert tier(scenario) is Tier.DISRUPT


@pytest.mark.parametrize(("line", "wanted"), [("", True), ("timestamps = false\n", False)])
def test_forged_segments_have_timestamps_unless_the_file_says_otherwise(line, wanted):
    (step,) = read(EAR, CRAFT, line).steps
    assert isinstance(step.act, Craft)
    assert step.act.timestamps is wanted


def test_what_was_stolen_can_be_expected():
    _steal, expected = read(EAR, STEAL, '[[step]]\nexpect = "attacker.call.steal == 1"\n').steps
    assert isinstance(expected, Expect)
    assert [name.written for name in expected.predicate.names()] == ["attacker.call.steal"]


@pytest.mark.parametrize(
    ("parts", "what", "remedy"),
    [
        (
            (STEAL,),
            (
                "test.toml:6: The attacker hears nothing that is not for it: there is nothing to "
                "steal."
            ),
            "Let it listen: eavesdrops = true in [hosts.attacker].",
        ),
        (
            ("[hosts.client]\neavesdrops = true\n", CRAFT),
            "test.toml:5: There is no key 'eavesdrops' here.",
            None,
        ),
        (
            (EAR, STEAL.replace("attacker", "client")),
            "test.toml:7: at cannot be 'client'.",
            None,
        ),
        (
            (EAR, STEAL, 'conn = "b"\n'),
            "test.toml:9: No step opens a connection 'b'.",
            None,
        ),
    ],
)
def test_mistake_names_the_line_and_what_to_do(parts, what, remedy):
    with pytest.raises(ScenarioError) as caught:
        read(*parts)
    assert str(caught.value.what) == what
    assert remedy is None or str(caught.value.remedy) == remedy
