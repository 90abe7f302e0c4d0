"""How long a scan takes, before and while it runs; and why nobody answered."""

from collections.abc import Iterable

from tcplab.analysis.scanning.census import Census, Rejection
from tcplab.analysis.scanning.report import Silence

_NO_WAY = frozenset(
    {(4, 3, code) for code in (0, 1, 5, 6, 7, 8, 11, 12)}  # RFC 792, RFC 1812 §5.2.7.1
    | {(6, 1, code) for code in (0, 2, 3)}  # RFC 4443 §3.1
)
"""(version, type, code): it did not get to the host. The other codes are decisions about ports."""


def estimate(ports: int, pps: int | None) -> float | None:
    """At least so many seconds: one probe to each port. None at "max", which nobody knows yet."""
    return ports / pps if pps else None


def left(
    *, ports: int, answered: int, probes: int, sent: int, to_come: int, pps: float, quiet_s: float
) -> float | None:
    """About how many seconds are left; None as long as there is nothing to go by.

    `answered` of all `ports` have answered; of the `probes` of this round `sent` have left, at
    `pps` a second. After it `to_come` more rounds are expected, to those who stay silent: where
    this is the first one, the share that answered so far is taken for the rest too. Every round
    ends with `quiet_s` seconds in which nothing comes.
    """
    if not sent or pps <= 0:
        return None
    first = probes >= ports
    silent = ports * max(0.0, 1 - answered / sent) if first else float(ports - answered)
    if silent < 1:
        return (probes - sent) / pps
    return (probes - sent + silent * to_come) / pps + quiet_s * (to_come + 1)


def silence(
    census: Census,
    *,
    target: str,
    source: str,
    on_link: bool,
    neighbour_failed: bool = False,
    is_up: bool = False,
    own_errors: Iterable[Rejection] = (),
) -> Silence | None:
    """Why nothing answered; None if the target, or a filter before it, did say something.

    `on_link` says that it is reached without a router, `neighbour_failed` that the kernel gave up
    asking for the link address of the next hop (the target itself, or the router to it).
    `is_up` says that the target has just answered for its address, or is this machine itself.
    `own_errors` are reports of this machine's kernel about probes that could not leave; it also
    sends them as ICMP errors from its own address, `source`.
    """
    if census.answered > len(census.rejections):
        return None
    reports = set(census.rejections.values())
    if any(report.reporter == target != source or not _no_way(report) for report in reports):
        return None
    own = {report for report in reports if report.reporter == source}
    failed = neighbour_failed or bool(own) or any(map(_no_way, own_errors))
    if on_link and failed:
        return Silence.DOWN
    if reports or failed:
        return Silence.UNREACHABLE
    return Silence.FILTERED if is_up else Silence.DOWN_OR_FILTERED


def _no_way(rejection: Rejection) -> bool:
    return (rejection.version, rejection.type, rejection.code) in _NO_WAY
