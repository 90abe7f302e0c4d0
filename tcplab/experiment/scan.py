"""A scan of the testbed's server, or of a host that the user named.

Both are the same loop over a prober; what differs is where they go, how fast they may, and what is
known of the other end.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, BinaryIO

from tcplab.analysis.scanning.census import Census, PortState
from tcplab.analysis.scanning.report import Method, ScanReport, ServerSaw, Silence
from tcplab.errors import LinkLostError, PrivilegeError, UsageError
from tcplab.experiment.scanning import Scan, Standing
from tcplab.scenario.services import SERVICES, Services
from tcplab.testbed.plan import Family
from tcplab.text import Text
from tcplab.wire.burst.path import Path
from tcplab.wire.prober import Prober

if TYPE_CHECKING:
    from tcplab.testbed.reach import Reached
    from tcplab.timeline.timeline import Timeline

_MOST_TIMED = 64
"""Open ports whose round trip is measured by a SYN of its own."""
_TIMING_S = 2.0
_NEIGHBOUR_PATIENCE_S, _NEIGHBOUR_PAUSE_S = 4.0, 0.01
"""Linux asks for a neighbour three times, a second apart (net.ipv4.neigh.*.retrans_time_ms)."""


def scan_testbed(
    ports: tuple[range, ...],
    *,
    method: Method,
    family: Family = Family.IPV4,
    services: Services = SERVICES,
    pcap: str | None = None,
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
            pcap=pcap,
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
    pcap: str | None = None,
    ring_slots: int | None = None,
    announce: Callable[[int, int | None], None] = lambda _ports, _pps: None,
    heed: Callable[[Standing], None] = lambda _standing: None,
) -> "tuple[ScanReport, Timeline | None]":
    """Scan a host on a real network, within the tier that its address and `authorized` allow.

    `rate` None is the tier's default, unless it is to be `unlimited`. `announce` hears, before the
    first probe, how many ports are asked at how many packets a second. The exchange with the port
    `ladder` is kept and returned as a timeline. Raises UsageError for an unknown name, RefusedError
    where the tier forbids it, UnavailableError without a way there, PrivilegeError without
    CAP_NET_RAW where that is needed.
    """
    from tcplab.testbed.reach import TierRate, find_way, reach, unusable

    _check_privilege(method, records=pcap is not None or ladder is not None)
    wanted = None if unlimited else TierRate.DEFAULT if rate is None else rate
    reached = reach(host, version=version, rate_pps=wanted, authorized=authorized)
    try:
        with ExitStack() as listening:
            heard = None
            if ladder is not None:
                from tcplab.experiment.listening import Listening

                heard = listening.enter_context(Listening(reached.path, ladder))
            announce(sum(map(len, ports)), reached.rate_pps)

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
                icmp_limited=True,
                rate_pps=reached.rate_pps,
                authorized=authorized,
                pcap=pcap,
                ring_slots=ring_slots,
                heed=heed_both,
                silence=lambda census, prober: _silence(census, prober, reached),
                link=lambda: _look_at_link(reached),
            )
            timeline = None
            if heard is not None:
                timeline = heard.timeline(method, command=command, interrupted=report.partial)
            return report, timeline
    except PermissionError as refusal:
        raise _no_privilege(method) from refusal
    except OSError as refusal:
        raise unusable(find_way(host, version=version), refusal) from refusal


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
    pcap: str | None = None,
    ring_slots: int | None = None,
    heed: Callable[[Standing], None] = lambda _standing: None,
    silence: Callable[[Census, Prober], Silence | None] = lambda _census, _prober: None,
    link: Callable[[], None] = lambda: None,
    server_saw: Callable[[], ServerSaw] | None = None,
) -> ScanReport:
    """Scan along `path`, which permits it. What was found by Ctrl-C or until the link was lost is
    reported as partial.
    """
    census = Census(ports)
    with _recorded(pcap) as record, ExitStack() as open_:
        prober = _prober(path, census, method, open_, record, ring_slots, rate_pps)
        scan = Scan(
            prober, census, rate_pps=rate_pps, icmp_limited=icmp_limited, link=link, heed=heed
        )
        scan.run()
        ended = scan.lost is not None or scan.interrupted
        if not ended:
            try:
                prober.time_open(census.of_state(PortState.OPEN)[:_MOST_TIMED], _TIMING_S)
            except KeyboardInterrupt:
                ended = scan.interrupted = True
            except LinkLostError as loss:
                scan.lost = loss
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
            drops=prober.drops(),
            send_errors=prober.send_errors,
            rounds=scan.rounds.rounds,
            pace=scan.pace.changes,
            seconds=(scan.ended_ns - scan.began_ns) / 1e9,
            partial=ended,
            doubt=_doubt(scan),
            silence=None if ended else silence(census, prober),
            server_saw=server_saw() if server_saw is not None else None,
        )


def _prober(
    path: Path,
    census: Census,
    method: Method,
    open_: ExitStack,
    record: BinaryIO | None,
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


@contextmanager
def _recorded(pcap: str | None) -> Iterator[BinaryIO | None]:
    """The file for all that passes. Raises UsageError if it cannot be opened."""
    if pcap is None:
        yield None
        return
    try:
        file = open(pcap, "wb")  # noqa: SIM115 (closed below)
    except OSError as refusal:
        raise UsageError(
            Text("{path} could not be written: {why}.", path=pcap, why=str(refusal.strerror)),
            remedy=Text("Name a file in a directory that exists and that you may write to."),
        ) from refusal
    with file:
        yield file


def _doubt(scan: Scan) -> Text | None:
    """Why the scan proves nothing of the ports without an answer; None if it does."""
    if scan.lost is not None:
        return scan.lost.what
    if scan.interrupted or scan.rounds.certain:
        return None
    return Text(
        "After {rounds} rounds answers were still being lost: about {missed} may be missing.",
        rounds=len(scan.rounds.rounds),
        missed=max(1, round(scan.rounds.expected_missed())),
    )


def _silence(census: Census, prober: Prober, reached: "Reached") -> Silence | None:
    """Why nothing answered, if nothing did."""
    if census.answered > len(census.rejections):
        return None
    from tcplab.analysis.scanning.guess import silence

    on_link = reached.route.gateway is None and not reached.path.local
    return silence(
        census,
        target=reached.address,
        source=reached.path.source,
        on_link=on_link,
        neighbour_failed=_nobody_there(reached),
        own_errors=prober.own_errors(),
    )


def _nobody_there(reached: "Reached") -> bool:
    """Has the kernel asked for the next hop's link address, and nobody has answered?"""
    from tcplab.kernel.neighbours import NeighbourState, next_hop

    deadline_s = time.monotonic() + _NEIGHBOUR_PATIENCE_S
    while True:
        try:
            state = next_hop(reached.address, reached.route)
        except OSError:  # a kernel that cannot be asked, or a link that is gone
            return False
        if state is not NeighbourState.INCOMPLETE or time.monotonic() >= deadline_s:
            return state.silent
        time.sleep(_NEIGHBOUR_PAUSE_S)


def _look_at_link(reached: "Reached") -> None:
    """Raises LinkLostError if the link by which the host was reached has no carrier any more."""
    from tcplab.kernel.routes import route_to

    try:
        now = route_to(reached.address, interface=reached.path.scope).link
    except OSError:
        now = None
    if now is None or not (now.up and now.carrier):
        raise LinkLostError(
            Text(
                "The way to {address} by {interface} was lost in mid-scan: {why}.",
                address=reached.address,
                interface=reached.path.interface,
                why=Text("the link is down"),
            ),
            remedy=Text(
                "Mend the link and scan again: {command}",
                command=f"ip link show {reached.path.interface}",
            ),
        )


def _check_privilege(method: Method, *, records: bool) -> None:
    """Raises PrivilegeError where the scan of a real host needs CAP_NET_RAW and this process lacks
    it.
    """
    from tcplab.kernel.privilege import Capability, holds

    if (method is Method.SYN or records) and not holds(Capability.NET_RAW):
        raise _no_privilege(method)


def _no_privilege(method: Method) -> PrivilegeError:
    from tcplab.kernel.privilege import sudo

    if method is Method.CONNECT:
        return PrivilegeError(
            Text("Hearing the packets of a real host needs CAP_NET_RAW."),
            remedy=Text("Run: {command}   (or omit --pcap and --ladder)", command=sudo()),
        )
    return PrivilegeError(
        Text("A SYN scan of a real host needs CAP_NET_RAW."),
        remedy=Text(
            "Run: {command}   (or add --connect, which needs no privilege)", command=sudo()
        ),
    )
