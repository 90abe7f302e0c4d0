"""The scenarios that tcplab ships: one TOML file each, in the folder of its group.

`index.toml` has the groups and the order. To play one scenario only its own file is read, and
importlib.resources is not asked for it, which takes longer to import than the file to read.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache

from tcplab.errors import UsageError
from tcplab.scenario.mistake import nearest
from tcplab.scenario.reader import parse
from tcplab.scenario.steps import Scenario
from tcplab.text import Text, in_both

FOLDER = os.path.dirname(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A shelf of the catalogue, its scenarios by name and in order."""

    name: str
    title: Text
    scenarios: tuple[str, ...]


@cache
def groups() -> tuple[Group, ...]:
    """The groups in order."""
    with open(os.path.join(FOLDER, "index.toml"), "rb") as index:
        written = tomllib.load(index)["group"]
    return tuple(
        Group(
            name=group["name"],
            title=in_both(**group["title"]),
            scenarios=tuple(group["scenarios"]),
        )
        for group in written
    )


def names() -> tuple[str, ...]:
    """The names of all scenarios, in order."""
    return tuple(name for group in groups() for name in group.scenarios)


def load(name: str) -> Scenario:
    """The scenario of that name. Raises UsageError if there is none."""
    group = group_of(name)
    return parse(text(name), name=name, source=f"{group}/{name}.toml", group=group)


def text(name: str) -> str:
    """Its file as it is. Raises UsageError if there is none."""
    with open(os.path.join(FOLDER, group_of(name), f"{name}.toml"), encoding="utf-8") as file:
        return file.read()


def group_of(name: str) -> str:
    """The name of its group. Raises UsageError if there is none."""
    if re.fullmatch(r"[a-z0-9-]+", name):
        for group in os.listdir(FOLDER):
            if os.path.isfile(os.path.join(FOLDER, group, f"{name}.toml")):
                return group
    near = nearest(name, names(), most=3)
    raise UsageError(
        Text("There is no scenario named {name}.", name=repr(name)),
        remedy=Text("Did you mean {names}? See tcplab run --list.", names=", ".join(near))
        if near
        else Text("See tcplab run --list."),
    )
