"""What the attacker sends, how well it aims, and which of these combinations mean something."""

from dataclasses import dataclass
from enum import Enum, unique

from tcplab.text import Text

MOST_TIMES = 100


@unique
class Weapon(Enum):
    """What is forged."""

    RST = "rst"
    SYN = "syn"
    FIN = "fin"
    DATA = "data"
    HANDSHAKE = "handshake"
    """A whole connection, opened in another host's name."""


@unique
class Aim(Enum):
    """What the attacker makes of its number, seg.seq."""

    EXACT = "exact"
    """The very next one that the victim expects, rcv_nxt: the attacker hears the connection."""
    IN_WINDOW = "in-window"
    OUTSIDE = "outside"
    BLIND = "blind"
    """The attacker hears nothing, and guesses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack. `at` is the victim; the segments bear the other end's address.

    With `times` the same segment comes so often, one right after the other. With `tls` the
    connection is a TLS one; with `steal` the attacker searches what it heard for credentials first.
    """

    weapon: Weapon = Weapon.RST
    aim: Aim = Aim.EXACT
    at: str = "server"
    times: int = 1
    tls: bool = False
    steal: bool = False

    @property
    def bearer(self) -> str:
        """The end in whose name the segments are."""
        return "client" if self.at == "server" else "server"

    @property
    def is_guess(self) -> bool:
        """Is it an off-path attack on a connection: no story, but an experiment of its own?"""
        return self.aim is Aim.BLIND and self.weapon is not Weapon.HANDSHAKE


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """A weapon and an aim that mean something together, and what they show in a sentence.

    `ends` are those at which they can be aimed. `repeats`: several in a row show more than one
    does. `tls`: over TLS they show something else, or show that it is the same. `heard`: there is a
    live connection that the attacker hears, so that it can steal from it.
    """

    weapon: Weapon
    aim: Aim
    shows: Text
    ends: tuple[str, ...] = ("client", "server")
    repeats: bool = False
    tls: bool = False
    heard: bool = True


COMBINATIONS = (
    Combination(
        weapon=Weapon.RST,
        aim=Aim.EXACT,
        tls=True,
        shows=Text("believed: ECONNRESET, and the other end is left half-open"),
    ),
    Combination(
        weapon=Weapon.RST,
        aim=Aim.IN_WINDOW,
        repeats=True,
        shows=Text("not believed: a challenge ACK (RFC 5961)"),
    ),
    Combination(
        weapon=Weapon.RST,
        aim=Aim.OUTSIDE,
        repeats=True,
        shows=Text("dropped in silence"),
    ),
    Combination(
        weapon=Weapon.RST,
        aim=Aim.BLIND,
        ends=("server",),
        heard=False,
        shows=Text("guessed from off the path: what that takes, and whether it succeeds"),
    ),
    Combination(
        weapon=Weapon.SYN,
        aim=Aim.EXACT,
        repeats=True,
        shows=Text("not believed: a challenge ACK, whatever its number"),
    ),
    Combination(
        weapon=Weapon.SYN,
        aim=Aim.IN_WINDOW,
        repeats=True,
        shows=Text("the same challenge ACK; before RFC 5961 it was a reset"),
    ),
    Combination(
        weapon=Weapon.SYN,
        aim=Aim.OUTSIDE,
        repeats=True,
        shows=Text("the same challenge ACK, even so far off"),
    ),
    Combination(
        weapon=Weapon.SYN,
        aim=Aim.BLIND,
        ends=("server",),
        heard=False,
        shows=Text("guessed from off the path: challenge ACKs, and nothing else"),
    ),
    Combination(
        weapon=Weapon.FIN,
        aim=Aim.EXACT,
        tls=True,
        shows=Text("believed: end of file; the true sender's next data is answered with RST"),
    ),
    Combination(
        weapon=Weapon.FIN,
        aim=Aim.IN_WINDOW,
        repeats=True,
        shows=Text("queued, and believed once the true sender has filled the gap"),
    ),
    Combination(
        weapon=Weapon.FIN,
        aim=Aim.OUTSIDE,
        repeats=True,
        shows=Text("dropped, and answered with an ACK every time"),
    ),
    Combination(
        weapon=Weapon.DATA,
        aim=Aim.EXACT,
        tls=True,
        shows=Text("read by the application: the session is hijacked"),
    ),
    Combination(
        weapon=Weapon.DATA,
        aim=Aim.IN_WINDOW,
        repeats=True,
        shows=Text("queued, and read once the true sender has filled the gap"),
    ),
    Combination(
        weapon=Weapon.DATA,
        aim=Aim.OUTSIDE,
        repeats=True,
        shows=Text("dropped, and answered with an ACK every time"),
    ),
    Combination(
        weapon=Weapon.DATA,
        aim=Aim.BLIND,
        ends=("server",),
        heard=False,
        shows=Text("guessed from off the path: the ACK number must fit as well"),
    ),
    Combination(
        weapon=Weapon.HANDSHAKE,
        aim=Aim.EXACT,
        ends=("server",),
        heard=False,
        shows=Text(
            "a connection in the client's name: the attacker hears the answers, and the client is "
            "silenced"
        ),
    ),
    Combination(
        weapon=Weapon.HANDSHAKE,
        aim=Aim.BLIND,
        ends=("server",),
        heard=False,
        shows=Text("the same unheard, with the client alive: its kernel's RST ends it"),
    ),
)
"""Every combination that means something, in the order in which help lists them."""


def combination(weapon: Weapon, aim: Aim) -> Combination | None:
    """The combination; None if it means nothing."""
    found = (each for each in COMBINATIONS if (each.weapon, each.aim) == (weapon, aim))
    return next(found, None)


def aims(weapon: Weapon) -> tuple[Aim, ...]:
    """The aims that mean something with that weapon."""
    return tuple(each.aim for each in COMBINATIONS if each.weapon is weapon)
