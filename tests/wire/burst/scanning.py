"""A small driver: asks until nothing is left to ask, or nothing answers any more."""

import time
from array import array

from tcplab.analysis.scanning.census import Census
from tcplab.wire.burst.path import Path
from tcplab.wire.burst.prober import SynProber
from tests.links import DEADLINE_S, Host

ALL = (range(1, 65536),)
QUIET_S = 0.1
_LOOKS = 4
_ROUNDS = 28


def path_between(
    one: Host, other: Host, version: int, *, permit=None, local: bool = False, routed: bool = True
) -> Path:
    """Probes from `one` to `other` by eth0, or to itself. Not `routed`: right to its NIC."""
    interface, index = ("lo", 1) if local else ("eth0", 2)
    return Path(
        source=one.ip[version],
        destination=other.ip[version],
        interface=interface,
        link_index=index,
        local=local,
        inside=one.namespace.entered,
        permit=permit or one.permit,
        neighbour=None if routed else bytes.fromhex("020000000202"),
    )


def ask_once(prober: SynProber, census: Census, number: int) -> int:
    """One round: ask what is unanswered, and hear until it is quiet; how many have answered.

    It is quiet when all have left, and for so long one look after another found nothing: on a
    machine that stands still the clock alone says nothing.
    """
    before = census.answered
    deadline_s = time.monotonic() + DEADLINE_S
    prober.begin_round(number)
    prober.send(array("H", census.unanswered()))
    quiet_since_s, in_vain = time.monotonic(), 0
    while census.answered < census.ports():
        if in_vain >= _LOOKS and time.monotonic() >= quiet_since_s + QUIET_S:
            break
        busy = prober.busy
        in_vain += 1
        if prober.collect(QUIET_S / _LOOKS) or busy:
            quiet_since_s, in_vain = time.monotonic(), 0
        assert quiet_since_s < deadline_s, "it never was quiet"
    return census.answered - before


def ask(prober: SynProber, census: Census, *, silent_rounds: int = 1) -> None:
    """Round after round, until everything has answered or so many rounds in a row nothing has."""
    silent = 0
    for number in range(_ROUNDS):
        silent = 0 if ask_once(prober, census, number) else silent + 1
        if census.answered == census.ports() or silent == silent_rounds:
            return


def listening(host: Host, version: int, ports) -> list:
    """Sockets that listen there, to be kept."""
    return [host.listen(host.ip[version], port) for port in ports]
