"""How long somebody waited between one try and the next."""

from collections.abc import Sequence
from itertools import pairwise

from tcplab.text import Text, verbatim


def between(times_ns: Sequence[int]) -> tuple[int, ...]:
    """The waits between these moments, in ns."""
    return tuple(after - before for before, after in pairwise(times_ns))


def back_off(waits_ns: Sequence[int]) -> Text:
    """Does each wait last twice as long as the one before (RFC 6298 §5.5), give or take a fifth?

    Empty if not, or if there are too few to tell.
    """
    ratios = [after / before for before, after in pairwise(waits_ns) if before]
    if ratios and all(1.6 <= ratio <= 2.4 for ratio in ratios):
        return Text(": each wait twice the one before, the back-off of RFC 6298")
    return verbatim("")
