"""An attacker who hears nothing, at a live connection between real kernels."""

import os
import signal
from contextlib import closing

import pytest

from tcplab.analysis.blind import AckRule, BlindReport, BlindSettings
from tcplab.experiment import blind as module
from tcplab.experiment.ack_rule import ack_rule
from tcplab.experiment.blind import blind
from tcplab.experiment.conversation import Conversation
from tcplab.scenario.attacks.attack import Weapon
from tcplab.scenario.services import Services
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import Family
from tcplab.wire.burst.flood import Flood
from tcplab.wire.burst.forging import forged
from tcplab.wire.burst.guessing import Guesses, numbered
from tests.live import forked
from tests.testbed.test_namespace import descriptors, still_open

WIDE = 8 << 20
LINE = b"The client never said this.\n"

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
                self._first, self._step = talks[-1].expected()[0], 0
                return super().fields(first, count)

        module.Conversation, module.Guesses = Overheard, Lucky
        return blind(BlindSettings(version=version), rootless=True)

    report = forked(run)
    assert report.was_reset
    assert report.succeeded
    assert report.server is State.CLOSED
    assert report.counters["TcpEstabResets"] >= 1
    assert report.exchanges == 0


@every_version
def test_the_rule_for_acknowledgment_numbers_is_what_the_kernel_does_with_data(version):
    """The page's claim: one octet more than `ack_reach` back is not believed, and that much is."""

    def run() -> tuple[AckRule, int, int]:
        testbed = DirectTestbed(
            family=Family(version),
            services=Services(),
            rootless=True,
            others=("client", "attacker"),
        )
        with closing(testbed):
            rule = ack_rule(testbed)
            return rule, forged_line(testbed, rule, 0), forged_line(testbed, rule, 1)

    rule, at_reach, beyond = forked(run)
    assert rule in AckRule
    assert (at_reach, beyond) == (len(LINE), 0)


def forged_line(testbed: DirectTestbed, rule: AckRule, beyond: int) -> int:
    """The octets that the server's program has read of a line in the client's name, the ACK number
    of which is `beyond` octets older than may be.
    """
    with closing(Conversation(testbed, 80)) as conversation:
        conversation.exchange(10)
        expected, sent = conversation.expected()
        # The oldest under SENT is the first octet's number, whenever its delayed ACK comes.
        oldest = sent - 10
        if rule is AckRule.WINDOW:
            oldest += conversation.acknowledged() - conversation.windows()[1]
        path = testbed.path("attacker")
        template = forged(conversation.client.ip, path.destination, Flags.PSH | Flags.ACK, LINE)
        fields = numbered(template, conversation.client.port, 80, seq=expected, ack=oldest - beyond)
        with closing(Flood(path, template, lambda _first, _count: fields, frames=1)) as flood:
            assert flood.send() == 1
        conversation._server.settimeout(0)
        try:
            return len(conversation._server.recv(100))
        except BlockingIOError:
            return 0


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
