"""What becomes of the two ends once the forged segments are there.

The victim's application reads; then the end whose name was used speaks, which knows of nothing.
"""

from collections.abc import Iterator
from typing import assert_never

from tcplab.scenario.attacks.attack import Aim, Attack, Weapon
from tcplab.scenario.attacks.lines import CONN, GAP_OCTETS, Lines, lines, said
from tcplab.scenario.calls import Accept, Call, Read, Send, alphabet
from tcplab.scenario.steps import At, Step

_NOTHING = "EAGAIN"
_BAD_RECORD = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
_CUT_OFF = "UNEXPECTED_EOF_WHILE_READING"


def of(attack: Attack) -> tuple[Step, ...]:
    """The steps after the forged segments of an attack on a live connection."""
    return tuple(_after(attack, lines(attack)))


def _after(attack: Attack, spoken: Lines) -> Iterator[Step]:
    match attack.weapon, attack.aim:
        case (Weapon.RST, Aim.EXACT):
            yield from _reset(attack, spoken)
        case (Weapon.FIN, Aim.EXACT):
            yield said(f"{attack.at}.state == CLOSE-WAIT")
            yield _at(attack.at, Read(), _CUT_OFF if attack.tls else "0")
            yield from _aborted(attack, spoken)
        case (Weapon.FIN, Aim.IN_WINDOW):
            yield from _queued(attack)
            yield said(f"{attack.at}.state == CLOSE-WAIT")
            yield _at(attack.at, Read(), str(GAP_OCTETS))
            yield _at(attack.at, Read(), "0")
            yield from _aborted(attack, spoken)
        case (Weapon.DATA, Aim.EXACT) if attack.tls:
            yield from _broken(attack, spoken)
        case (Weapon.DATA, Aim.EXACT):
            yield from _hijacked(attack, spoken)
        case (Weapon.DATA, Aim.IN_WINDOW):
            yield from _queued(attack)
            yield _at(attack.at, Read(), str(GAP_OCTETS + len(spoken.forged)))
            yield from _overlaid(attack, spoken)
        case (Weapon.RST | Weapon.SYN | Weapon.FIN | Weapon.DATA, _):
            yield from _refused(attack)
            yield from _alive(attack, spoken)
        case (Weapon.HANDSHAKE, _):
            raise ValueError("it has no live connection")
        case _:
            assert_never(attack.weapon)


def _at(host: str, call: Call, result: str | None = None) -> At:
    return At(host=host, call=call, conn=CONN, result=result)


# --- believed -----------------------------------------------------------------------------------


def _reset(attack: Attack, spoken: Lines) -> Iterator[Step]:
    """The victim is gone; the other end knows nothing until it speaks."""
    victim, other = attack.at, attack.bearer
    yield said(f"{victim}.state == CLOSED and {other}.state == ESTABLISHED")
    yield _at(victim, Read(), "ECONNRESET")
    yield said(f"{victim}.counter.EstabResets == 1 and {victim}.counter.OutRsts == 0")
    yield from _in_turn(attack, spoken)


def _aborted(attack: Attack, spoken: Lines) -> Iterator[Step]:
    """Data after a FIN: to the victim's kernel its peer has gone mad."""
    yield said(f"{attack.bearer}.state == ESTABLISHED")
    yield from _in_turn(attack, spoken)
    yield said(f"{attack.at}.counter.TCPAbortOnData == 1")


def _in_turn(attack: Attack, spoken: Lines) -> Iterator[Step]:
    """The other end speaks, and is reset."""
    yield _at(attack.bearer, Send(spoken.first))
    yield said(
        f"{attack.at}.state == CLOSED and {attack.bearer}.state == CLOSED "
        f"and {attack.at}.counter.OutRsts == 1"
    )
    yield _at(attack.bearer, Read(), "ECONNRESET")


# --- taken into the stream ----------------------------------------------------------------------


def _hijacked(attack: Attack, spoken: Lines) -> Iterator[Step]:
    yield _at(attack.at, Read(), str(len(spoken.forged)))
    yield from _overlaid(attack, spoken)
    tail = len(spoken.first) + len(spoken.second) - len(spoken.forged)
    yield _at(attack.bearer, Send(spoken.second))
    yield _at(attack.at, Read(), str(tail))
    # Both ends count alike again, and neither knows that anything was amiss.
    yield _at(attack.at, Send(spoken.answer))
    yield _at(attack.bearer, Read(), str(len(spoken.answer)))
    yield said(f"{attack.at}.state == ESTABLISHED and {attack.bearer}.state == ESTABLISHED")


def _overlaid(attack: Attack, spoken: Lines) -> Iterator[Step]:
    """What the other end says now bears numbers that the victim has had: duplicates."""
    yield _at(attack.bearer, Send(spoken.first))
    yield _at(attack.at, Read(), _NOTHING)
    yield said(f"{attack.at}.counter.TCPDSACKOldSent > 0 and {attack.at}.state == ESTABLISHED")


def _broken(attack: Attack, spoken: Lines) -> Iterator[Step]:
    """TLS: the octets are in the stream, but no record of the session."""
    yield _at(attack.at, Read(), _BAD_RECORD)
    yield _at(attack.bearer, Send(spoken.first))
    yield _at(attack.at, Read(), _BAD_RECORD)
    yield _at(attack.at, Send(spoken.answer), _BAD_RECORD)
    yield said(f"{attack.at}.read.octets < {attack.bearer}.wrote.octets")


# --- not yet, and never -------------------------------------------------------------------------


def _queued(attack: Attack) -> Iterator[Step]:
    """Kept for later; later comes when the true sender has filled the gap."""
    yield said(f"{attack.at}.state == ESTABLISHED and {attack.at}.counter.TCPOFOQueue > 0")
    yield _at(attack.at, Read(), _NOTHING)
    yield _at(attack.bearer, Send(alphabet(GAP_OCTETS)))


def _refused(attack: Attack) -> Iterator[Step]:
    victim = attack.at
    yield _at(victim, Read(), _NOTHING)
    challenges = f"{victim}.counter.TCPChallengeACK"
    skipped = f"{victim}.counter.TCPACKSkippedChallenge"
    if attack.weapon is Weapon.SYN:
        yield said(f"{victim}.counter.TCPSYNChallenge == {attack.times}")
    if attack.weapon is Weapon.SYN or attack.aim is Aim.IN_WINDOW:
        # How many more than one depends on whether the machine paused in between.
        yield said(f"{challenges} > 0 and {challenges} + {skipped} == {attack.times}")
    else:
        yield said(f"{challenges} == 0 and {skipped} == 0")


def _alive(attack: Attack, spoken: Lines) -> Iterator[Step]:
    """Nothing has happened: the connection works as before."""
    yield _at(attack.bearer, Send(spoken.first))
    yield _at(attack.at, Read(), str(len(spoken.first)))
    yield said(f"{attack.at}.state == ESTABLISHED and {attack.bearer}.state == ESTABLISHED")


# --- a connection in another host's name --------------------------------------------------------


def refused() -> tuple[Step, ...]:
    """The client's kernel has answered a SYN, ACK that it knows nothing of."""
    return (said("server.state == CLOSED and client.counter.OutRsts == 1"),)


def never_opened() -> tuple[Step, ...]:
    """The attacker's third segment found nothing to complete."""
    return (
        said("server.counter.OutRsts == 1"),
        _at("server", Accept(), _NOTHING),
        said("server.counter.PassiveOpens == 0"),
    )
