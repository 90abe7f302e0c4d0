"""Values taken out of the tables of a scenario file, each checked while it is taken."""

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Any, TypeVar

from tcplab.scenario.mistake import MistakeError, Path, instead_of, quoted
from tcplab.text import Text, verbatim

Member = TypeVar("Member", bound=Enum)
Kind = TypeVar("Kind")
LONGEST_WAIT_S = 120.0

_EXAMPLES: dict[type, str] = {
    str: '"..."',
    int: "1",
    float: "0.5",
    bool: "true",
    dict: "{ ... }",
    list: "[ ... ]",
}


class Fields:
    """One table. Its methods raise MistakeError for a value that is not what they promise, and for
    a key that is not there, unless they are given a default.
    """

    def __init__(self, values: object, path: Path, *, known: Iterable[str] | None = None) -> None:
        """`known` are the keys that may occur; None for a table whose keys are names."""
        if not isinstance(values, dict):
            # In an array only steps are tables.
            key = path[-1] if isinstance(path[-1], str) else "step"
            raise wrong_type(key, values, dict, path=path)
        self._values: dict[str, Any] = values
        self.path = path
        if known is not None:
            self.only(*known)

    def only(self, *known: str) -> "Fields":
        """The same; no other keys than these may occur."""
        for key in self._values:
            if key not in known:
                raise self.mistake(
                    Text("There is no key {key} here.", key=quoted(key)),
                    remedy=instead_of(key, set(known) - self._values.keys()),
                    key=key,
                )
        return self

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """The keys, as the file orders them."""
        return tuple(self._values)

    def raw(self, key: str) -> object:
        """The value as it is; None if it is not there."""
        return self._values.get(key)

    def mistake(self, what: Text, *, remedy: Text, key: str | None = None) -> MistakeError:
        """A mistake in this table, or at one of its keys."""
        return MistakeError(what, remedy=remedy, path=self.path if key is None else self.at(key))

    def at(self, key: str) -> Path:
        """Where this key stands."""
        return (*self.path, key)

    def table(self, key: str, *, known: Iterable[str] | None = None) -> "Fields":
        """A table in this one; an empty one if it is not there."""
        return Fields(self._values.get(key, {}), self.at(key), known=known)

    def require(self, key: str) -> object:
        """The value as it is."""
        if key not in self._values:
            raise self.mistake(
                Text("The key {key} is missing.", key=quoted(key)),
                remedy=Text("Add {key} here.", key=key),
            )
        return self._values[key]

    def text(self, key: str, default: str | None = None) -> str:
        """A text."""
        return self._of_type(key, str, default)

    def word(self, key: str, right: Collection[str], default: str | None = None) -> str:
        """One of the `right` words."""
        word = self.text(key, default)
        if word not in right:
            raise self.mistake(
                Text("{key} cannot be {word}.", key=key, word=quoted(word)),
                remedy=instead_of(word, right),
                key=key,
            )
        return word

    def member(self, key: str, members: type[Member], default: Member | None = None) -> Member:
        """A member of an enumeration, by its value."""
        words = [str(each.value) for each in members]
        return members(self.word(key, words, None if default is None else str(default.value)))

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A truth value."""
        return self._of_type(key, bool, default)

    def whole(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number from `least` to `most`."""
        value = self._of_type(key, int, default)
        if key in self._values and not least <= value <= most:
            raise self._out_of_range(key, str(least), str(most))
        return value

    def maybe_whole(self, key: str, *, least: int, most: int) -> int | None:
        """The same, or None if it is not there."""
        return self.whole(key, least=least, most=most) if key in self._values else None

    def number(
        self, key: str, *, most: float, zero: bool = False, default: float | None = None
    ) -> float:
        """A number above 0 (with `zero` also 0 itself), and at most `most`."""
        value = self._of_type(key, float, default)
        enough = value >= 0 if zero else value > 0
        if key in self._values and not (enough and value <= most):
            if zero:
                raise self._out_of_range(key, "0", f"{most:g}")
            raise self.mistake(
                Text("{key} = {value} is out of range.", key=key, value=_shown(value)),
                remedy=Text("Give a number above 0, and at most {most}.", most=f"{most:g}"),
                key=key,
            )
        return float(value)

    def seconds(self, key: str, *, default: float | None = None) -> float:
        """A time to wait, above 0."""
        return self.number(key, most=LONGEST_WAIT_S, default=default)

    def maybe_seconds(self, key: str) -> float | None:
        """The same, or None if it is not there."""
        return self.seconds(key) if key in self._values else None

    def _of_type(self, key: str, kind: type[Kind], default: Kind | None) -> Kind:
        if default is not None and key not in self._values:
            return default
        value: Any = self.require(key)
        # To Python true is a whole number; and 5 is as good a number of seconds as 5.0.
        if type(value) not in ((int, float) if kind is float else (kind,)):
            raise wrong_type(key, value, kind, path=self.at(key))
        checked: Kind = value
        return checked

    def _out_of_range(self, key: str, least: str, most: str) -> MistakeError:
        value = _shown(self._values[key])
        return self.mistake(
            Text("{key} = {value} is out of range.", key=key, value=value),
            remedy=Text("Give a number from {least} to {most}.", least=least, most=most),
            key=key,
        )


def wrong_type(key: str, value: object, kind: type, *, path: Path) -> MistakeError:
    """The mistake that `value` is not of that kind."""
    example = f"{key} = {_EXAMPLES[kind]}"
    return MistakeError(
        Text("{key} must be {kind}, not {found}.", key=key, kind=_named(kind), found=found(value)),
        remedy=Text("Write it as in: {example}", example=verbatim(example)),
        path=path,
    )


def found(value: object) -> Text:
    """What a value of the document is."""
    return _named(type(value))


def _named(kind: type) -> Text:
    return {
        str: Text("a text"),
        int: Text("a whole number"),
        float: Text("a number"),
        bool: Text("true or false"),
        dict: Text("a table"),
        list: Text("an array"),
    }.get(kind, Text("a date or time"))


def _shown(value: float) -> str:
    # str() refuses whole numbers of more than 4300 digits, which TOML can write as hex.
    written = hex(value) if isinstance(value, int) and abs(value) > 10**20 else str(value)
    return written if len(written) <= 20 else f"{written[:19]}…"
