"""Firewalls and losses in a host of a testbed, by the real netfilter: the nft program, run inside.

For tests that must not believe tcplab's own firewall. Every function is called where the host is
entered:

    with testbed.inside("server"):
        nft.drop_ports(range(1000, 1100))

Rules are for both IP versions, add up, and die with the namespace. No root is needed, but the nft
program, which CI installs.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path

_BEFORE_FILTERS = -200
_LIMITS_OF_ICMP = {
    # A mask of the types that are limited: none. The limits of one namespace and, where the machine
    # has those too (before Linux 6.13), of all together, ask it first (net/ipv4/icmp.c).
    "ipv4/icmp_ratemask": "0",
    "ipv4/icmp_ratelimit": "0",
    "ipv6/icmp/ratemask": "0",  # of the types 0 to 0, and there is no such message
    "ipv6/icmp/ratelimit": "0",
}


def drop_ports(ports: Iterable[int]) -> None:
    """Say nothing to TCP segments for these ports."""
    _rules(f"tcp dport {_set(ports)} drop")


def reject_ports(
    ports: Iterable[int], kind: str = "admin-prohibited", *, limited: bool = False
) -> None:
    """Answer TCP segments for these ports with an ICMP error of this kind (nft's icmpx types), each
    of them: the kernel's limits for ICMP errors are lifted in this namespace, unless `limited`.
    """
    for name, value in _LIMITS_OF_ICMP.items() if not limited else ():
        Path("/proc/sys/net", name).write_text(value)
    _rules(f"tcp dport {_set(ports)} reject with icmpx type {kind}")


def only_open(ports: Iterable[int]) -> None:
    """Say nothing to TCP segments for any other port."""
    _rules(f"meta l4proto tcp tcp dport != {_set(ports)} drop")


def lose(percent: float) -> None:
    """Lose so many of the TCP segments and ICMP errors to this host and from it, by chance.

    IPv6's neighbour discovery is spared.
    """
    chance = f"numgen random mod 10000 < {round(percent * 100)} drop"
    for hook in ("input", "output"):
        rules = (f"meta l4proto {{ tcp, icmp }} {chance}", f"icmpv6 type 1-4 {chance}")
        _rules(*rules, hook=hook, priority=_BEFORE_FILTERS)


def _set(ports: Iterable[int]) -> str:
    return "{ " + ", ".join(map(str, sorted(ports))) + " }"


def _rules(*rules: str, hook: str = "input", priority: int = 0) -> None:
    chain = f"{hook}_{priority + 1000}"
    lines = [
        "add table inet test",
        f"add chain inet test {chain} {{ type filter hook {hook} priority {priority}; }}",
        *(f"add rule inet test {chain} {rule}" for rule in rules),
    ]
    done = subprocess.run(
        ["nft", "-f", "-"], input="\n".join(lines) + "\n", text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
