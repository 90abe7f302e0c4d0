"""The options that the commands share, and what they mean once parsed."""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tcplab.cli.translated import language_option, option, say_of
from tcplab.errors import UsageError
from tcplab.text import Say, Text

if TYPE_CHECKING:
    from tcplab.scenario.predicate import Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How a result is shown, and where it is kept. Without `met` a ladder has only expectations
    that were not met, or all of them if it is `verbose`.
    """

    say: Say
    json: bool
    ascii: bool
    no_color: bool
    seq: str
    filter: "Predicate | None" = None
    verbose: bool
    force: bool
    save: str | None
    pcap: str | None
    svg: str | None
    met: bool = True


class PortType(click.ParamType[int]):
    """A port number, or the name of a TCP service (man 5 services)."""

    name = "port"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """1 … 65535. Raises UsageError for anything else."""
        if isinstance(value, int):
            return value
        if value.isascii() and value.lstrip("+-").isdigit():
            if len(value) < 10 and 1 <= int(value) <= 65535:
                return int(value)
            raise UsageError(
                Text("Port {port} does not exist.", port=value),
                remedy=Text("Ports are 1 to 65535."),
            )
        try:
            return socket.getservbyname(value, "tcp")
        except (OSError, UnicodeError):
            raise UsageError(
                Text("There is no TCP service named {name}.", name=repr(value)),
                remedy=Text("Give a port as a number, 1 to 65535, or a name from /etc/services."),
            ) from None


port_option = option(
    "-p",
    "--port",
    type=PortType(),
    default="80",
    show_default=True,
    metavar="PORT",
    help=Text("Server port: a number or a service name."),
)
trace_option = option(
    "--trace",
    is_flag=True,
    help=Text("As root, in the testbed: add what the kernel's tracepoints say."),
)


def client_option(default: str | None = None) -> Callable[..., Any]:
    """--client; without a default None says that the user did not choose."""
    return option(
        "--client",
        type=click.Choice(["crafted", "kernel"]),
        default=default,
        show_default=default is not None,
        help=Text("What the client is: segments crafted with Scapy, or a real kernel socket."),
    )


def picture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--json, --ascii, --no-color and --lang: for every command that has a result."""
    for decorate in (
        language_option,
        option("--no-color", is_flag=True, help=Text("No colour, as with NO_COLOR set.")),
        option("--ascii", is_flag=True, help=Text("Draw with ASCII characters only.")),
        option(
            "--json", is_flag=True, help=Text("One JSON object on standard output, no picture.")
        ),
    ):
        command = decorate(command)
    return command


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every command that runs a connection has."""
    path = click.Path(path_type=str)
    for decorate in (
        option("--force", is_flag=True, help=Text("Replace output files that exist.")),
        option(
            "--svg", type=path, metavar="FILE", help=Text("Write the ladder as an SVG picture.")
        ),
        option(
            "--pcap",
            type=path,
            metavar="FILE",
            help=Text("Write the packets as pcapng, commented."),
        ),
        option("--save", type=path, metavar="FILE", help=Text("Write the timeline as JSON Lines.")),
        option(
            "-v",
            "--verbose",
            is_flag=True,
            help=Text("Leave nothing out, and add Scapy's dissection of every segment."),
        ),
        option(
            "--filter",
            metavar="PREDICATE",
            help=Text(
                "Show only the segments for which this holds: 'tcp.flags.syn == 1'. What --json, "
                "--save and --pcap hold stays whole."
            ),
        ),
        option(
            "--seq",
            type=click.Choice(["relative", "absolute", "both"]),
            default="relative",
            show_default=True,
            help=Text("Which sequence numbers to show."),
        ),
    ):
        command = decorate(command)
    return picture_options(command)


def presentation(ctx: click.Context, options: dict[str, Any], *, met: bool = True) -> Presentation:
    """The parsed values of `run_options`, checked: raises UsageError for files that cannot be.

    `met` is for commands whose point is what was to be expected.
    """
    written = options.pop("filter")
    wanted = None if written is None else _filter(written)
    made = Presentation(say=say_of(ctx), filter=wanted, met=met, **options)
    for path in (made.save, made.pcap, made.svg):
        if path is not None:
            _check_writable(path, force=made.force)
    paths = [
        os.path.realpath(path) for path in (made.save, made.pcap, made.svg) if path is not None
    ]
    if len(paths) != len(set(paths)):
        raise UsageError(
            Text("The same file is named for two outputs."),
            remedy=Text("Give each of --save, --pcap and --svg a file of its own."),
        )
    return made


def _filter(written: str) -> "Predicate":
    """The display filter. Raises UsageError for what is none.

    Which connections there will be nobody knows before the run, so any may be named in [].
    """
    from tcplab.analysis.filtering import check
    from tcplab.scenario.predicate import PredicateError, parse

    try:
        predicate = parse(
            written,
            hosts=("client", "server", "attacker"),
            conns=re.findall(r"\[([^\[\]]*)\]", written),
            segment=True,
        )
    except PredicateError as mistake:
        raise UsageError(
            Text("{option}: {what}", option="--filter", what=mistake.what), remedy=mistake.remedy
        ) from mistake
    check(predicate)
    return predicate


def _check_writable(path: str, *, force: bool) -> None:
    """Before the run, not after it, the user learns that its result could not be kept."""
    if os.path.isdir(path):
        raise UsageError(
            Text("{path} is a directory.", path=path), remedy=Text("Name a file in it.")
        )
    if os.path.isfile(path) and not force:
        raise UsageError(
            Text("{path} is there already.", path=path),
            remedy=Text("Name another file, or add --force to replace it."),
        )
    if not _writable(path):
        raise UsageError(
            Text("{path} cannot be written.", path=path or "''"),
            remedy=Text("Name a file in a directory that exists and that you may write to."),
        )


def _writable(path: str) -> bool:
    """May a file be written there, or made?"""
    try:
        os.stat(path)
    except FileNotFoundError:
        parent = os.path.dirname(os.path.realpath(path))  # of what a link leads to
        return path != "" and os.path.isdir(parent) and os.access(parent, os.W_OK | os.X_OK)
    except OSError:  # too long a name, a link to itself, a file where a directory should be
        return False
    return os.access(path, os.W_OK)
