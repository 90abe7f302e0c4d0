"""An attacker who hears nothing, at a live connection between real kernels."""

import os
import signal
import socket
from struct import unpack

import pytest

from tcplab.analysis.blind import BlindReport, BlindSettings
from tcplab.experiment import blind as module
from tcplab.experiment.blind import blind
from tcplab.experiment.conversation import Conversation
from tcplab.scenario.attacks.attack import Weapon
from tcplab.tcp.states import State
from tcplab.wire.burst.guessing import Guesses
from tests.live import forked
from tests.testbed.test_namespace import descriptors, still_open

WIDE = 8 << 20

every_version = pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])


def attacked(rootless: bool = True, **how) -> BlindReport:
    return forked(blind, BlindSettings(**how), rootless=rootless)


def check_unharmed(report: BlindReport) -> None:
    """All frames left, and both ends talked on."""
    assert report.sent == 20_000
    assert (report.client, report.server) == (State.ESTABLISHED, State.ESTABLISHED)
    assert report.exchanges == 20_000 // module._LOT
    assert not report.was_reset
    assert not report.succeeded
    assert not report.partial


@every_version
@pytest.mark.parametrize("weapon", [Weapon.RST, Weapon.DATA], ids=["rst", "data"])
@pytest.mark.parametrize("port_known", [True, False], ids=["port", "no-port"])
def test_20000_guesses_do_no_harm(version, weapon, port_known):
    report = attacked(weapon=weapon, port_known=port_known, version=version)

    check_unharmed(report)
    assert (report.ports == 1) is port_known
    assert report.needs.after.chance(report.sent) < 0.01


@every_version
def test_resets_that_meet_the_window_are_challenged_and_not_believed(version):
    report = attacked(receive_buffer=WIDE, version=version)

    check_unharmed(report)
    # The guesses went over all numbers, so the rule of old would have believed one of them.
    assert report.needs.before.chance(report.sent) == 1.0
    assert report.challenge_acks >= 1
    assert report.challenged >= report.sent // report.needs.before.frames


@every_version
def test_a_syn_is_challenged_whatever_its_number(version):
    report = attacked(weapon=Weapon.SYN, version=version)

    check_unharmed(report)
    assert report.counters["TcpExtTCPSYNChallenge"] == 20_000
    assert report.challenge_acks >= 1
    assert report.needs.after is None


@pytest.mark.root
@every_version
def test_the_same_as_root(version):
    report = attacked(rootless=False, receive_buffer=WIDE, version=version)

    check_unharmed(report)
    assert report.challenge_acks >= 1
    assert not report.rootless


def next_number(of: socket.socket) -> int:
    """Its snd_nxt, where nothing is on its way: from its own kernel, as CRIU reads it."""
    repair, queue, number, send_queue = 19, 20, 21, 2  # linux/tcp.h
    of.setsockopt(socket.IPPROTO_TCP, repair, 1)
    of.setsockopt(socket.IPPROTO_TCP, queue, send_queue)
    (found,) = unpack("=I", of.getsockopt(socket.IPPROTO_TCP, number, 4))
    of.setsockopt(socket.IPPROTO_TCP, repair, -1)
    return found


@every_version
def test_the_right_guess_would_be_believed(version):
    """The control: the forged frames do reach the connection, and the report tells of success."""

    def run() -> BlindReport:
        talks: list[Conversation] = []

        class Overheard(Conversation):
            def __init__(self, *how) -> None:
                super().__init__(*how)
                talks.append(self)

        class Lucky(Guesses):
            def fields(self, first, count):
                self._first, self._step = next_number(talks[0]._client), 0
                return super().fields(first, count)

        module.Conversation, module.Guesses = Overheard, Lucky
        return blind(BlindSettings(version=version), rootless=True)

    report = forked(run)
    assert report.was_reset
    assert report.succeeded
    assert report.server is State.CLOSED
    assert report.counters["TcpEstabResets"] >= 1
    assert report.exchanges == 0


def test_ctrl_c_leaves_a_partial_report_and_nothing_open():
    def run() -> tuple[BlindReport, set[str]]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        before = descriptors()
        real = Conversation.exchange

        def exchange(self, octets: int = 64) -> bool:
            if self.exchanges == 3:
                os.kill(os.getpid(), signal.SIGINT)
            return real(self, octets)

        Conversation.exchange = exchange
        return blind(BlindSettings(), rootless=True), still_open(before)

    report, left = forked(run)
    assert report.partial
    assert 0 < report.sent < 20_000
    assert not left
