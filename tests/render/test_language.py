"""The language of the sentences, and of the terminal."""

import pytest

from tcplab.render import language
from tcplab.render.language import Language, from_environment, speaker, unicode_fits
from tcplab.text import Text


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, Language.EN),
        ({"LANG": "ko_KR.UTF-8"}, Language.KO),
        ({"LANG": "ko"}, Language.KO),
        ({"LANG": "ko@dict"}, Language.KO),
        ({"LANG": "kok_IN.UTF-8"}, Language.EN),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, Language.KO),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "en_US.UTF-8"}, Language.EN),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": ""}, Language.KO),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "ko:en"}, Language.KO),
        ({"LANG": "ko_KR.UTF-8", "LANGUAGE": "en:ko"}, Language.EN),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:ko_KR"}, Language.KO),
        ({"LANG": "ko_KR.UTF-8", "LANGUAGE": "fr"}, Language.EN),
        ({"LANG": "ko_KR.UTF-8", "LANGUAGE": ""}, Language.KO),
        ({"LANGUAGE": "ko"}, Language.EN),
        ({"LANG": "C", "LANGUAGE": "ko"}, Language.EN),
        ({"LC_ALL": "POSIX", "LANG": "ko_KR.UTF-8", "LANGUAGE": "ko"}, Language.EN),
    ],
)
def test_language_as_gettext_chooses_it(env, expected):
    assert from_environment(env) is expected


def test_english_is_the_message_itself():
    assert speaker(Language.EN)(Text("{n} s later", n=3)) == "3 s later"


def catalogue(root, messages: dict[str, str]) -> None:
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    made = Catalog(locale="ko")
    for msgid, msgstr in messages.items():
        made.add(msgid, msgstr)
    folder = root / "ko" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "tcplab.mo").open("wb") as file:
        write_mo(file, made)


def test_korean_comes_from_the_catalogue(tmp_path, monkeypatch):
    catalogue(tmp_path, {"{n} s later": "{n}초 뒤"})
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    say = speaker(Language.KO)
    assert (say(Text("{n} s later", n=3)), say(Text("untranslated"))) == ("3초 뒤", "untranslated")


def test_catalogue_never_compiled_falls_back_to_english(tmp_path, monkeypatch):
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    assert speaker(Language.KO)(Text("state")) == "state"


@pytest.mark.parametrize(
    ("encoding", "term", "fits"),
    [
        ("utf-8", "xterm-256color", True),
        ("UTF-8", None, True),
        ("utf8", "xterm", True),
        ("UTF_8", "xterm", True),
        ("utf-8", "dumb", False),
        ("ANSI_X3.4-1968", "xterm", False),
        ("euc-kr", "xterm", False),
        (None, "xterm", False),
    ],
)
def test_unicode_needs_utf8_and_a_real_terminal(encoding, term, fits):
    assert unicode_fits(encoding, term) is fits
