"""What an attacker who hears nothing needs, by the rules before and after RFC 5961."""

import pytest

from tcplab.analysis.blind import Effort, needs
from tcplab.scenario.attacks.attack import Weapon

WINDOW = 65_536
PORTS = 28_232


def test_before_rfc_5961_a_reset_needs_one_guess_a_window():
    assert needs(Weapon.RST, window=WINDOW, ack_reach=WINDOW, ports=1).before.frames == 65_536


def test_after_it_a_reset_needs_every_number_at_every_port():
    after = needs(Weapon.RST, window=WINDOW, ack_reach=WINDOW, ports=PORTS).after

    assert after == Effort(frames=2**32 * PORTS)


def test_a_syn_is_never_believed_after_it():
    found = needs(Weapon.SYN, window=WINDOW, ack_reach=WINDOW, ports=1)

    assert (found.before.frames, found.after) == (65_536, None)


def test_data_needs_a_good_acknowledgment_number_too():
    found = needs(Weapon.DATA, window=WINDOW, ack_reach=2 * WINDOW - 1, ports=1)

    assert found.before.frames == 2 * 65_536
    assert found.after.frames == 65_536 * 32_768


def test_where_the_victim_has_sent_nothing_one_acknowledgment_number_is_left():
    found = needs(Weapon.DATA, window=WINDOW, ack_reach=0, ports=1)

    assert found.after.frames == 65_536 * 2**32


def test_a_window_that_does_not_divide_the_numbers_takes_one_guess_more():
    found = needs(Weapon.RST, window=2**32 // 3, ack_reach=1, ports=1)

    assert found.before.frames == 4


def test_frames_chance_and_time():
    effort = Effort(frames=40_000)

    assert effort.chance(20_000) == 0.5
    assert effort.chance(80_000) == 1.0
    assert effort.expected == 20_000.5
    assert effort.seconds(20_000.5) == 1.0


@pytest.mark.parametrize("weapon", [Weapon.FIN, Weapon.HANDSHAKE])
def test_nothing_else_is_forged_blindly(weapon):
    with pytest.raises(ValueError, match="blindly"):
        needs(weapon, window=1, ack_reach=1, ports=1)
