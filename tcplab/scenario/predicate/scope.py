"""What a predicate can speak of where it stands."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """These hosts, these connections, and maybe a segment."""

    hosts: Collection[str]
    conns: Collection[str]
    segment: bool
