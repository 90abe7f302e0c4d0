"""`tcplab run`: scenarios, shipped ones and those in files; one of them, or all."""

from typing import Any

import click

from tcplab.cli.catalogue import chosen, list_scenarios, show_file
from tcplab.cli.given import given, not_together
from tcplab.cli.many import Choice, play_them
from tcplab.cli.naming import GroupType, NameType, RepeatType
from tcplab.cli.options import client_option, presentation, run_options, trace_option
from tcplab.cli.translated import Command, option
from tcplab.errors import UsageError
from tcplab.text import Text


@click.command(
    cls=Command,
    help=Text(
        "Play a scenario in the disposable testbed and see what it shows: a way in which "
        "connections are opened, fall silent or die. NAME is one of those that come with tcplab "
        "(--list), or a file of your own: whatever has a slash in it or ends in .toml. Exit status "
        "0 if everything was as the scenario expects, 1 if not, 5 if that cannot be told."
    ),
    examples=(
        ("tcplab run --list", Text("every scenario, by group")),
        ("tcplab run half-close", Text("one of them: its story, its ladder, what it proves")),
        ("tcplab run half-close --show > my.toml", Text("its file, to begin your own with")),
        ("tcplab run ./my.toml", Text("your own")),
        ("tcplab run --all", Text("every scenario, and whether each is as expected")),
        (
            "tcplab run --all --group opening --repeat 20",
            Text("how often each holds, and whether it is always the same"),
        ),
    ),
)
@click.argument("name", required=False, type=NameType())
@option("--list", "listed", is_flag=True, help=Text("List the scenarios, by group."))
@option("--show", is_flag=True, help=Text("Print the scenario's file; do not play it."))
@option("--all", "everything", is_flag=True, help=Text("Play all of them, several at once."))
@option(
    "--group",
    type=GroupType(),
    metavar="GROUP",
    help=Text("With --list and --all: only this group."),
)
@option(
    "--repeat",
    type=RepeatType(),
    default="1",
    metavar="TIMES",
    help=Text("Play so often, and count how often it is as expected and how many ways it takes."),
)
@client_option()
@option("-6", "ipv6", is_flag=True, help=Text("IPv6 instead of IPv4."))
@trace_option
@run_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    name: str | None,
    listed: bool,
    show: bool,
    everything: bool,
    group: str | None,
    repeat: int,
    client: str | None,
    ipv6: bool,
    trace: bool,
    **options: Any,
) -> int:
    """Do what was asked for; returns the exit status."""
    _check_mode(ctx, name, listed=listed, everything=everything, group=group, repeat=repeat)
    if show:
        return show_file(str(name), ascii_only=options["ascii"])
    shown = presentation(ctx, options)
    if listed:
        return list_scenarios(group, shown)
    choice = Choice(client=client, ipv6=ipv6, trace=trace)
    if everything or repeat > 1:
        return play_them(chosen(name, group), choice, repeat, shown)
    ((scenario, _again),) = chosen(name, None)
    from tcplab.cli.playing import play_and_present

    play = choice.player((scenario,))
    return play_and_present(lambda heed: play(scenario, heed=heed), shown, scenario)


def _check_mode(
    ctx: click.Context,
    name: str | None,
    *,
    listed: bool,
    everything: bool,
    group: str | None,
    repeat: int,
) -> None:
    """What goes together. Raises UsageError for what does not."""
    mode = "--list" if listed else "--all" if everything else None
    if listed and everything:
        raise not_together("--list", "--all")
    if name is not None and mode is not None:
        raise UsageError(
            Text("{mode} is about all scenarios, so it takes no NAME.", mode=mode),
            remedy=Text("Give NAME, or {mode}.", mode=mode),
        )
    if name is None and mode is None:
        raise UsageError(
            Text("No scenario is named."),
            remedy=Text("See their names: {command}", command="tcplab run --list"),
        )
    if group is not None and mode is None:
        raise UsageError(
            Text("--group chooses among all scenarios."),
            remedy=Text("Add --list or --all, or omit --group."),
        )
    typed = given(ctx).options
    if "--show" in typed:
        _refuse("--show", typed, allowed=("--ascii", "--no-color", "--show"))
    if listed:
        _refuse("--list", typed, allowed=("--group", "--list", *_PICTURE))
    elif everything:
        _refuse("--all", typed, allowed=("--all", "--group", "--repeat", "-6", *_PICTURE))
    elif repeat > 1:
        _refuse("--repeat", typed, allowed=("--repeat", "--client", "--trace", "-6", *_PICTURE))


_PICTURE = ("--json", "--ascii", "--no-color", "--lang")


def _refuse(mode: str, typed: frozenset[str], *, allowed: tuple[str, ...]) -> None:
    for name in sorted(typed):
        if name not in allowed:
            raise not_together(name, mode)
