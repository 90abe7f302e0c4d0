"""When a scanned host is silent: what this machine's kernel knows of it, and of the way there."""

import time
from collections.abc import Iterable

from tcplab.analysis.scanning.census import Census, Rejection
from tcplab.analysis.scanning.guess import silence
from tcplab.analysis.scanning.report import Silence
from tcplab.kernel.neighbours import NeighbourState, next_hop
from tcplab.kernel.routes import has_address, link_at
from tcplab.testbed.reach import Reached
from tcplab.text import Text
from tcplab.wire.burst.link import lost
from tcplab.wire.burst.path import Path

_PATIENCE_S, _PAUSE_S = 4.0, 0.01
"""Linux asks for a neighbour three times, a second apart (net.ipv4.neigh.*.retrans_time_ms)."""


def why_silent(census: Census, reached: Reached, own_errors: Iterable[Rejection]) -> Silence | None:
    """Why nothing answered, if nothing did. Waits until the kernel has asked for the neighbour."""
    if census.answered > len(census.rejections):
        return None
    local = reached.path.local
    on_link = reached.route.gateway is None and not local
    neighbour = _neighbour(reached)
    return silence(
        census,
        target=reached.address,
        source=reached.path.source,
        on_link=on_link,
        neighbour_failed=neighbour.silent,
        is_up=local or (on_link and neighbour is NeighbourState.REACHABLE),
        own_errors=own_errors,
    )


def _neighbour(reached: Reached) -> NeighbourState:
    """Has the next hop told the kernel its link address?"""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            state = next_hop(reached.address, reached.route)
        except OSError:  # a kernel that cannot be asked, or a link that is gone
            return NeighbourState.NONE
        if state is not NeighbourState.INCOMPLETE or time.monotonic() >= deadline_s:
            return state
        time.sleep(_PAUSE_S)


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
