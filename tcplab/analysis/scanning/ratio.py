"""Answers a probe, before and after: is it fewer, or is it chance?"""

from dataclasses import dataclass
from math import log

_CHANCE = 1e-6
_WORTH_NOTING = 0.8
"""A path that loses a tenth more is left to the next round; slowing for that costs more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Probes that were sent in some time, and the answers that came in it."""

    probes: int = 0
    answers: int = 0

    def __add__(self, other: "Sample") -> "Sample":
        return Sample(probes=self.probes + other.probes, answers=self.answers + other.answers)

    def faded(self) -> "Sample":
        """With seven eighths of its weight: what was long ago counts less."""
        return Sample(probes=self.probes * 7 // 8, answers=self.answers * 7 // 8)

    def seems_fewer_than(self, other: "Sample") -> bool:
        """Does a share answer that is smaller than in `other` by a fifth, be it by chance?"""
        if not (other.answers and self.probes and other.probes):
            return False
        return self.answers * other.probes <= _WORTH_NOTING * other.answers * self.probes

    def fewer_than(self, other: "Sample", *, chance: float = _CHANCE) -> bool:
        """Is the share smaller by a fifth, and so surely that it is rarer than `chance` if not?

        It is the likelihood ratio of two binomial distributions against one: e^-ratio bounds how
        probable such a difference is by chance, for a handful of answers as for thousands.
        """
        if not self.seems_fewer_than(other):
            return False
        apart = _log_likelihood(self) + _log_likelihood(other)
        return apart - _log_likelihood(self + other) > -log(chance)


def _log_likelihood(sample: Sample) -> float:
    """Of its share, where that is the true one. Answers beyond its probes are to earlier ones."""
    answered = min(sample.answers, sample.probes)
    return _weighed(answered, sample.probes) + _weighed(sample.probes - answered, sample.probes)


def _weighed(part: int, whole: int) -> float:
    return part * log(part / whole) if part else 0.0
