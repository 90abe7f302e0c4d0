"""Which options of `tcplab reset` go together: the table of what means something decides."""

from collections.abc import Iterable
from typing import Any

import click

from tcplab.cli.given import not_together
from tcplab.errors import UsageError
from tcplab.scenario.attacks.attack import (
    COMBINATIONS,
    MOST_TIMES,
    Aim,
    Attack,
    Combination,
    Weapon,
    aims,
    combination,
)
from tcplab.text import Text

_MOST_DIGITS = 9
_OF_A_LADDER = ("--seq", "--filter", "--verbose", "--save", "--pcap", "--svg", "--force", "--trace")


class TimesType(click.ParamType[int]):
    """How often the forged segment comes."""

    name = "times"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """1 … MOST_TIMES. Raises UsageError for anything else."""
        if isinstance(value, int):
            return value
        written = value.isascii() and value.isdecimal() and len(value) < _MOST_DIGITS
        if written and 1 <= int(value) <= MOST_TIMES:
            return int(value)
        raise UsageError(
            Text("--times cannot be {times}.", times=repr(value)),
            remedy=Text("Give --times a number from 1 to {most}.", most=MOST_TIMES),
        )


def check(asked: Attack, given: Iterable[str]) -> None:
    """Raises UsageError for what means nothing together, and names what does. `given` are the
    options on the command line.
    """
    found = combination(asked.weapon, asked.aim)
    weapon, aim = asked.weapon.value, asked.aim.value
    if found is None:
        raise UsageError(
            Text("--with {weapon} --aim {aim} means nothing.", weapon=weapon, aim=aim),
            remedy=Text(
                "With {weapon} there are: {aims}. See tcplab reset --help.",
                weapon=weapon,
                aims=", ".join(f"--aim {each.value}" for each in aims(asked.weapon)),
            ),
        )
    if asked.at not in found.ends:
        raise UsageError(
            Text(
                "--with {weapon} --aim {aim} is not for the {end}.",
                weapon=weapon,
                aim=aim,
                end=asked.at,
            ),
            remedy=Text("Give --at {ends}, or omit it.", ends=found.ends[0]),
        )
    for option, wanted, means in (
        ("--times", asked.times > 1, "repeats"),
        ("--tls", asked.tls, "tls"),
        ("--steal", asked.steal, "heard"),
    ):
        if wanted and not getattr(found, means):
            raise _alone(option, asked, [each for each in COMBINATIONS if getattr(each, means)])
    if asked.is_guess:
        for option in _OF_A_LADDER:
            if option in given:
                raise not_together(option, "--aim blind")


def _alone(option: str, asked: Attack, others: list[Combination]) -> UsageError:
    """The option means nothing there; it does with those others."""
    return UsageError(
        Text(
            "{option} means nothing with --with {weapon} --aim {aim}.",
            option=option,
            weapon=asked.weapon.value,
            aim=asked.aim.value,
        ),
        remedy=_where(others),
    )


def _where(others: list[Combination]) -> Text:
    """Those combinations: what they all lack, where that is shorter than a list of them."""
    weapons = [each for each in Weapon if each not in {other.weapon for other in others}]
    lacking = [each for each in Aim if each not in {other.aim for other in others}]
    rest = [c for c in COMBINATIONS if c.weapon not in weapons and c.aim not in lacking]
    if rest == others and len(weapons) + len(lacking) < len(others):
        return Text(
            "It does with everything but: {exceptions}.",
            exceptions=", ".join(
                [
                    *(f"--with {each.value}" for each in weapons),
                    *(f"--aim {each.value}" for each in lacking),
                ]
            ),
        )
    return Text(
        "It does with: {others}.",
        others=", ".join(f"{each.weapon.value} {each.aim.value}" for each in others),
    )
