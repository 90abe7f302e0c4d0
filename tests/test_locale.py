"""The Korean catalogue says everything that the code can say, and a terminal shows it in line."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from rich.cells import cell_len

from tcplab.analysis.explain import explain
from tcplab.render import theme
from tcplab.render.findings import Findings
from tcplab.render.harmless import plain
from tcplab.render.ladder import Ladder
from tcplab.render.language import LOCALE, Language, speaker
from tests.render import samples
from tests.render.printing import printed

PACKAGE = Path(LOCALE).parent
MESSAGES = Path(LOCALE, "ko", "LC_MESSAGES")
HANGUL = re.compile("[가-힣]")
NO_HANGUL_NEEDED = frozenset(
    {
        "TTL",
        "en",  # the code of the catalogue's own language
        "type {type}, code {code}",
        "{words} (type {type}, code {code})",
        "The {host} ({how})",
    }
)
"""Beside these only messages without a word of their own, such as "{first}, {rest}"."""


def collected(package: Path) -> Catalog:
    """What `pybabel extract -k Text` finds there."""
    template = Catalog()
    keywords = {**DEFAULT_KEYWORDS, "Text": None}
    for _file, _line, msgid, _comments, _context in extract_from_dir(package, keywords=keywords):
        template.add(msgid)
    return template


def catalogue(po: Path) -> Catalog:
    with po.open("rb") as file:
        return read_po(file, locale=po.parts[-3], abort_invalid=True)


def faults(korean: Catalog, template: Catalog) -> list[str]:
    """Everything that is wrong with a translation of `template`."""
    found = [f"missing: {key}" for key in _ids(template) - _ids(korean)]
    found += [f"left over: {key}" for key in _ids(korean) - _ids(template)]
    found += [f"obsolete: {key}" for key in korean.obsolete]
    for message in filter(lambda message: message.id, korean):
        found += [f"{fault}: {_forms(message.id)[0]}" for fault in _faults_of(message)]
    return sorted(found)


def _faults_of(message: Message) -> Iterator[str]:
    if message.fuzzy:
        yield "fuzzy"
    wanted = [_gaps(form) for form in _forms(message.id)]
    for form in _forms(message.string):
        if not form:
            yield "untranslated"
        elif _gaps(form) not in wanted:
            yield "other gaps"
        elif not HANGUL.search(form) and _needs_hangul(_forms(message.id)[0]):
            yield "not Korean"


def _ids(messages: Catalog) -> set[str]:
    """The ids; a message in which something is counted has two, and is known by the first."""
    return {_forms(message.id)[0] for message in messages if message.id}


def _forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _gaps(form: str) -> set[tuple[str, str | None, str | None]]:
    """(name, format specification, conversion) of each gap."""
    return {(name, spec, conv) for _, name, spec, conv in Formatter().parse(form) if name}


def _needs_hangul(msgid: str) -> bool:
    own_words = "".join(literal for literal, *_ in Formatter().parse(msgid))
    return bool(re.search("[a-zA-Z]", own_words)) and msgid not in NO_HANGUL_NEEDED


# --- the catalogue ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template() -> Catalog:
    return collected(PACKAGE)


@pytest.fixture(scope="module")
def korean() -> Catalog:
    return catalogue(MESSAGES / "tcplab.po")


def test_every_message_has_a_korean_translation(korean, template):
    assert len(_ids(template)) > 300
    assert faults(korean, template) == []


def test_every_sentence_in_the_code_is_collected(template):
    """Babel sees neither a `Text` inside an f-string nor one whose id is no literal."""
    hidden = [
        f"{file.relative_to(PACKAGE)}:{call.lineno}"
        for file in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Text"
        if not isinstance(call.args[0], ast.Constant) or call.args[0].value not in template
    ]
    assert hidden == []


def test_every_english_sentence_can_be_written_in_seven_bits(template):
    """For --ascii, and for a terminal without Unicode."""
    assert [each for each in _ids(template) if not plain(each).isascii()] == []


def test_catalogue_compiles(korean):
    compiled = BytesIO()
    write_mo(compiled, korean)
    compiled.seek(0)
    translate = GNUTranslations(compiled).gettext
    assert translate("{seconds} s later") == "{seconds}초 뒤"


def test_installed_package_has_the_catalogue_as_it_is(korean):
    """If this fails in a checkout: `pybabel compile -D tcplab -d tcplab/locale`."""
    with (MESSAGES / "tcplab.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for each in korean:
        if each.id and each.pluralizable:
            assert compiled.ngettext(*each.id, 1) == each.string[0]
        elif each.id:
            assert compiled.gettext(each.id) == each.string


# --- the checks find what they look for ---------------------------------------------------------

TEMPLATE = Catalog()
TEMPLATE.add("{count} octets from {host!r}")
TEMPLATE.add("TTL")
TEMPLATE.add(("one thing: {thing}", "things: {things}"))


def translated(octets: str = "{host!r} 쪽이 보낸 {count}바이트", **more: str) -> Catalog:
    made = Catalog(locale="ko")
    made.add("{count} octets from {host!r}", octets, flags=more.pop("flags", ()))
    made.add("TTL", "TTL")
    made.add(("one thing: {thing}", "things: {things}"), ("물건: {things}",))
    for msgid, msgstr in more.items():
        made.add(msgid, msgstr)
    return made


def test_whole_catalogue_has_no_faults():
    assert faults(translated(), TEMPLATE) == []


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (translated(""), "untranslated"),
        (translated(flags=("fuzzy",)), "fuzzy"),
        (translated("{count}바이트"), "other gaps"),
        (translated("{host!r} 쪽이 보낸 {number}바이트"), "other gaps"),
        (translated("{host} 쪽이 보낸 {count}바이트"), "other gaps"),
        (translated("{host!r} 쪽이 보낸 {count:x}바이트"), "other gaps"),
        (translated("{count} octets from {host!r}"), "not Korean"),
    ],
)
def test_fault_in_a_translation_is_found(broken, fault):
    assert faults(broken, TEMPLATE) == [f"{fault}: {{count}} octets from {{host!r}}"]


def test_missing_message_is_found():
    broken = translated()
    broken.delete("TTL")
    assert faults(broken, TEMPLATE) == ["missing: TTL"]


def test_message_that_nobody_says_is_found():
    assert faults(translated(gone="없음"), TEMPLATE) == ["left over: gone"]


def test_obsolete_message_is_found():
    broken = read_po(BytesIO('#~ msgid "gone"\n#~ msgstr "없음"\n'.encode()), locale="ko")
    assert "obsolete: gone" in faults(broken, TEMPLATE)


def test_sentence_in_an_f_string_is_not_collected(tmp_path):
    (tmp_path / "said.py").write_text("""print(f"{Text('hidden')}", Text("seen"))\n""")
    assert _ids(collected(tmp_path)) == {"seen"}


# --- in the terminal ----------------------------------------------------------------------------

SIGNS = {getattr(theme.UNICODE, sign) for sign in ("lifeline", "silence", "change", "fork", "join")}


def signs_at(line: str, cells: tuple[int, ...]) -> list[str]:
    """What stands in those cells of the line."""
    starts = {cell_len(line[:at]): sign for at, sign in enumerate(line)}
    return [starts.get(cell, "") for cell in cells]


@pytest.mark.parametrize("name", samples.ALL)
def test_korean_run_fits_every_width_with_its_lifelines_aligned(name):
    timeline = samples.ALL[name]()
    findings = explain(timeline)
    say = speaker(Language.KO)
    for width in range(40, 141):
        ladder = printed(Ladder(timeline, say=say), width=width).splitlines()
        sentences = printed(Findings(findings, timeline, say=say), width=width).splitlines()
        assert [line for line in ladder + sentences if cell_len(line) > width] == []
        ground = next(n for n, line in enumerate(ladder) if theme.UNICODE.ground in line)
        lifelines = tuple(
            cell_len(ladder[ground][:at])
            for at, sign in enumerate(ladder[ground])
            if sign == theme.UNICODE.ground
        )
        for line in ladder[ground + 1 : ladder.index("") if "" in ladder else None]:
            assert SIGNS.issuperset(signs_at(line, lifelines)), (width, line)


def ran(program: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """(exit status, all that it printed)."""
    kept = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}
    ended = subprocess.run(
        [program, *arguments],
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--lang", "ko", "--help"), 0, "사용법: tcplab"),
        (("--help", "--lang=ko"), 0, "버전을 보여 주고 끝냄."),
        (("handshake", "--help", "--lang", "ko"), 0, "서버 포트: 번호 또는 서비스 이름."),
        (("teardown", "--lang", "ko", "--help"), 0, "[기본값: client-first]"),
        (("doctor", "--lang", "ko", "--help"), 0, "이 도움말을 보여 주고 끝냄."),
        (("handshake", "--lang", "ko", "--client", "kernel"), 0, "3-way handshake: 양쪽의 ACK가"),
        (("handshake", "-p", "70000", "--lang", "ko"), 2, "포트 70000번은 없습니다."),
        (("handshake", "a", "b", "c", "--lang", "ko"), 2, "필요 없는 인자가 더 있습니다: b c"),
        (("teardown", "--how", "x", "--lang", "ko"), 2, "'x' 대신 다음 가운데 하나를 쓰세요:"),
    ],
)
def test_asked_for_korean_it_speaks_korean(tcplab_program, arguments, status, words):
    code, printed_words = ran(tcplab_program, *arguments)
    assert code == status
    assert words in printed_words


def test_korean_locale_without_lang_speaks_korean(tcplab_program):
    assert "사용법:" in ran(tcplab_program, "--help", LC_ALL="", LANG="ko_KR.UTF-8")[1]


def test_lang_en_in_a_korean_locale_speaks_english(tcplab_program):
    code, words = ran(tcplab_program, "--lang", "en", "--help", LC_ALL="", LANG="ko_KR.UTF-8")
    assert code == 0
    assert not HANGUL.search(words)


@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize(
    "arguments", [("--help",), ("handshake", "--help"), ("teardown", "--help"), ("doctor",)]
)
def test_korean_page_fits_the_terminal(tcplab_program, arguments, columns):
    _, words = ran(tcplab_program, *arguments, "--lang", "ko", COLUMNS=str(columns))
    lines = [line for line in words.splitlines() if HANGUL.search(line)]
    assert len(lines) > 5
    assert [line for line in lines if cell_len(line) > columns] == []
