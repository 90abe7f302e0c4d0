"""An attack as a scenario: a login, what is forged, and what becomes of the two ends.

What each step expects was measured (Linux 6.18). Where kernels differ in how they count, the
expectation leaves room; what the applications and the states must be, it does not.
"""

from tcplab.scenario.attacks import aftermath, words
from tcplab.scenario.attacks.attack import Aim, Attack, Weapon
from tcplab.scenario.attacks.lines import (
    CONN,
    GAP_OCTETS,
    OUTSIDE_OCTETS,
    Lines,
    lines,
    number,
    said,
)
from tcplab.scenario.calls import Accept, Call, Connect, Listen, Read, Send, SetOption, StartTls
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.predicate import Sum
from tcplab.scenario.steps import At, Connection, On, Scenario, Step
from tcplab.scenario.wire import Craft, Silence, Steal
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize

ATTACKER = "attacker"
_UNHURRIED_MS = 10_000
_PORT, _TLS_PORT = 143, 993  # IMAP
_ISN, _GUESS = 1_000_000_000, 2_000_000_000
_MSS_OCTETS = 1220  # small enough for either Internet Protocol
_NO_PROBE = Sysctl(name="net.ipv4.tcp_early_retrans", value="0", if_present=True)
"""No tail loss probe: it would send again, after some milliseconds, what the victim has had."""
_FLAGS = {
    Weapon.RST: Flags.RST,
    Weapon.SYN: Flags.SYN,
    Weapon.FIN: Flags.FIN | Flags.ACK,
    Weapon.DATA: Flags.PSH | Flags.ACK,
}


def attack(of: Attack) -> Scenario:
    """The scenario. Raises ValueError for a blind attack on a connection: that one is no story, but
    an experiment of its own (`tcplab.experiment.blind`).
    """
    if of.weapon is Weapon.HANDSHAKE:
        steps = _spoofed(of)
    elif of.is_guess:
        raise ValueError("who hears nothing has no numbers to forge with")
    else:
        steps = (*_opening(of), *_theft(of), *_forged(of), *aftermath.of(of))
    return Scenario(
        name=f"{of.weapon.value}-{of.aim.value}",
        title=words.title(of),
        story=words.story(of),
        notice=words.notice(of),
        steps=steps,
        hosts=(
            *(
                HostSettings(
                    name=name,
                    quickack=True,
                    rto_min_ms=_UNHURRIED_MS,
                    sysctls=(_NO_PROBE,) if _waits(of, name) else (),
                )
                for name in ("client", "server")
            ),
            HostSettings(name=ATTACKER, eavesdrops=of.aim is not Aim.BLIND),
        ),
        conns=(Connection(name=CONN, server_port=_TLS_PORT if of.tls else _PORT),),
    )


def _waits(of: Attack, host: str) -> bool:
    """Will two of its segments be unacknowledged at once?"""
    taken_in = of.weapon in (Weapon.FIN, Weapon.DATA) and of.aim in (Aim.EXACT, Aim.IN_WINDOW)
    return taken_in and host == of.bearer


# --- a live connection --------------------------------------------------------------------------


def _opening(of: Attack) -> tuple[Step, ...]:
    """Open it, and log in. Without Nagle's algorithm: what an application writes leaves at once,
    also while an earlier line is not acknowledged.
    """
    undelayed = SetOption(option="TCP_NODELAY", values=(1,))
    login, welcome = lines(of).login, lines(of).welcome
    tls = (_at("server", StartTls()), _at("client", StartTls())) if of.tls else ()
    return (
        _at("server", Listen()),
        _at("client", Connect()),
        _at("server", Accept()),
        _at("client", undelayed),
        _at("server", undelayed),
        *tls,
        _at("client", Send(login)),
        _at("server", Read(), result=str(len(login))),
        _at("server", Send(welcome)),
        _at("client", Read(), result=str(len(welcome))),
    )


def _theft(of: Attack) -> tuple[Step, ...]:
    if not of.steal:
        return ()
    found = 0 if of.tls else 1
    return (On(Steal(host=ATTACKER, conn=CONN)), said(f"attacker.call.steal == {found}"))


def _forged(of: Attack) -> tuple[Step, ...]:
    return (_segment(of, lines(of)),) * of.times


def _segment(of: Attack, spoken: Lines) -> Step:
    flags = _FLAGS[of.weapon]
    beyond = {Aim.EXACT: 0, Aim.IN_WINDOW: GAP_OCTETS, Aim.OUTSIDE: OUTSIDE_OCTETS}[of.aim]
    seq = f"{of.at}.rcv_nxt"
    return _craft(
        of,
        flags,
        seq=number(f"{seq} + {beyond}" if beyond else seq),
        ack=number(f"{of.bearer}.rcv_nxt") if flags & Flags.ACK else None,
        data=spoken.forged if of.weapon is Weapon.DATA else b"",
    )


def _craft(of: Attack, flags: Flags, *, seq: Sum, ack: Sum | None, data: bytes = b"") -> On:
    return On(
        Craft(
            host=ATTACKER,
            conn=CONN,
            as_host=of.bearer,
            flags=flags,
            seq=seq,
            ack=ack,
            data=data,
            options=(MaximumSegmentSize(_MSS_OCTETS),) if flags == Flags.SYN else (),
        )
    )


def _at(host: str, call: Call, result: str | None = None) -> At:
    return At(host=host, call=call, conn=CONN, result=result)


# --- a connection of the attacker's own ---------------------------------------------------------


def _spoofed(of: Attack) -> tuple[Step, ...]:
    """The three segments of a handshake in the client's name; what of it the attacker hears is its
    only way to know the server's ISN.
    """
    begun = (_at("server", Listen()),)
    syn = _craft(of, Flags.SYN, seq=number(str(_ISN)), ack=None)
    if of.aim is Aim.BLIND:
        third = _craft(of, Flags.ACK, seq=number(str(_ISN + 1)), ack=number(str(_GUESS)))
        return (*begun, syn, *aftermath.refused(), third, *aftermath.never_opened())
    login = lines(of).login
    seq, ack = number("client.snd_nxt"), number("client.rcv_nxt")  # as the attacker heard them
    return (
        *begun,
        On(Silence("client")),
        syn,
        _craft(of, Flags.ACK, seq=seq, ack=ack),
        _at("server", Accept(), result="0"),
        said("server.state == ESTABLISHED and client.state == CLOSED"),
        _craft(of, Flags.PSH | Flags.ACK, seq=seq, ack=ack, data=login),
        _at("server", Read(), result=str(len(login))),
        said("server.counter.EstabResets == 0 and client.counter.OutRsts == 0"),
    )
