"""An attacker off the path hears nothing and has to guess: what that takes, and what came of it.

RFC 793 believed a reset whose number is anywhere in the window. RFC 5961 has the victim believe
none but the very next number, and answer the others with a challenge ACK, which the attacker does
not hear, either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from tcplab.analysis.flooding.settings import MOST_FRAMES, MOST_SECONDS
from tcplab.scenario.attacks.attack import Weapon
from tcplab.tcp.states import State

NUMBERS = 2**32
"""Sequence numbers."""
WEAPONS = (Weapon.RST, Weapon.SYN, Weapon.DATA)
"""What can be forged blindly."""
COUNTERS = (
    "TcpEstabResets",
    "TcpExtTCPChallengeACK",
    "TcpExtTCPSYNChallenge",
    "TcpExtTCPACKSkippedChallenge",
    "TcpExtTCPACKSkippedSeq",
)
"""What is read of the victim's counters. Answers are skipped where there would be too many
(tcp_invalid_ratelimit).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSettings:
    """`frames` forged segments in the client's name at the server, within `seconds`.

    The attacker knows both addresses and the server's port; the client's only if `port_known`.
    With a `receive_buffer` (octets) the server's window grows wider than the kernel would have it.
    `version` is the IP version. Raises ValueError for what is out of bounds.
    """

    weapon: Weapon = Weapon.RST
    port_known: bool = True
    frames: int = MOST_FRAMES
    seconds: float = MOST_SECONDS
    receive_buffer: int | None = None
    version: int = 4

    def __post_init__(self) -> None:
        if self.weapon not in WEAPONS:
            raise ValueError(f"{self.weapon.value} is not forged blindly")
        if not 1 <= self.frames <= MOST_FRAMES:
            raise ValueError(f"{self.frames} frames: not 1 to {MOST_FRAMES}")
        if not 0 < self.seconds <= MOST_SECONDS:
            raise ValueError(f"{self.seconds} seconds: not up to {MOST_SECONDS}")
        if self.receive_buffer is not None and not 4096 <= self.receive_buffer <= 2**30:
            raise ValueError(f"a receive buffer of {self.receive_buffer} octets")
        if self.version not in (4, 6):
            raise ValueError(f"IP version {self.version}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What one rule demands: `frames` that differ, one of which is believed for certain."""

    frames: int

    @property
    def expected(self) -> float:
        """So many are needed on average."""
        return (self.frames + 1) / 2

    def chance(self, frames: int) -> float:
        """That one of so many frames is believed."""
        return min(frames / self.frames, 1.0)

    def seconds(self, pps: float) -> float:
        """How long it takes on average at so many frames a second."""
        return self.expected / pps


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What an attack takes `before` RFC 5961 and `after` it; None: there it cannot succeed."""

    before: Effort
    after: Effort | None


class AckRule(Enum):
    """How old an ACK number a kernel believes in a segment with data.

    By RFC 5961 §5.2 as old as the largest window that it has been offered (`WINDOW`); by Linux
    since 6.7 also not older than the first octet that it has sent (`SENT`), for nobody can have
    acknowledged what came before.
    """

    WINDOW = "window"
    SENT = "sent"


def needs(weapon: Weapon, *, window: int, ack_reach: int, ports: int) -> Needs:
    """What it takes to hit a `window` (octets) where the client's port is one of `ports`.

    An acknowledgment number is believed if it is of all that has been sent, or at most `ack_reach`
    octets older. RFC 793 took every one that is not of the future: half of them.
    """
    in_window = -(-NUMBERS // window) * ports
    match weapon:
        case Weapon.RST:
            return Needs(before=Effort(frames=in_window), after=Effort(frames=NUMBERS * ports))
        case Weapon.SYN:
            return Needs(before=Effort(frames=in_window), after=None)
        case Weapon.DATA:
            acks = -(-NUMBERS // (ack_reach + 1))
            return Needs(before=Effort(frames=in_window * 2), after=Effort(frames=in_window * acks))
        case Weapon.FIN | Weapon.HANDSHAKE:
            raise ValueError(f"{weapon.value} is not forged blindly")
        case _:
            assert_never(weapon)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindReport:
    """An attack that is over, or was ended (`partial`).

    `sent` frames took `seconds` to send. `window` is the server's receive window, by which the
    guesses stepped, and `client_window` the client's, in octets; so many octets of the server's
    were `acknowledged` by the end. `ack_rule` is what the server's kernel was found to follow, None
    where that does not matter. The client's port was one of `ports`. `exchanges` of a message and
    its answer succeeded meanwhile. `client` and `server` are the states after it. `forged_octets`
    is how much of what the server's application read was not the client's. `counters` are the
    deltas of the server's.
    """

    settings: BlindSettings
    kernel: str
    rootless: bool
    window: int
    client_window: int
    acknowledged: int
    ports: int
    sent: int
    seconds: float
    exchanges: int
    client: State
    server: State
    counters: Mapping[str, int]
    ack_rule: AckRule | None = None
    forged_octets: int = 0
    partial: bool = False

    @property
    def needs(self) -> Needs:
        """What it would have taken."""
        return self.needs_with(self.ports)

    def needs_with(self, ports: int) -> Needs:
        """What it would have taken where the client's port is one of so many."""
        return needs(
            self.settings.weapon, window=self.window, ack_reach=self.ack_reach, ports=ports
        )

    @property
    def ack_reach(self) -> int:
        """How old an acknowledgment number may be, in octets."""
        if self.ack_rule is AckRule.SENT:
            return min(self.client_window, self.acknowledged)
        return self.client_window

    @property
    def pps(self) -> float:
        """Frames a second, as fast as they were sent."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0

    @property
    def was_reset(self) -> bool:
        """Has the connection ended at either end?"""
        return not (self.client is self.server is State.ESTABLISHED)

    @property
    def succeeded(self) -> bool:
        """Was anything believed?"""
        return self.was_reset or self.forged_octets > 0

    @property
    def challenge_acks(self) -> int:
        """How many challenge ACKs the server has sent."""
        return self.counters["TcpExtTCPChallengeACK"]

    @property
    def challenged(self) -> int:
        """How many forged segments would have been answered with one, were there no limit."""
        return self.challenge_acks + self.counters["TcpExtTCPACKSkippedChallenge"]
