"""`tcplab doctor`: what this machine can do, and how to mend what it cannot."""

import click

from tcplab.cli.options import picture_options
from tcplab.cli.translated import Command, say_of
from tcplab.errors import Exit
from tcplab.text import Text


@click.command(
    cls=Command,
    help=Text(
        "Try everything that tcplab needs of this machine, and say what was found: for what is "
        "missing also what forbids it, the exact command that mends it, and what works until then. "
        "Nothing is changed and nothing is sent. Exit status 0 if the testbed can run, else 4."
    ),
    examples=(
        ("tcplab doctor", Text("what works here, and what does not")),
        ("sudo tcplab doctor", Text("the same for root, who may also read tracepoints")),
        ("tcplab doctor --json", Text("for a program to read")),
    ),
)
@picture_options
@click.pass_context
def doctor(ctx: click.Context, *, json: bool, ascii: bool, no_color: bool) -> int:  # noqa: A002 - as the options
    """Check and show; returns the exit status."""
    from tcplab.cli.terminal import console, plain, print_json
    from tcplab.render.doctor import Doctor, document
    from tcplab.testbed.preflight import checks, facts_of_this_machine

    facts = facts_of_this_machine(ascii_only=plain())
    found, runs, say = checks(facts), facts.testbed_runs, say_of(ctx)
    if json:
        print_json(document(found, testbed_runs=runs, say=say))
    else:
        picture = Doctor(found, testbed_runs=runs, say=say, ascii_only=ascii or plain())
        console(no_color=no_color).print(picture, crop=False)
    return Exit.DONE if runs else Exit.UNAVAILABLE
