"""Hosts to scan that consist of numbers: who answers, what is lost, what is limited."""

from dataclasses import dataclass
from random import Random

from tcplab.analysis.scanning.rounds import Rounds

ALL = 65_535
MS = 1_000_000


def binomial(random, n, p):
    """How many of n: exactly where few are concerned, and by the normal distribution else."""
    if n > 2_000:
        return min(n, max(0, round(random.gauss(n * p, (n * p * (1 - p)) ** 0.5))))
    return sum(random.random() < p for _ in range(n))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    missed: int
    rounds: int
    probes: int
    certain: bool


def scan(random, *, answering, silent=0, arrives=1.0, at_most=ALL, with_controls=False, room=None):
    """One scan. A probe brings an answer with probability `arrives`, at most `at_most` a round.

    The first round finds room for `room` answers only.
    """
    rounds = Rounds(icmp_limited=False)
    rounds.measured(MS // 10)
    left, answered, probes, now_ns = answering, 0, 0, 0
    while True:
        again = rounds.controls(answered) if with_controls else 0
        rounds.begin(left + silent + again, now_ns, again=again)
        probes += left + silent + again
        came = min(binomial(random, left, arrives), at_most)
        dropped = max(0, came - room) if room is not None and not rounds.rounds else 0
        came -= dropped
        left, answered, now_ns = left - came, answered + came, now_ns + rounds.quiet_for_ns()
        rounds.end(came, now_ns, drops=dropped, again=binomial(random, again, arrives))
        if not rounds.another(left + silent):
            return Outcome(
                missed=left, rounds=len(rounds.rounds), probes=probes, certain=rounds.certain
            )


def scans(seed, runs, **host):
    random = Random(seed)
    return [scan(random, **host) for _ in range(runs)]
