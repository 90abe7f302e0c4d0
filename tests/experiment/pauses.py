"""A shared machine stands still at times, and then what waits for a kernel's timer comes out
otherwise. The timeline itself shows it; such a run is played again.
"""

import time
from collections.abc import Callable
from itertools import pairwise

from tcplab.scenario.calls import Accept, Connect, Read
from tcplab.scenario.steps import At, Pause, Scenario
from tcplab.timeline.timeline import Timeline, effect_ns

DELAYED_ACK_NS = 40_000_000
"""Linux sends a delayed ACK by itself then (TCP_DELACK_MIN, include/net/tcp.h)."""
_SYN_ACK_NS = 1_000_000_000
"""A SYN, or a SYN, ACK, is sent again then, whatever rto_min says (TCP_TIMEOUT_INIT)."""
_BETWEEN_PAUSES_NS = 350_000_000
"""A middlebox of the catalogue that forgets idle flows does so after half a second at the least;
before it is to, nobody there is silent for longer than a tenth.
"""
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


def lasted_as_long_as_a_syn(timeline: Timeline) -> bool:
    """Did all of it take so long that a SYN, ACK that nobody acknowledged may have fallen due?"""
    return lasted_ns(timeline) > 0.95 * _SYN_ACK_NS


def own_pauses_ns(scenario: Scenario) -> int:
    """For how long it waits by itself: pauses, and calls that are to wait in vain."""
    pauses_s = [step.seconds for step in scenario.steps if isinstance(step, Pause)]
    in_vain_s = [
        step.call.within_s or 0.0
        for step in scenario.steps
        if isinstance(step, At) and isinstance(step.call, Accept | Connect | Read)
        if step.result == "EAGAIN"
    ]
    return round(sum((*pauses_s, *in_vain_s)) * 1e9)


def stood_still_in(scenario: Scenario, timeline: Timeline) -> bool:
    """Did a run that hangs on no kernel timer take so much longer than it has to that one fell due,
    or something that it counts on happening between two of its pauses?
    """
    pauses_ns = own_pauses_ns(scenario)
    spare_ns = _BETWEEN_PAUSES_NS if pauses_ns else 0.95 * _SYN_ACK_NS
    return lasted_ns(timeline) - pauses_ns > spare_ns


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
