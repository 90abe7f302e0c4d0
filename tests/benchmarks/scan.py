"""`tcplab scan` against nmap, whole processes, interleaved pairs on one veth link: medians, ratios.

.venv/bin/python -m tests.benchmarks.scan [RUNS] [CASE...]     (root, nmap and nft; default 11 runs)
.venv/bin/python -m tests.benchmarks.scan contrast [CAP_S]     (what each says where the path loses)
"""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from tcplab.scenario.services import Services
from tcplab.testbed.direct import DirectTestbed
from tests.testbed import nft

TCPLAB = os.path.join(os.path.dirname(sys.executable), "tcplab")
OPEN = (22, 80, 443, 8080, 50000)
HUNDRED = range(1000, 1100)
MEMORY_MIB = 60


def nothing() -> None:
    """No firewall."""


@dataclass(frozen=True)
class Case:
    """What both do, and the most that tcplab may take of nmap's time."""

    method: str
    rules: Callable[[], object]
    bar: float


CASES = {
    "syn": Case("syn", nothing, 0.65),
    "filtered": Case("syn", lambda: nft.drop_ports(HUNDRED), 0.2),
    "connect": Case("connect", nothing, 0.75),
}
CONTRAST: dict[str, Callable[[], object]] = {
    "clean": nothing,
    "100 filtered": lambda: nft.drop_ports(HUNDRED),
    "5 % loss each way": lambda: nft.lose(5),
    "20 % loss each way": lambda: nft.lose(20),
    "100 filtered, 5 % loss": lambda: (nft.drop_ports(HUNDRED), nft.lose(5)),
    "100 admin-prohibited": lambda: nft.reject_ports(HUNDRED),
    "all else dropped": lambda: nft.only_open(OPEN),
}


def tcplab(address: str, method: str) -> list[str]:
    """The same job for tcplab: every port, as fast as it goes."""
    said = ["--rate", "max", "--authorized", "own testbed"]
    return [TCPLAB, "scan", address, "-p", "-", f"--{method}", *said]


def nmap(address: str, method: str, *more: str) -> list[str]:
    """… and for nmap: no names, no host discovery."""
    return ["nmap", "-sS" if method == "syn" else "-sT", "-n", "-Pn", "-p1-65535", *more, address]


def run(command: list[str], cap_s: float = 600) -> tuple[float, float, str]:
    """(wall seconds, MiB at most, standard output) of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        output, _ = process.communicate(timeout=cap_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return time.perf_counter() - began, 0, ""
    return time.perf_counter() - began, 0, output.decode()


def memory(command: list[str]) -> float:
    """The most memory that the process had at once, in MiB."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _pid, _status, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return usage.ru_maxrss / 1024


def compare(name: str, runs: int) -> None:
    """One line for the case."""
    case = CASES[name]
    services = Services(open=OPEN, filtered=(), rejected=())
    with closing(DirectTestbed(services=services, rootless=False)) as testbed:
        with testbed.inside("server"):
            case.rules()
        address = testbed.ip("server")
        with testbed.inside("client"):
            pairs = []
            for at in range(runs + 1):
                ours = run(tcplab(address, case.method))[0]
                theirs = run(nmap(address, case.method))[0]
                if at:  # the first pair only warms the caches
                    pairs.append((ours, theirs))
            mib = memory(tcplab(address, case.method))
    ours, theirs = (statistics.median(each) for each in zip(*pairs, strict=True))
    by_pair = statistics.median(one / other for one, other in pairs)
    print(
        f"{name:9} tcplab {ours:6.3f} s, nmap {theirs:6.3f} s: {ours / theirs:.2f} of medians, "
        f"{by_pair:.2f} median of pairs (at most {case.bar}); {mib:.0f} MiB (at most {MEMORY_MIB})",
        flush=True,
    )


def says(output: str) -> str:
    """The counts that either program prints."""
    if not output:
        return "nothing within the cap"
    opened = len(re.findall(r"^ *\d+(?:/tcp +open|  .*SYN, ACK)", output, re.MULTILINE))
    shown = re.findall(
        r"Not shown: (.*)|^ *([\d,]+ (?:closed|filtered|rejected).*)", output, re.MULTILINE
    )
    return "; ".join([f"{opened} open", *(one or other for one, other in shown)])


def contrast(cap_s: float) -> None:
    """What tcplab and nmap (as it comes, and -T5) answer in each of the cases."""
    for name, rules in CONTRAST.items():
        services = Services(open=OPEN, filtered=(), rejected=())
        with closing(DirectTestbed(services=services, rootless=False)) as testbed:
            with testbed.inside("server"):
                rules()
            address = testbed.ip("server")
            with testbed.inside("client"):
                print(f"{name}:")
                for label, command in {
                    "tcplab": tcplab(address, "syn"),
                    "nmap": nmap(address, "syn"),
                    "nmap -T5": nmap(address, "syn", "-T5"),
                }.items():
                    taken, _, output = run(command, cap_s)
                    print(f"  {label:9} {taken:6.2f} s  {says(output)}", flush=True)


def main() -> None:
    """See the top."""
    words = sys.argv[1:]
    if words[:1] == ["contrast"]:
        contrast(float(words[1]) if len(words) > 1 else 120)
        return
    runs = int(words.pop(0)) if words and words[0].isdigit() else 11
    print(f"{runs} interleaved pairs, 65,535 ports, whole processes, {os.cpu_count()} processors")
    for name in words or CASES:
        compare(name, runs)


if __name__ == "__main__":
    main()
