"""The catalogue behind `tcplab run`: scenarios found by name, listed, and shown as files."""

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tcplab.cli.options import Presentation
from tcplab.errors import Exit, UsageError
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.analysis.standing import Standing
    from tcplab.render.catalogue import Shelf
    from tcplab.scenario.steps import Scenario

Named = tuple["Scenario", str]
"""A scenario, and the command that plays it."""


def is_file(name: str) -> bool:
    """Does the user mean a file, not a scenario of the catalogue?"""
    return "/" in name or name.endswith(".toml")


def chosen(name: str | None, group: str | None) -> list[Named]:
    """The scenario of that name or in that file; without one those of the group, or all.

    Raises UsageError for unknown names and for whatever is wrong with a file.
    """
    from tcplab.scenario import catalogue

    if name is not None and is_file(name):
        from tcplab.scenario.reader import read

        return [(read(name), f"tcplab run {shlex.quote(name)}")]
    names = _known(group) if name is None else [name]
    return [(catalogue.load(each), f"tcplab run {each}") for each in names]


def _known(group: str | None) -> list[str]:
    """The names in that group, or in all, in the catalogue's order."""
    from tcplab.scenario import catalogue

    groups = catalogue.groups()
    if group is not None and group not in (each.name for each in groups):
        known = ", ".join(each.name for each in groups)
        raise UsageError(
            Text("There is no group named {name}.", name=repr(group)),
            remedy=Text("The groups are {groups}.", groups=known),
        )
    return [name for each in groups if group in (None, each.name) for name in each.scenarios]


def show_file(name: str, *, ascii_only: bool) -> int:
    """Print the scenario's file: as it is, but harmless where a terminal would obey it."""
    from tcplab.cli.terminal import plain

    if is_file(name):
        from tcplab.scenario.document import text_of

        text = text_of(name)
    else:
        from tcplab.scenario import catalogue

        text = catalogue.text(name)
    if sys.stdout.isatty():
        from tcplab.render.harmless import harmless

        seven = ascii_only or plain()
        for line in text.removesuffix("\n").split("\n"):
            print(harmless(line.removesuffix("\r").expandtabs(), ascii_only=seven))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
    return Exit.DONE


def list_scenarios(group: str | None, shown: Presentation) -> int:
    """The catalogue, nothing of it played."""
    from tcplab.analysis.standing import stand
    from tcplab.cli.terminal import console, plain, print_json
    from tcplab.render.catalogue import Catalogue, document

    found = chosen(None, group)
    shelves = shelved(
        [
            stand(
                name=scenario.name,
                group=scenario.group,
                title=scenario.title,
                again=again,
                timed=scenario.timed,
                runs=(),
            )
            for scenario, again in found
        ]
    )
    if shown.json:
        print_json(document(shelves, shown.say))
    else:
        ascii_only = shown.ascii or plain()
        page = Catalogue(shelves, verdicts=False, say=shown.say, ascii_only=ascii_only)
        console(no_color=shown.no_color).print(page)
    return Exit.DONE


def shelved(standings: Sequence["Standing"]) -> list["Shelf"]:
    """The standings by group, as the catalogue has them; files of the user's own after it."""
    from tcplab.render.catalogue import Shelf
    from tcplab.scenario import catalogue

    shelves = [
        Shelf(
            title=group.title,
            standings=tuple(each for each in standings if each.group == group.name),
        )
        for group in catalogue.groups()
    ]
    own = tuple(each for each in standings if each.group is None)
    return [shelf for shelf in (*shelves, Shelf(title=None, standings=own)) if shelf.standings]
