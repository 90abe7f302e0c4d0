"""What may be typed for the numbers of a SYN flood."""

from typing import Any

import click

from tcplab.errors import RefusedError, UsageError
from tcplab.text import Text

_MOST_DIGITS = 9
_PLAIN = frozenset("0123456789.+-e")
_MOST_PLACES = 65_535
"""More no listen() takes on any Linux."""


def _whole(value: Any) -> int | None:
    """The number that stands there; None if it is none."""
    if isinstance(value, int):
        return value
    plain = value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
    return int(value) if plain else None


def _decimal(value: Any) -> float:
    """The number that stands there in digits; -1 if it is none. Python's own float() also takes
    underscores and the digits of every script.
    """
    try:
        return float(value) if not isinstance(value, str) or set(value) <= _PLAIN else -1.0
    except ValueError:
        return -1.0


class WholeType(click.ParamType[int]):
    """A whole number from `least` to `most`, of the option `name`."""

    name = "number"

    def __init__(self, option: str, *, least: int, most: int) -> None:
        self._option = option
        self._least = least
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Raises UsageError for anything else."""
        number = _whole(value)
        if number is not None and self._least <= number <= self._most:
            return number
        raise UsageError(
            Text("{option} cannot be {value}.", option=self._option, value=repr(value)),
            remedy=Text(
                "Give {option} a whole number, {least} to {most}.",
                option=self._option,
                least=self._least,
                most=self._most,
            ),
        )


def places(option: str) -> WholeType:
    """Places in a queue of the server's."""
    return WholeType(option, least=1, most=_MOST_PLACES)


class FramesType(click.ParamType[int]):
    """How many forged SYNs."""

    name = "frames"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Raises UsageError for what is no number of frames, RefusedError for too many."""
        from tcplab.analysis.flooding.settings import MOST_FRAMES

        number = _whole(value)
        digits = value.isascii() and value.isdigit() if isinstance(value, str) else True
        if number is not None and 1 <= number <= MOST_FRAMES:
            return number
        if digits and (number is None or number > MOST_FRAMES):
            raise RefusedError(
                Text("A flood of more than {most} frames is refused.", most=f"{MOST_FRAMES:,}"),
                remedy=Text(
                    "Give --frames 1 to {most}. The default, 400, fills the server's usual queue.",
                    most=MOST_FRAMES,
                ),
            )
        raise UsageError(
            Text("{option} cannot be {value}.", option="--frames", value=repr(value)),
            remedy=Text(
                "Give {option} a whole number, {least} to {most}.",
                option="--frames",
                least=1,
                most=MOST_FRAMES,
            ),
        )


class SecondsType(click.ParamType[float]):
    """How long a flood is watched."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Raises UsageError for what is no time, RefusedError for one that is too long."""
        from math import isfinite

        from tcplab.analysis.flooding.settings import MOST_SECONDS, TRY_EVERY_S

        most = f"{MOST_SECONDS:.0f}"
        seconds = _decimal(value)
        if TRY_EVERY_S <= seconds <= MOST_SECONDS:
            return seconds
        if isfinite(seconds) and seconds > MOST_SECONDS:
            raise RefusedError(
                Text("A flood of more than {most} s is refused.", most=most),
                remedy=Text("Give --seconds {most} at most.", most=most),
            )
        raise UsageError(
            Text("{option} cannot be {value}.", option="--seconds", value=repr(value)),
            remedy=Text(
                "Give --seconds a number, {least} to {most}.", least=TRY_EVERY_S, most=most
            ),
        )
