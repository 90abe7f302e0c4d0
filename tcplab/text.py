"""Sentences that wait for a language.

The pure half of tcplab states its findings and its errors as `Text`: the English sentence as
a gettext message id, and the values that go into its {gaps}. Which language it is said in is
decided at the rim (`tcplab.render.language`), so one timeline can be told in every language.
"""

from collections.abc import Callable, Mapping
from typing import Final

Say = Callable[["Text"], str]
"""Turns a `Text` into the words of one language."""


class Text:
    """One sentence: an English message id with {named} gaps, and what fills them.

    Babel collects every `Text("…")` literal into the message catalogue, so the first argument
    is always a plain string literal. A gap may be filled with another `Text`.
    """

    __slots__ = ("fields", "msgid")

    def __init__(self, msgid: str, /, **fields: "str | int | float | Text") -> None:
        self.msgid: Final = msgid
        self.fields: Final = tuple(sorted(fields.items()))

    @classmethod
    def made_of(cls, msgid: str, fields: "Mapping[str, str | int | float | Text]") -> "Text":
        """A sentence from its parts, which `msgid` and `fields` of another one were."""
        return cls(msgid, **fields)

    def said_by(self, translate: Callable[[str], str]) -> str:
        """The sentence in the language of `translate`, which maps message ids to messages."""
        values = {
            name: value.said_by(translate) if isinstance(value, Text) else value
            for name, value in self.fields
        }
        return translate(self.msgid).format_map(values) if values else translate(self.msgid)

    def __str__(self) -> str:
        return self.said_by(lambda msgid: msgid)

    def __repr__(self) -> str:
        return f"Text({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        return self.msgid == other.msgid and self.fields == other.fields

    def __hash__(self) -> int:
        return hash((self.msgid, self.fields))


def verbatim(words: str) -> Text:
    """Words that are the same in every language (a file name, the kernel's own message)."""
    return Text("{words}", words=words)


# Translators: not a word but the code of this catalogue's language: "ko" for Korean.
_LANGUAGE: Final = Text("en")


class _InBoth(Text):
    """A sentence that brings its own Korean, instead of asking the message catalogue for it."""

    __slots__ = ("korean",)

    def __init__(self, english: str, korean: str, /) -> None:
        super().__init__(english)
        self.korean: Final = korean

    def said_by(self, translate: Callable[[str], str]) -> str:
        """The sentence in the language of `translate`; a brace in it is a brace."""
        return self.korean if translate(_LANGUAGE.msgid) == "ko" else self.msgid

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        if not isinstance(other, _InBoth):
            return False
        return (self.msgid, self.korean) == (other.msgid, other.korean)

    def __hash__(self) -> int:
        return hash((self.msgid, self.korean))


def in_both(en: str, ko: str) -> Text:
    """A sentence from outside the catalogue (a scenario file) that is written in both languages."""
    return _InBoth(en, ko)
