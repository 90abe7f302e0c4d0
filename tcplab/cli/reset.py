"""`tcplab reset`: a third host interferes with a live connection."""

from typing import Any

import click

from tcplab.cli import reset_rules
from tcplab.cli.given import given
from tcplab.cli.options import Presentation, presentation, run_options, trace_option
from tcplab.cli.translated import Command, option, say_of
from tcplab.scenario.attacks.attack import COMBINATIONS, Aim, Attack, Weapon
from tcplab.text import Text


class ResetCommand(Command):
    """Its help also lists the combinations that mean something."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, then the options."""
        say = say_of(ctx)
        with formatter.section(say(Text("Combinations that mean something"))):
            formatter.write_dl(
                [
                    (f"--with {each.weapon.value} --aim {each.aim.value}", say(each.shows))
                    for each in COMBINATIONS
                ],
                col_max=36,
            )
        super().format_options(ctx, formatter)


@click.command(
    cls=ResetCommand,
    help=Text(
        "Interfere with a live connection, and see why it mostly fails. In a disposable testbed "
        "two real kernels hold the connection; an attacker on the same wire hears it and injects "
        "segments in the name of one end. The ladder marks them and shows what the victim's "
        "kernel made of each: believed, questioned with a challenge ACK, or dropped. There is no "
        "HOST: this works on tcplab's own testbed and on nothing else. Exit status 0 if everything "
        "was as is to be expected of Linux, 1 if not, 5 if that cannot be told."
    ),
    examples=(
        ("tcplab reset", Text("an RST with the exact number: believed")),
        (
            "tcplab reset --aim in-window --times 5",
            Text("challenge ACK, and tcp_invalid_ratelimit"),
        ),
        ("tcplab reset --with data --steal", Text("a stolen password, a hijacked session")),
        ("tcplab reset --with data --steal --tls", Text("the same over TLS")),
        ("tcplab reset --aim blind", Text("what an attacker who hears nothing would need")),
        ("sudo tcplab reset --aim outside --trace", Text("with the kernel's own drop reason")),
    ),
)
@option(
    "--with",
    "weapon",
    type=click.Choice([each.value for each in Weapon]),
    default=Weapon.RST.value,
    show_default=True,
    help=Text("What is forged; handshake: a whole connection in the client's name."),
)
@option(
    "--aim",
    type=click.Choice([each.value for each in Aim]),
    default=Aim.EXACT.value,
    show_default=True,
    help=Text("Its number: the very next one, another one in the window, outside it, or a guess."),
)
@option(
    "--at",
    type=click.Choice(["client", "server"]),
    default="server",
    show_default=True,
    help=Text(
        "The victim; the segments are in the other end's name. With handshake and with --aim "
        "blind it is the server."
    ),
)
@option(
    "--times",
    type=reset_rules.TimesType(),
    default="1",
    show_default=True,
    metavar="N",
    help=Text(
        "So often, one right after the other: for syn, and for --aim in-window and --aim outside."
    ),
)
@option(
    "--tls",
    is_flag=True,
    help=Text("Over a TLS connection: for rst, fin and data with --aim exact."),
)
@option(
    "--steal",
    is_flag=True,
    help=Text(
        "Tell what the attacker had read of the login before it sent anything; with --tls, what it "
        "saw. Not for handshake, nor for --aim blind."
    ),
)
@option("-6", "ipv6", is_flag=True, help=Text("IPv6 instead of IPv4."))
@trace_option
@run_options
@click.pass_context
def reset(
    ctx: click.Context,
    /,
    weapon: str,
    aim: str,
    at: str,
    times: int,
    tls: bool,
    steal: bool,
    ipv6: bool,
    trace: bool,
    **options: Any,
) -> int:
    """Run it and show it; returns the exit status."""
    asked = Attack(weapon=Weapon(weapon), aim=Aim(aim), at=at, times=times, tls=tls, steal=steal)
    reset_rules.check(asked, given(ctx).options)
    shown = presentation(ctx, options)
    if asked.is_guess:
        return _guess(asked, shown, ipv6=ipv6)
    from tcplab.cli.playing import play_in_testbed
    from tcplab.scenario.attacks.story import attack

    return play_in_testbed(attack(asked), shown, ipv6=ipv6, trace=trace)


def _guess(asked: Attack, shown: Presentation, *, ipv6: bool) -> int:
    from tcplab.analysis.blind import BlindSettings
    from tcplab.cli.blind_result import present
    from tcplab.experiment.blind import blind

    return present(blind(BlindSettings(weapon=asked.weapon, version=6 if ipv6 else 4)), shown)
