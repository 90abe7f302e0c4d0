"""A scan of the testbed's server, or of a host that the user named.

Both are the same loop over a prober; what differs is where they go, how fast they may, and what is
known of the other end.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from tcplab.analysis.scanning.census import Census, PortState
from tcplab.analysis.scanning.report import Method, ScanReport, ServerSaw, Silence
from tcplab.errors import LinkLostError
from tcplab.experiment.misgivings import caveat, doubt
from tcplab.experiment.scanning import Scan, Standing
from tcplab.scenario.services import SERVICES, Services
from tcplab.testbed.plan import Family
from tcplab.wire.burst.path import Path
from tcplab.wire.prober import Prober

if TYPE_CHECKING:
    from tcplab.timeline.timeline import Timeline
    from tcplab.wire.burst.recording import Sink

_MOST_TIMED = 64
"""Open ports whose round trip is measured by a SYN of its own."""
_TIMING_S = 2.0


def scan_testbed(
    ports: tuple[range, ...],
    *,
    method: Method,
    family: Family = Family.IPV4,
    services: Services = SERVICES,
    record: "Sink | None" = None,
    ring_slots: int | None = None,
    rootless: bool | None = None,
    heed: Callable[[Standing], None] = lambda _standing: None,
) -> ScanReport:
    """Scan the server of a testbed made for it, over a direct link, as fast as it answers.

    Enters a user namespace if this process may not make network namespaces without (`rootless`
    None), which cannot be undone. `pcap` names a file for everything that passed. Raises
    PrivilegeError or UnavailableError where this machine cannot do it.
    """
    from tcplab.testbed.direct import DirectTestbed

    with closing(DirectTestbed(family=family, services=services, rootless=rootless)) as testbed:
        return scan_path(
            testbed.path(),
            ports,
            method=method,
            target="server",
            testbed=True,
            icmp_limited=False,
            record=record,
            ring_slots=ring_slots,
            heed=heed,
            server_saw=testbed.server_saw,
        )


def scan_host(
    host: str,
    ports: tuple[range, ...],
    *,
    method: Method,
    version: int | None = None,
    rate: int | None = None,
    unlimited: bool = False,
    authorized: str | None = None,
    ladder: int | None = None,
    command: tuple[str, ...] = (),
    record: "Sink | None" = None,
    ring_slots: int | None = None,
    announce: Callable[[int, int | None], None] = lambda _ports, _pps: None,
    heed: Callable[[Standing], None] = lambda _standing: None,
) -> "tuple[ScanReport, Timeline | None]":
    """Scan a host on a real network, within the tier that its address and `authorized` allow.

    `rate` None is the tier's default, unless it is to be `unlimited`. `announce` hears, before the
    first probe, how many ports are asked at how many packets a second. The exchange with the port
    `ladder` is kept and returned as a timeline. Raises UsageError for an unknown name, RefusedError
    where the tier forbids it, UnavailableError without a way there or where this machine's own
    firewall lets nothing out, PrivilegeError without CAP_NET_RAW where that is needed.
    """
    from tcplab.experiment.contact import kept_back, why_silent
    from tcplab.experiment.permission import check_privilege, no_privilege
    from tcplab.kernel.link_statistics import LinkStatistics
    from tcplab.testbed.reach import TierRate, kept_in, reach, unusable

    wanted = None if unlimited else TierRate.DEFAULT if rate is None else rate
    reached = reach(host, version=version, rate_pps=wanted, authorized=authorized)
    # Not before: who may not scan that host is not to try as root.
    check_privilege(method, records=record is not None or ladder is not None)
    try:
        with ExitStack() as listening:
            heard = None
            if ladder is not None:
                from tcplab.experiment.listening import Listening

                heard = listening.enter_context(Listening(reached.path, ladder))
            link = listening.enter_context(closing(LinkStatistics(reached.path.link_index)))
            announce(sum(map(len, ports)), reached.rate_pps)
            left_before = link.read().sent
            began_ns = time.monotonic_ns()

            def heed_both(standing: Standing) -> None:
                if heard is not None:
                    heard.take()
                heed(standing)

            report = scan_path(
                reached.path,
                ports,
                method=method,
                target=host,
                testbed=False,
                icmp_limited=not reached.path.local,  # on loopback Linux limits nothing
                rate_pps=reached.rate_pps,
                authorized=authorized,
                record=record,
                ring_slots=ring_slots,
                heed=heed_both,
                silence=lambda census, prober, over: why_silent(
                    census, reached, prober.own_errors(), began_ns=began_ns, over=over
                ),
            )
            if report.silence is not None and kept_back(report, link.read().sent - left_before):
                raise kept_in()
            timeline = None
            if heard is not None:
                timeline = heard.timeline(method, command=command, interrupted=report.partial)
            return report, timeline
    except PermissionError as refusal:
        raise no_privilege(method) from refusal
    except OSError as refusal:
        raise unusable(reached.address, reached.route, refusal) from refusal


def scan_path(
    path: Path,
    ports: tuple[range, ...],
    *,
    method: Method,
    target: str,
    testbed: bool,
    icmp_limited: bool,
    rate_pps: int | None = None,
    authorized: str | None = None,
    record: "Sink | None" = None,
    ring_slots: int | None = None,
    heed: Callable[[Standing], None] = lambda _standing: None,
    silence: Callable[[Census, Prober, bool], Silence | None] = lambda _census, _prober, _over: (
        None
    ),
    server_saw: Callable[[], ServerSaw] | None = None,
) -> ScanReport:
    """Scan along `path`, which permits it. What was found by Ctrl-C, until the link was lost or
    until the host fell silent is reported as partial.
    """
    census = Census(ports)
    with ExitStack() as open_:
        tap = None
        if record is not None and method is Method.CONNECT:
            from tcplab.wire.burst.tap import Tap

            tap = open_.enter_context(closing(Tap(path, record)))
        prober = _prober(path, census, method, open_, record, ring_slots, rate_pps)
        scan = Scan(
            prober,
            census,
            rate_pps=rate_pps,
            icmp_limited=icmp_limited,
            link=lambda: _check_link(path),
            heed=heed,
            beside=tap.drain if tap is not None else None,
            hopeless=lambda: silence(census, prober, False) in (Silence.DOWN, Silence.UNREACHABLE),
        )
        scan.run()
        if not prober.sent and prober.send_errors:
            from tcplab.testbed.reach import kept_in

            raise kept_in()
        ended = scan.lost is not None or scan.interrupted or scan.rounds.fallen_silent
        why = None
        if not ended:
            try:
                prober.time_open(census.of_state(PortState.OPEN)[:_MOST_TIMED], _TIMING_S)
                why = silence(census, prober, True)
            except KeyboardInterrupt:
                ended = scan.interrupted = True
            except LinkLostError as loss:
                scan.lost = loss
        unrecorded = tap.drops() if tap is not None else 0
        return ScanReport(
            target=target,
            address=path.destination,
            source=path.source,
            method=method,
            testbed=testbed,
            interface=path.interface,
            census=census,
            rate_pps=rate_pps,
            authorized=authorized,
            sent=prober.sent,
            received=prober.received,
            drops=prober.drops() + unrecorded,
            send_errors=prober.send_errors,
            rounds=scan.rounds.rounds,
            pace=scan.pace.changes,
            seconds=(scan.ended_ns - scan.began_ns) / 1e9,
            partial=ended,
            cut_round=scan.rounds.under_way,
            doubt=doubt(scan, unrecorded),
            caveat=None if ended else caveat(scan),
            silence=None if ended else why,
            server_saw=server_saw() if server_saw is not None else None,
        )


def _prober(
    path: Path,
    census: Census,
    method: Method,
    open_: ExitStack,
    record: "Sink | None",
    ring_slots: int | None,
    rate_pps: int | None,
) -> Prober:
    prober: Prober
    match method:
        case Method.SYN:
            from tcplab.wire.burst.prober import RING_SLOTS, SynProber

            prober = SynProber(
                path,
                census,
                ring_slots=ring_slots or RING_SLOTS,
                record=record,
                rate_pps=rate_pps,
            )
        case Method.CONNECT:
            from tcplab.wire.connecting import ConnectProber

            prober = ConnectProber(path, census)
    open_.callback(prober.close)
    return prober


def _check_link(path: Path) -> None:
    """Raises LinkLostError if the link by which the host is reached is gone."""
    if not path.local:
        from tcplab.experiment.contact import check_link  # not for a scan that is over by now

        check_link(path)
