"""Hosts to scan that consist of numbers: who answers, what is lost, what is limited."""

from dataclasses import dataclass
from itertools import count
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
    fallen_silent: bool


def scan(random, *, answering, silent=0, arrives=1.0, at_most=ALL, room=None, away=()):
    """One scan. A probe brings an answer with probability `arrives`, at most `at_most` a round.

    The first round finds room for `room` answers only. In the rounds `away` nobody is there; if
    that is so in the first one, it is in the midst of it, and half of the ports were asked by then.
    """
    rounds = Rounds(icmp_limited=False)
    rounds.measured(MS // 10)
    left, answered, probes, now_ns = answering, 0, 0, 0
    for number in count():
        again = rounds.controls(answered) if number else 0
        asked, mute = (0, 0) if rounds.knocking else (left, silent)
        rounds.begin(asked + mute + again, now_ns, again=again)
        probes += asked + mute + again
        most = at_most if number not in away else 0 if number else answering // 2
        came = min(binomial(random, asked, arrives), most)
        dropped = max(0, came - room) if room is not None and not rounds.rounds else 0
        came -= dropped
        left, answered, now_ns = left - came, answered + came, now_ns + rounds.quiet_for_ns()
        once_more = min(binomial(random, again, arrives), most - came)
        rounds.end(came, now_ns, drops=dropped, again=once_more)
        if not rounds.another(left + silent):
            break
    return Outcome(
        missed=left,
        rounds=len(rounds.rounds),
        probes=probes,
        certain=rounds.certain,
        fallen_silent=rounds.fallen_silent,
    )


def scans(seed, runs, **host):
    random = Random(seed)
    return [scan(random, **host) for _ in range(runs)]
