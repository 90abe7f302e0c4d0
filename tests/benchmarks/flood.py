"""Building and sending 10,000 forged SYNs, the server's kernel included: at most 0.3 s.

.venv/bin/python -m tests.benchmarks.flood [RUNS]     (default 11 runs of each IP version)
"""

import statistics
import sys
import time
from contextlib import closing

from tcplab.analysis.flooding.settings import FloodSettings
from tcplab.experiment.flood import hosts
from tcplab.scenario.services import Services
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import SPOOFED, Family
from tcplab.wire.burst.flood import Flood
from tcplab.wire.burst.spoofing import SpoofedSyns
from tests.live import forked

FRAMES = 10_000
BAR_S = 0.3


def once(family: Family) -> float:
    """The seconds that one flood took, from nothing to the last frame."""
    testbed = DirectTestbed(
        family=family,
        services=Services(open=(80,)),
        rootless=True,
        others=("client", "attacker"),
        settings=hosts(FloodSettings()),
        backlogs={80: FloodSettings().backlog},
        spoofer="attacker",
    )
    with closing(testbed):
        path = testbed.path("attacker")
        began = time.perf_counter()
        syns = SpoofedSyns(SPOOFED[family], path.destination, 80)
        with closing(Flood(path, syns.template, syns.fields, frames=FRAMES)) as flood:
            while not flood.over:
                flood.send()
            taken = time.perf_counter() - began
        assert (flood.sent, flood.errors) == (FRAMES, 0)
    return taken


def main() -> None:
    """See the top."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    for family in Family:
        taken = [forked(once, family) for _ in range(runs)]
        print(
            f"{family.name}: {FRAMES:,} SYNs built and sent in {statistics.median(taken):.3f} s "
            f"(median of {runs}; worst {max(taken):.3f} s; at most {BAR_S} s)"
        )


if __name__ == "__main__":
    main()
