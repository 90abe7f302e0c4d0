"""What may be typed for a scenario, a group and a number of runs, and how a shell completes it."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from tcplab.errors import UsageError
from tcplab.text import Text

_MOST = 1000
"""Runs of each scenario: beyond them nobody waits."""


class RepeatType(click.ParamType[int]):
    """How often to play."""

    name = "times"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """1 … _MOST. Raises UsageError for anything else."""
        if isinstance(value, int):
            return value
        if value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= _MOST:
            return int(value)
        raise UsageError(
            Text("--repeat cannot be {times}.", times=repr(value)),
            remedy=Text("Give --repeat a number, 1 to {most}.", most=_MOST),
        )


class NameType(click.ParamType[str]):
    """A scenario of the catalogue, or a file."""

    name = "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Those of the catalogue that begin so; else files."""
        from tcplab.scenario import catalogue

        found = [CompletionItem(name) for name in catalogue.names() if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


class GroupType(click.ParamType[str]):
    """A group of the catalogue."""

    name = "group"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Those that begin so."""
        from tcplab.scenario import catalogue

        names = [group.name for group in catalogue.groups()]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]
