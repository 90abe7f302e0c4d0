"""The frame decoder against Scapy's dissection of the same frame, interleaved.

.venv/bin/python -m tests.benchmarks.decode
"""

import statistics
import time

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize, SackPermitted, WindowScale
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire import codec
from tcplab.wire.frame import Link, decode

ROUNDS, REPEATS = 11, 300


def microseconds(function) -> float:
    """The mean of one round."""
    began = time.perf_counter()
    for _ in range(REPEATS):
        function()
    return (time.perf_counter() - began) / REPEATS * 1e6


def main() -> None:
    """Print both medians and their ratio."""
    packet = codec.craft(
        Segment(
            src=Address("192.0.2.1", 40000),
            dst=Address("192.0.2.2", 80),
            seq=Seq(1),
            flags=Flags.SYN,
            wnd_octets=64240,
            options=(MaximumSegmentSize(1460), SackPermitted(), WindowScale(7)),
        )
    )
    from scapy.layers.inet import IP

    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(microseconds(lambda: decode(packet, link=Link.NONE)))
        theirs.append(microseconds(lambda: IP(packet)["TCP"].options))
    own, scapy = statistics.median(ours), statistics.median(theirs)
    print(f"decode {own:.1f} µs, Scapy {scapy:.1f} µs: {scapy / own:.0f} times as fast")


if __name__ == "__main__":
    main()
