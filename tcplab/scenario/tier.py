"""How far a scenario goes, and so where it may be played."""

from enum import Enum, unique

from tcplab.scenario.steps import On, Scenario


@unique
class Tier(Enum):
    """The safety tiers that a scenario can have."""

    PROBE = "probe"
    """Its applications only call and wait."""
    DISRUPT = "disrupt"
    """Something is done to the wire or to whole hosts: nowhere but in tcplab's own testbed."""


def tier(scenario: Scenario) -> Tier:
    """The tier of its highest step."""
    disrupts = any(isinstance(step, On) for step in scenario.steps)
    return Tier.DISRUPT if disrupts else Tier.PROBE
