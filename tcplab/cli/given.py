"""What the user typed, and not what is there by default."""

from dataclasses import dataclass

import click

from tcplab.errors import UsageError
from tcplab.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options that stand on the command line, by their long names, and the HOST."""

    host: str | None
    options: frozenset[str]

    def __contains__(self, option: str) -> bool:
        return option in self.options


def given(ctx: click.Context, host: str | None = None) -> Given:
    """What the user typed."""
    return Given(
        host=host,
        options=frozenset(
            param.opts[-1]
            for param in ctx.command.params
            if isinstance(param, click.Option)
            and param.name is not None
            and ctx.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE
        ),
    )


def not_together(one: str, other: str) -> UsageError:
    """Two options, each of which is fine without the other."""
    return UsageError(
        Text("{one} and {other} cannot be used together.", one=one, other=other),
        remedy=Text("Omit one of them."),
    )
