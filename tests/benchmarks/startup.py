"""Whole processes against what they must import, interleaved: medians, and ratios to the yardstick.

.venv/bin/python -m tests.benchmarks.startup [RUNS]
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

TCPLAB = str(Path(sys.executable).parent / "tcplab")
RICH = "import click, rich.console, rich.table; import time; time.sleep(0.04)"
PAIRS = {
    "tcplab --help": ([TCPLAB, "--help"], "import click", 1.6),
    "tcplab handshake --client kernel": (
        [TCPLAB, "handshake", "--client", "kernel"],
        RICH,
        1.5,
    ),
    "tcplab handshake": ([TCPLAB, "handshake"], "import scapy.layers.inet", 1.3),
}


def seconds(command: list[str]) -> float:
    """The wall time of one run of `command`, from fork to reaping."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print one line a pair."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    commands = {}
    for name, (command, yardstick, _bar) in PAIRS.items():
        commands[name] = command
        commands[yardstick] = [sys.executable, "-c", yardstick]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            taken = seconds(command)
            if run:  # the first round only warms the caches
                times[name].append(taken)
    print(f"medians of {runs} interleaved runs, whole processes")
    for name, (_command, yardstick, bar) in PAIRS.items():
        ours, theirs = (statistics.median(times[each]) for each in (name, yardstick))
        print(
            f"{name:34} {ours * 1e3:6.0f} ms = {ours / theirs:4.2f} × {theirs * 1e3:.0f} ms "
            f"(at most {bar}) python -c {yardstick!r}"
        )


if __name__ == "__main__":
    main()
