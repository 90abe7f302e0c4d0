"""When a scanned host is silent: what this machine's kernel knows of it, and of the way there."""

import time
from collections.abc import Iterable

from tcplab.analysis.scanning.census import Census, Rejection
from tcplab.analysis.scanning.guess import silence
from tcplab.analysis.scanning.report import ScanReport, Silence
from tcplab.kernel.neighbours import Neighbour, NeighbourState, ask, ask_again, next_hop
from tcplab.kernel.routes import has_address, link_at
from tcplab.testbed.reach import Reached
from tcplab.text import Text
from tcplab.wire.burst.link import lost
from tcplab.wire.burst.path import Path

_PATIENCE_S, _PAUSE_S = 15.0, 0.01
"""Linux gives a neighbour five seconds to be heard of, and asks it three times, a second apart
(net.ipv4.neigh.*.delay_first_probe_time, ucast_solicit, retrans_time_ms); later, if it has much to
do."""


def why_silent(
    census: Census,
    reached: Reached,
    own_errors: Iterable[Rejection],
    *,
    began_ns: int,
    over: bool,
) -> Silence | None:
    """Why nothing answered, if nothing did, in a scan that began then.

    Waits until the kernel has asked for the neighbour; when the scan is `over`, also until it has
    asked one that it remembered, for that one may have left long ago.
    """
    if census.answered > len(census.rejections):
        return None
    local = reached.path.local
    on_link = reached.route.gateway is None and not local
    neighbour = _neighbour(reached, began_ns, over=over)
    return silence(
        census,
        target=reached.address,
        source=reached.path.source,
        on_link=on_link,
        neighbour_failed=neighbour.state.silent,
        is_up=local or (on_link and neighbour.answered_since(began_ns)),
        own_errors=own_errors,
    )


def _neighbour(reached: Reached, began_ns: int, *, over: bool) -> Neighbour:
    """Has the next hop told the kernel its link address, since then?

    The kernel forgets who did not answer when it tidies up (net/core/neighbour.c,
    neigh_periodic_work), so that one of whom nothing is known is asked for as well.
    """
    deadline_s = time.monotonic() + _PATIENCE_S
    may_ask, asked_again = over and not reached.path.local, False
    while True:
        try:
            found = next_hop(reached.address, reached.route)
            if found.answered_since(began_ns) or time.monotonic() >= deadline_s:
                return found
            if found.state.remembered and may_ask and not asked_again:
                asked_again = True
                ask_again(reached.address, reached.route)
            elif found.state is NeighbourState.NONE and may_ask:
                ask(reached.address, reached.route)
            elif not (
                found.state.being_asked if over else found.state is NeighbourState.INCOMPLETE
            ):
                return found
        except PermissionError:  # it may only be looked at
            return found
        except OSError:  # a kernel that cannot be asked, or a link that is gone
            return Neighbour(state=NeighbourState.NONE)
        time.sleep(_PAUSE_S)


def kept_back(report: ScanReport, frames_left: int) -> bool:
    """Has this machine kept its probes to itself, when nothing answered?

    connect() does not say so: where netfilter drops its SYN, the kernel tries again later. But the
    interface has counted the frames that left it meanwhile, whoever sent them, and if they are not
    half as many as the probes it is no driver that counts late.
    """
    unheard = report.silence in (Silence.FILTERED, Silence.DOWN_OR_FILTERED)
    return unheard and 2 * frames_left < report.sent


def check_link(path: Path) -> None:
    """Raises LinkLostError if the path's link is down or has no carrier any more, or if this
    machine has given up the address that the probes are from.

    Nobody else says so: what is sent to a link without a carrier vanishes without an error, and
    what is answered to an address that nobody has never arrives.
    """
    has_source = False
    try:
        with path.inside():
            link = link_at(path.link_index)
            has_source = has_address(path.source)
    except OSError:  # it is gone
        link = None
    if link is None or not link.works:
        raise lost(path, Text("the link is down"))
    if not has_source:
        why = Text("this machine has no longer the address {address}", address=path.source)
        raise lost(path, why)
