"""click commands whose help is said in the language of the reader.

Help is a `Text`, said when it is shown, so that importing a command decides nothing. click's own
words ("Usage", "Options") go through gettext's default domain, which `main` points at the same
catalogue.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from gettext import bindtextdomain, gettext, ngettext, textdomain
from typing import Any

import click

from tcplab.render.language import LOCALE, Language
from tcplab.text import Say, Text


def clicks_words() -> Iterator[str]:
    """What click itself says here, asked for as click does, so that the catalogues have it."""
    yield gettext("Usage:")
    yield gettext("Options")
    yield gettext("Show this message and exit.")
    yield gettext("No such option: {name}")  # click 8.1 to 8.3
    yield gettext("No such option {name!r}.")
    yield gettext("No such command {name!r}.")
    yield gettext("Missing argument")
    yield gettext("Missing option")
    yield gettext("Missing command.")
    yield gettext("Invalid value: {message}")
    yield gettext("Invalid value for {param_hint}: {message}")
    yield gettext("Option {name!r} does not take a value.")
    yield gettext("default: {default}")
    yield gettext("required")
    yield ngettext(
        "Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments.", 1
    )
    yield ngettext(
        "Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", 1
    )
    yield ngettext("{value!r} is not {choice}.", "{value!r} is not one of {choices}.", 1)
    yield ngettext("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", 1)


def translate_click(language: Language) -> None:
    """Let click say its words in `language`, and measure them rightly.

    It asks gettext's default domain for them.
    """
    if language is Language.EN:
        return
    from tcplab.cli.formatter import CellFormatter

    click.Context.formatter_class = CellFormatter
    # gettext chooses by the environment, which --lang overrides.
    os.environ["LANGUAGE"] = language.value
    bindtextdomain("tcplab", LOCALE)
    textdomain("tcplab")


def say_of(context: click.Context) -> Say:
    """The speaker that `main` has put into the root context; plain English without one."""
    say = context.find_root().obj
    return say if callable(say) else str


class Option(click.Option):
    """An option whose help is a `Text`."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        help: Text,  # noqa: A002 - as in click
        **attributes: Any,
    ) -> None:
        super().__init__(names, help=str(help), **attributes)
        self._help = help

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The record in the reader's language; click asks for it once per page of help."""
        english, self.help = self.help, say_of(ctx)(self._help)
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = english


class Command(click.Command):
    """A command whose help is a `Text`, and whose examples each have one."""

    def __init__(
        self,
        *,
        help: Text,  # noqa: A002 - as in click
        examples: tuple[tuple[str, Text], ...],
        **attributes: Any,
    ) -> None:
        super().__init__(help=str(help), **attributes)
        self._help = help
        self._examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; an option that lacks its argument is this command's mistake as well."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as mistake:
            mistake.ctx = mistake.ctx or ctx
            raise

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help, translated."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(say_of(ctx)(self._help))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples: a command a line, and what it shows."""
        say = say_of(ctx)
        with formatter.section(say(Text("Examples"))):
            for line, what in self._examples:
                formatter.write(f"  {line}\n")
                with formatter.indentation():
                    formatter.write_text(say(what))


def option(
    *names: str,
    help: Text,  # noqa: A002 - as in click
    **attributes: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`click.option` with a help that is a `Text`."""
    return click.option(*names, cls=Option, help=help, **attributes)


def _tell_language(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """`main` has read --lang already, for the help is said in it too; click only checks it."""


def language_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--lang, which every command has, and tcplab itself."""
    return option(
        "--lang",
        type=click.Choice([language.value for language in Language]),
        callback=_tell_language,
        expose_value=False,
        help=Text("Language of every sentence; the locale's by default."),
    )(command)
