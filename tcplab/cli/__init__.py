"""The command line: parse, call, render.

Start-up is a feature: nothing here imports a command before it is asked for.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from tcplab import __version__
from tcplab.cli.translated import Option, language_option, say_of, translate_click
from tcplab.errors import Exit, UsageError
from tcplab.render.language import Language, from_environment, speaker
from tcplab.text import Text

COMMANDS = {
    "handshake": Text("Open and close one connection, and see every segment with both states."),
    "teardown": Text("End a connection in each of the ways there are."),
    "run": Text("Play scenarios: every way in which a connection lives, falls silent and dies."),
    "scan": Text("Find open ports: SYN scan and connect scan, side by side."),
    "reset": Text(
        "Interfere: inject RST, SYN, FIN or data into a live connection, and see why it mostly "
        "fails."
    ),
    "half-open": Text(
        "Half-open connections: SYNs without an ACK, a SYN flood, and the cookie against it."
    ),
    "doctor": Text("Check what this machine can do, and how to mend what it cannot."),
}
"""Each command has a module of its name, and in it a click command of its name; in both an
underscore stands for each dash.
"""


class Commands(click.Group):
    """Finds a command by importing its module, and lists them without."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command's module; None if there is no such command."""
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_")
        command = getattr(import_module(f"tcplab.cli.{module}"), module)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names. Raises UsageError, with a guess at it."""
        name = args[0]
        if name in COMMANDS or ctx.resilient_parsing or name.startswith("-"):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        remedy = Text("See {command}.", command="tcplab --help")
        if meant := get_close_matches(name, COMMANDS, 1):
            remedy = Text("Did you mean {command}?", command=f"tcplab {meant[0]}")
        raise UsageError(Text("There is no command named {name}.", name=repr(name)), remedy=remedy)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, from the table."""
        say = say_of(ctx)
        with formatter.section(say(Text("Commands"))):
            formatter.write_dl([(name, say(what)) for name, what in COMMANDS.items()])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What tcplab is."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(
                say_of(ctx)(
                    Text(
                        "See TCP: real connections on a real Linux kernel, with the state that "
                        "both kernels really had beside every segment. Without a HOST everything "
                        "runs in a "
                        "testbed that exists for milliseconds and needs no root."
                    )
                )
            )


@click.group(
    cls=Commands,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(
    __version__,
    "-V",
    "--version",
    cls=Option,
    message="tcplab %(version)s",
    help=Text("Show the version and exit."),
)
@language_option
@click.pass_context
def tcplab(ctx: click.Context) -> None:
    """See `Commands.format_help_text`. Without a command it is what helps to find one."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        ctx.exit(Exit.USAGE)


def language_of(arguments: Sequence[str]) -> Language:
    """The language asked for: by the last --lang on the line (help is said in it too), else the
    locale.

    A wrong --lang is reported by click when it parses the line.
    """
    language = None
    for at, argument in enumerate(arguments):
        value = None
        if argument == "--lang" and at + 1 < len(arguments):
            value = arguments[at + 1]
        elif argument.startswith("--lang="):
            value = argument.removeprefix("--lang=")
        if value in {language.value for language in Language}:
            language = Language(value)
    return language or from_environment(os.environ)


def main() -> None:
    """Run the command line and end the process with its exit status."""
    from tcplab.cli.ending import heed_signals, last_status_of, open_closed_streams

    open_closed_streams()
    arguments = sys.argv[1:]
    language = language_of(arguments)
    translate_click(language)
    say = speaker(language)

    def run() -> object:
        heed_signals()  # here, where one that comes at once is a status and no traceback
        return tcplab.main(arguments, "tcplab", standalone_mode=False, obj=say)

    sys.exit(last_status_of(run, say))
