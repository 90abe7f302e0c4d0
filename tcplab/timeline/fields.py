"""Values taken out of JSON objects that nobody vouches for, each checked while it is taken."""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from tcplab.text import Text

Value = TypeVar("Value")
Member = TypeVar("Member", bound=Enum)


class FieldError(ValueError):
    """A value is missing, or is not what belongs there: `what` says it to a person."""

    def __init__(self, what: Text) -> None:
        super().__init__(str(what))
        self.what = what


class Fields:
    """One JSON object. Every method raises FieldError for a value that is not what it promises."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise FieldError(Text("a JSON object was expected"))
        self._values: dict[str, Any] = value

    def text(self, key: str) -> str:
        """A string."""
        return self._of_type(key, str, Text("a string"))

    def flag(self, key: str) -> bool:
        """A truth value."""
        return self._of_type(key, bool, Text("true or false"))

    def number(self, key: str, *, below: int | None = None) -> int:
        """An integer of at least 0, and less than `below`."""
        number = self._of_type(key, int, Text("an integer"))
        if number < 0 or (below is not None and number >= below):
            raise FieldError(Text('"{key}" is out of range: {number}', key=key, number=number))
        return number

    def octets(self, key: str) -> bytes:
        """Bytes, written in hex."""
        written = self.text(key)
        try:
            return bytes.fromhex(written)
        except ValueError:
            raise FieldError(Text('"{key}" is not hex', key=key)) from None

    def member(self, key: str, members: type[Member]) -> Member:
        """A member of an enumeration, by its value."""
        written = self.text(key)
        try:
            return members(written)
        except ValueError:
            raise FieldError(Text('"{key}" is never "{it}"', key=key, it=written)) from None

    def items(self, key: str) -> list[Any]:
        """A list."""
        return self._of_type(key, list, Text("a list"))

    def pairs(self, key: str) -> tuple[tuple[str, Any], ...]:
        """The keys and values of an object, in their order."""
        return tuple(self._of_type(key, dict, Text("an object")).items())

    def inner(self, key: str) -> "Fields":
        """An object in this one."""
        return Fields(self._any(key))

    def __contains__(self, key: str) -> bool:
        """Is it there at all? Files written before a key was thought of do without it."""
        return key in self._values

    def optional(self, key: str, take: Callable[[str], Value]) -> Value | None:
        """None for null, else what `take` (one of these methods) makes of it."""
        return None if self._any(key) is None else take(key)

    def _any(self, key: str) -> object:
        if key not in self._values:
            raise FieldError(Text('"{key}" is missing', key=key))
        return self._values[key]

    def _of_type(self, key: str, kind: type[Value], words: Text) -> Value:
        value = self._any(key)
        # Not isinstance(): to Python, true is an integer.
        if type(value) is not kind:
            raise FieldError(Text('"{key}" is not {kind}', key=key, kind=words))
        return value
