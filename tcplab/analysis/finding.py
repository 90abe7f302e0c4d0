"""A finding: one claim about a timeline, with the events that prove it."""

from dataclasses import dataclass
from enum import Enum, unique

from tcplab.text import Text


@unique
class Verdict(Enum):
    """Does the claim hold?"""

    YES = "yes"
    NO = "no"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One claim. `id` never changes ("open.three-way"); `sentence` says it to a person; `events`
    are the indices of the timeline's events that prove it, in order.
    """

    id: str
    verdict: Verdict
    sentence: Text
    events: tuple[int, ...] = ()
