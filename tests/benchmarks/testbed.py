"""How long a testbed takes to come up, and one step with both ends sampled.

.venv/bin/python -m tests.benchmarks.testbed [RUNS]
"""

import statistics
import sys
import time
from contextlib import closing
from dataclasses import replace

from tcplab.experiment.conductor import Conductor
from tcplab.scenario.calls import Read, Send
from tcplab.scenario.shipped import handshake
from tcplab.scenario.steps import At
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.testbed.plan import Family
from tcplab.timeline.events import SegmentEvent

LINES = 200


def chatter():
    """The handshake's opening, then many lines: each is a segment and its ACK."""
    scenario = handshake(b"hello\n")
    lines = [At(host="client", call=Send(b"x")), At(host="server", call=Read())] * LINES
    steps = (*scenario.steps[:3], *lines, *scenario.steps[3:])
    return replace(scenario, name="chatter", steps=steps)


def main() -> None:
    """Print medians for both families."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    rootless: bool | None = True  # the first enters a user namespace, the others are in it
    scenario = chatter()
    for family in Family:
        up_ms, step_us = [], []
        for _ in range(runs):
            began = time.perf_counter()
            testbed = NamespaceTestbed(family=family, settings=scenario.hosts, rootless=rootless)
            up_ms.append((time.perf_counter() - began) * 1e3)
            rootless = None
            with closing(testbed):
                timeline = Conductor(
                    testbed, scenario, {"a": testbed.reserve(80)}, command=("benchmark",)
                ).run()
            delivered = [
                event.delivered_ns
                for event in timeline.events
                if isinstance(event, SegmentEvent) and event.step in ("data", "ack")
            ]
            # A data segment and the ACK it causes are two steps with nothing between them.
            gaps = [b - a for a, b in zip(delivered[::2], delivered[1::2], strict=False)]
            step_us.append(statistics.median(gaps) / 1e3)
        print(
            f"{family.name}: testbed up {statistics.median(up_ms):.1f} ms (at most 15), "
            f"one step with both ends sampled {statistics.median(step_us):.0f} µs (at most 200); "
            f"medians of {runs} testbeds"
        )


if __name__ == "__main__":
    main()
