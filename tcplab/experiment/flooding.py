"""A flood in the making: forged SYNs leave, a client knocks, the server's kernel is asked.

All of it in one thread: what a look sees was caused before it.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from tcplab.analysis.flooding.conditions import conditions
from tcplab.analysis.flooding.report import COUNTERS, FloodLook, FloodReport
from tcplab.analysis.flooding.settings import FloodSettings
from tcplab.experiment.introduction import introduce
from tcplab.experiment.knocking import Client
from tcplab.kernel.counters import Counters
from tcplab.kernel.link_statistics import LinkStatistics
from tcplab.kernel.sock_diag import SockDiag
from tcplab.kernel.tcp_metrics import is_proven
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import SPOOFED, Family
from tcplab.wire.burst.flood import Flood
from tcplab.wire.burst.spoofing import SpoofedSyns

PORT = 80
_NS = 1_000_000_000
_LOOK_EVERY_NS = 100_000_000
_CALM_S = 2.0

Heed = Callable[[FloodLook], None]


class Flooding:
    """One flood on a testbed."""

    def __init__(self, testbed: DirectTestbed, settings: FloodSettings, heed: Heed) -> None:
        self._testbed = testbed
        self._settings = settings
        self._heed = heed
        self._looks: list[FloodLook] = []
        self._began_ns = self._next_look_ns = 0
        self._open = ExitStack()
        path = testbed.path("attacker")
        self._listener = Address(testbed.ip("server"), PORT)
        self._stranger = Address(testbed.ip("attacker"), 1)
        syns = SpoofedSyns(SPOOFED[Family(settings.version)], path.destination, PORT)
        with testbed.inside("server"):
            self._diag = SockDiag()
            self._open.callback(self._diag.close)
            self._counters = Counters()
            self._open.callback(self._counters.close)
        with path.inside():
            self._link = LinkStatistics(path.link_index)
            self._open.callback(self._link.close)
        self._client = Client(testbed.path("client"), PORT, self._diag)
        self._open.callback(self._client.close)
        self._flood = Flood(
            path,
            syns.template,
            syns.fields,
            frames=settings.frames,
            pps=settings.rate_limit_pps,
        )
        self._open.callback(self._flood.close)

    def close(self) -> None:
        """Give everything back."""
        self._open.close()

    def play(self) -> FloodReport:
        """All of it, or up to Ctrl-C."""
        settings, partial = self._settings, False
        calm_ns, known = None, False
        undelivered = self._link.read().undelivered
        self._before = self._counters.read()
        try:
            if settings.proven:
                introduce(self._testbed)
            calm_ns = self._calm()
            with self._testbed.inside("server"):
                known = is_proven(self._testbed.ip("client"))
            self._before = self._counters.read()
            self._began_ns = self._next_look_ns = time.monotonic_ns()
            self._client.begin(self._began_ns, first_ns=self._began_ns)
            self._watch()
        except KeyboardInterrupt:
            partial = True
        ended_ns = time.monotonic_ns()
        self._client.close()
        if not self._began_ns:  # there was no flood yet: what the client did does not count
            self._client.begin(ended_ns, first_ns=ended_ns)
        facts = self._testbed.facts
        report = FloodReport(
            settings=settings,
            kernel=facts.kernel,
            rootless=facts.rootless,
            looks=tuple(self._looks),
            tries=tuple(self._client.tries),
            calm_ns=calm_ns,
            known=known,
            sent=self._flood.sent,
            drops=self._link.read().undelivered - undelivered,
            seconds=(ended_ns - self._began_ns) / _NS if self._began_ns else 0.0,
            counters=self._counted(),
            options_kept=self._client.options,
            partial=partial,
        )
        return replace(report, conditions=conditions(report))

    def _calm(self) -> int | None:
        """How long the client waits when nothing else happens."""
        client = self._client
        client.knock()
        client.listen(_CALM_S)
        self._accept()
        client.knock_off()
        return client.tries[0].took_ns

    def _watch(self) -> None:
        settings, client, flood = self._settings, self._client, self._flood
        if settings.rate_limit_pps is None:
            while not flood.over:
                flood.send()
            self._look()
        first_ns = time.monotonic_ns()
        client.begin(self._began_ns, first_ns=first_ns)
        end_ns = first_ns + round(settings.seconds * _NS)
        while (now_ns := time.monotonic_ns()) < end_ns:
            flood.send()
            if now_ns >= self._next_look_ns:
                self._look()
            if now_ns >= client.due_ns() and client.knocks < settings.tries:
                client.knock()
            times_ns = (self._next_look_ns, client.due_ns(), flood.next_ns())
            wake_ns = min([end_ns, *(at for at in times_ns if at is not None and at > now_ns)])
            if client.listen(max(wake_ns - time.monotonic_ns(), 0) / _NS):
                self._accept()
        client.knock_off()
        self._look()

    def _look(self) -> None:
        self._testbed.look()
        counters = self._counted()
        version = self._settings.version
        half_open = self._diag.in_state(State.SYN_RECEIVED, PORT, version=version)
        listener = self._diag.get(self._listener, self._stranger)
        now_ns = time.monotonic_ns()
        self._next_look_ns = now_ns + _LOOK_EVERY_NS
        tries = self._client.tries
        look = FloodLook(
            at_ns=now_ns - self._began_ns,
            sent=self._flood.sent,
            listen_queue=listener.receive_queue if listener is not None else 0,
            syn_received=len(half_open),
            counters=counters,
            client_tries=len(tries),
            client_served=sum(each.took_ns is not None for each in tries),
        )
        self._looks.append(look)
        self._heed(look)

    def _counted(self) -> dict[str, int]:
        """The server's counters since the flood began."""
        now, before = self._counters.read(), self._before
        return {name: now.get(name, 0) - before.get(name, 0) for name in COUNTERS}

    def _accept(self) -> None:
        """Let the server's application take the client's connection, which is over by now."""
        self._testbed.server_saw()
