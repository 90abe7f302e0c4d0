"""In which language tcplab speaks, and whether the terminal can show more than ASCII."""

import os
from collections.abc import Mapping
from enum import Enum, unique

from tcplab.text import Say, Text

LOCALE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "locale")


@unique
class Language(Enum):
    """The languages of the message catalogues. English is what the message ids are written in."""

    EN = "en"
    KO = "ko"


def speaker(language: Language) -> Say:
    """What says a `Text` in that language. A message without a translation is said in English.

    So is every message where the catalogue was never compiled: in a checkout not installed.
    """
    if language is Language.EN:
        return str
    from gettext import GNUTranslations  # 5 ms that English need not pay

    try:
        path = os.path.join(LOCALE, language.value, "LC_MESSAGES", "tcplab.mo")
        with open(path, "rb") as catalogue:
            translate = GNUTranslations(catalogue).gettext
    except FileNotFoundError:
        return str

    def say(text: Text) -> str:
        return text.said_by(translate)

    return say


def from_environment(env: Mapping[str, str]) -> Language:
    """The language that gettext would choose ("Locale Environment Variables" in its manual).

    The locale is the first that is set of LC_ALL, LC_MESSAGES and LANG. LANGUAGE is a list of
    preferences and goes before it, but only if the locale is not C.
    """
    locale = next(filter(None, map(env.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "C")
    if locale in ("C", "POSIX"):
        return Language.EN
    for wish in (env.get("LANGUAGE") or locale).split(":"):
        code = wish.replace("@", ".").replace("_", ".").partition(".")[0]
        if code in (each.value for each in Language):
            return Language(code)
    return Language.EN


def unicode_fits(encoding: str | None, term: str | None) -> bool:
    """Can arrows and box lines be written to a stream of that `encoding`, on a `term` (TERM)?"""
    written = (encoding or "ascii").lower().replace("_", "-")
    return written in ("utf-8", "utf8") and term != "dumb"
