"""A shared machine stands still at times, and then what waits for a kernel's timer comes out
otherwise. The timeline itself shows it; such a run is played again.
"""

import time
from collections.abc import Callable
from itertools import pairwise

from tcplab.timeline.timeline import Timeline, effect_ns

DELAYED_ACK_NS = 40_000_000
"""Linux sends a delayed ACK by itself then (TCP_DELACK_MIN, include/net/tcp.h)."""
_SYN_ACK_NS = 1_000_000_000
"""A SYN, or a SYN, ACK, is sent again then, whatever rto_min says (TCP_TIMEOUT_INIT)."""
_PATIENCE_S = 180.0


def longest_gap_ns(timeline: Timeline) -> int:
    """For how long nothing happened, at most."""
    at_ns = [effect_ns(act) for act in timeline.told()]
    return max((later - earlier for earlier, later in pairwise(at_ns)), default=0)


def lasted_ns(timeline: Timeline) -> int:
    """From the first act to the last."""
    at_ns = [effect_ns(act) for act in timeline.told()]
    return max(at_ns, default=0) - min(at_ns, default=0)


def acks_fell_due(timeline: Timeline) -> bool:
    """Did this process stand still for so long that a delayed ACK may have fallen due?"""
    return longest_gap_ns(timeline) > DELAYED_ACK_NS / 2


def syns_fell_due(timeline: Timeline) -> bool:
    """Or for so long that a SYN may have?"""
    return longest_gap_ns(timeline) > 0.95 * _SYN_ACK_NS


def undisturbed(
    play: Callable[[bool | None], Timeline],
    disturbed: Callable[[Timeline], bool],
    *,
    rootless: bool | None,
) -> Timeline:
    """What `play(rootless)` gives, the first time that it was not `disturbed`.

    A process enters a user namespace once: after the first try the same is meant by None.
    """
    end_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end_s:
        timeline = play(rootless)
        if not disturbed(timeline):
            return timeline
        rootless = None if rootless else rootless
    raise AssertionError(f"the machine stood still in every run for {_PATIENCE_S:.0f} s")
