"""How many ports would answer, and did not because all their probes or answers were lost.

A port that answers at all answers one probe with probability 1 - l; l is the loss there and back.
Of A ports that answered, a_1 did so in the first round, a_2 in the second, up to round k. Ports
still silent may have been unlucky every time (probability l^k for one that answers) or may never
answer: nothing tells them apart. So neither l nor their number is known, and neither is replaced
by one best guess: with five answers of five probes the loss is not known to be 0.

With every number of answering ports equally likely beforehand, those missed are distributed as

    P(M | l) ~ C(A + M, M) l^(kM),     with mean (A + 1) l^k / (1 - l^k),

which leaves of the loss, from the rounds in which the answers came (S failed probes before them),

    P(l | a) ~ P(l) (1 - l)^A l^S / (1 - l^k)^(A + 1).

The mean is integrated over that. P(l) is a Beta distribution that is worth ten probes, one of them
lost: it matters only as long as there is hardly anything else to go by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, expm1, log, log1p

_PRIOR_LOST, _PRIOR_ANSWERED = 1.0, 9.0
_STEPS = 80
_NEGLIGIBLE = 45.0
"""e^-45 of the highest density: times 65,535 ports it still is nothing."""
_SURPRISE = 1e-3
"""So improbable is it when random loss is given up as the explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Probes to ports that had answered before: they measure the loss, and nothing else."""

    asked: int = 0
    answered: int = 0

    def __add__(self, other: "Controls") -> "Controls":
        return Controls(asked=self.asked + other.asked, answered=self.answered + other.answered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The mean of what was lost: the share of probes without an answer, and the ports missed."""

    loss: float
    missed: float


def estimate(answers: Sequence[int], unanswered: int, controls: Sequence[Controls]) -> Estimate:
    """After rounds that brought `answers` each, `unanswered` ports were silent in all of them;
    `controls` were asked beside them, round by round.

    Where random loss cannot explain when the answers came, the later rounds speak for themselves.
    More came late than it explains (a path that was broken for a while, some ports behind a limit):
    the estimate is made again from there, and the greater one counts. Fewer came (a host that
    answered so many a round, and has answered all; or a path that loses more by now, which those
    rounds' own controls tell apart): what was before has nothing to say any more.
    """
    whole = _posterior(answers, unanswered, controls)
    missed, ended, rarest = whole.missed, 0, _SURPRISE
    rounds = len(answers)
    late = list(accumulate(reversed(answers)))[::-1]
    for first in range(1, rounds):
        expected = late[0] * _share_after(whole.loss, first, rounds)
        chance = _chance(late[first], expected)
        if late[first] > expected and chance < _SURPRISE:
            later = _posterior(answers[first:], unanswered, controls[first:])
            missed = max(missed, later.missed)
        elif chance < rarest:
            ended, rarest = first, chance
    if ended:
        missed = estimate(answers[ended:], unanswered, controls[ended:]).missed
    return Estimate(loss=whole.loss, missed=missed)


def _share_after(loss: float, first: int, rounds: int) -> float:
    """Of the answers that come in `rounds` rounds, the share that comes after the `first` ones."""
    return float((loss**first - loss**rounds) / (1 - loss**rounds))


def _chance(seen: int, expected: float) -> float:
    """At most so probable is as much as `seen`, or as little, in a Poisson distribution.

    It is Chernoff's bound, for both tails.
    """
    if not expected:
        return 0.0 if seen else 1.0
    return exp(seen - expected - (seen * log(seen / expected) if seen else 0))


def _posterior(answers: Sequence[int], unanswered: int, controls: Sequence[Controls]) -> Estimate:
    rounds, answered = len(answers), sum(answers)
    asked_again = sum(controls, Controls())
    if not rounds:
        return Estimate(loss=_PRIOR_LOST / (_PRIOR_LOST + _PRIOR_ANSWERED), missed=unanswered)
    tries = sum(number * count for number, count in enumerate(answers))
    lost = _PRIOR_LOST + tries + asked_again.asked - asked_again.answered
    came = _PRIOR_ANSWERED + answered + asked_again.answered

    def log_density(logit: float) -> float:
        """Of ln(l / (1 - l)), in which both very small losses and very great ones have room."""
        log_loss = -_softplus(-logit)
        return (
            lost * log_loss
            - came * _softplus(logit)
            - (answered + 1) * log(-expm1(rounds * log_loss))
        )

    total = loss = missed = 0.0
    for logit, weight in _weights(log_density):
        log_loss = -_softplus(-logit)
        never = exp(rounds * log_loss)
        total += weight
        loss += weight * exp(log_loss)
        missed += weight * min(unanswered, (answered + 1) * never / -expm1(rounds * log_loss))
    return Estimate(loss=loss / total, missed=missed / total)


def _softplus(x: float) -> float:
    """ln(1 + e^x), for any x."""
    return x + log1p(exp(-x)) if x > 0 else log1p(exp(x))


def _weights(log_density: Callable[[float], float]) -> list[tuple[float, float]]:
    """Where the density is worth summing up, in equal steps: (point, relative weight).

    With 65,535 answers it is a thousand times narrower than with five, so it is looked for first.
    """
    low, high = -60.0, 20.0
    while True:
        step = (high - low) / _STEPS
        points = [low + step * index for index in range(_STEPS + 1)]
        logs = [log_density(point) for point in points]
        top = max(logs)
        worth = [index for index, value in enumerate(logs) if value > top - _NEGLIGIBLE]
        if len(worth) > _STEPS // 3:
            return [(point, exp(value - top)) for point, value in zip(points, logs, strict=True)]
        low, high = points[max(worth[0] - 1, 0)], points[min(worth[-1] + 1, _STEPS)]
