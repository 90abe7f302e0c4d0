"""The names of a scenario's rules, and what may be ended because it was begun."""

from tcplab.scenario.fields import Fields
from tcplab.scenario.mistake import MistakeError, instead_of, quoted
from tcplab.text import Text

_LONGEST_NAME = 40


class Rules:
    """The rules, firewalls and middleboxes up to a step, and the hosts that are cut off."""

    def __init__(self, steps: tuple[Fields, ...]) -> None:
        # A rule that has no name gets none that the file gives to another one further on.
        self._given = [step.raw("name") for step in steps if step.raw("do") != "lift"]
        self._known: set[str] = set()
        self._count: dict[str, int] = {}
        self._cut: set[str] = set()

    def named(self, step: Fields) -> str:
        """The name of the rule of this step: its own, or one such as "drop 1"."""
        name = _name(step) if "name" in step else self._numbered(step.text("do"))
        if name in self._known:
            raise step.mistake(
                Text("There is already a rule named {name}.", name=quoted(name)),
                remedy=Text(
                    "Give each rule a name of its own; in a repeated block, with {n}.", n="{n}"
                ),
                key="name",
            )
        self._known.add(name)
        return name

    def _numbered(self, kind: str) -> str:
        while True:
            self._count[kind] = self._count.get(kind, 0) + 1
            name = f"{kind} {self._count[kind]}"
            if name not in self._given:
                return name

    def lifted(self, step: Fields) -> str:
        """The name of the rule that this step lifts."""
        name = _name(step)
        if name in self._known:
            return name
        raise step.mistake(
            Text("No step before this one makes a rule {name}.", name=quoted(name)),
            remedy=instead_of(name, self._known),
            key="name",
        )

    def cut(self, host: str) -> None:
        """The host is cut off, or falls silent."""
        self._cut.add(host)

    def restored(self, host: str, step: Fields) -> None:
        """The host is back."""
        if host not in self._cut:
            raise _never_cut(host, step)
        self._cut.discard(host)


def _name(step: Fields) -> str:
    name = step.text("name")
    if not name.isprintable() or not 0 < len(name.strip()) <= len(name) <= _LONGEST_NAME:
        raise step.mistake(
            Text("{name} cannot be the name of a rule.", name=quoted(name)),
            remedy=Text("Give a short one, in one line."),
            key="name",
        )
    return name


def _never_cut(host: str, step: Fields) -> MistakeError:
    return step.mistake(
        Text("The {host} is neither cut off nor silent here.", host=host),
        remedy=Text('Put a step before it: on = "wire", do = "cut", host = "{host}"', host=host),
        key="host",
    )
