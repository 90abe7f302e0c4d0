"""The attacks of `tcplab reset` as data: which there are, and that each disrupts."""

from itertools import product

import pytest

from tcplab.scenario.attacks.attack import COMBINATIONS, Aim, Attack, Weapon, aims, combination
from tcplab.scenario.attacks.lines import GAP_OCTETS, OUTSIDE_OCTETS, lines
from tcplab.scenario.attacks.story import attack
from tcplab.scenario.calls import StartTls
from tcplab.scenario.steps import At, On
from tcplab.scenario.tier import Tier, tier
from tcplab.scenario.wire import Craft, Steal

LIVE = [
    Attack(weapon=each.weapon, aim=each.aim, at=at, tls=tls, steal=steal)
    for each in COMBINATIONS
    for at, tls, steal in product(each.ends, {False, each.tls}, {False, each.heard})
    if not Attack(weapon=each.weapon, aim=each.aim).is_guess
]
GUESSES = [
    Attack(weapon=each.weapon, aim=each.aim)
    for each in COMBINATIONS
    if Attack(weapon=each.weapon, aim=each.aim).is_guess
]


def crafted(of: Attack) -> list[Craft]:
    acts = [step.act for step in attack(of).steps if isinstance(step, On)]
    return [act for act in acts if isinstance(act, Craft)]


def test_each_combination_is_there_once():
    meant = [(each.weapon, each.aim) for each in COMBINATIONS]
    assert len(set(meant)) == len(meant)
    assert {weapon for weapon, _aim in meant} == set(Weapon)
    assert [combination(*each) for each in meant] == [*COMBINATIONS]


def test_what_is_not_in_the_table_means_nothing():
    assert combination(Weapon.FIN, Aim.BLIND) is None
    assert aims(Weapon.HANDSHAKE) == (Aim.EXACT, Aim.BLIND)


@pytest.mark.parametrize("of", LIVE, ids=str)
def test_every_attack_disrupts_so_no_host_but_the_testbed_s_can_be_meant(of):
    assert tier(attack(of)) is Tier.DISRUPT


@pytest.mark.parametrize("of", LIVE, ids=str)
def test_only_the_attacker_forges_and_always_as_the_other_end(of):
    assert {(each.host, each.as_host) for each in crafted(of)} == {("attacker", of.bearer)}


@pytest.mark.parametrize("of", LIVE, ids=str)
def test_the_attacker_hears_unless_it_is_blind(of):
    assert attack(of).host("attacker").eavesdrops == (of.aim is not Aim.BLIND)


@pytest.mark.parametrize("of", LIVE, ids=str)
def test_tls_and_theft_only_where_they_are_asked_for(of):
    steps = attack(of).steps
    started = [step for step in steps if isinstance(step, At) and isinstance(step.call, StartTls)]
    stolen = [step for step in steps if isinstance(step, On) and isinstance(step.act, Steal)]
    assert (len(started), len(stolen)) == (2 * of.tls, 1 * of.steal)


@pytest.mark.parametrize("of", GUESSES, ids=str)
def test_a_guess_at_a_connection_is_no_story(of):
    with pytest.raises(ValueError, match="hears nothing"):
        attack(of)


def test_times_repeats_the_same_segment():
    once, thrice = (
        crafted(Attack(weapon=Weapon.RST, aim=Aim.IN_WINDOW, times=times)) for times in (1, 3)
    )
    assert thrice == once * 3


@pytest.mark.parametrize("at", ["client", "server"])
def test_the_true_sender_s_lines_reach_past_the_forged_one_but_the_first_does_not(at):
    said = lines(Attack(weapon=Weapon.DATA, at=at))
    assert len(said.first) < len(said.forged) < len(said.first + said.second)
    assert len(said.login + said.first) < GAP_OCTETS < 65535
    assert OUTSIDE_OCTETS > 65535 << 14
