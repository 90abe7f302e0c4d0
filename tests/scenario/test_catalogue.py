"""The shipped scenarios: every file reads, is in the index, and speaks both languages."""

import re
from pathlib import Path

import pytest

from tcplab.errors import UsageError
from tcplab.scenario import catalogue
from tcplab.scenario.steps import At, Await, Expect
from tests.scenario.languages import english, korean

FOLDER = Path(catalogue.FOLDER)
HANGUL = re.compile("[가-힣]")
FILES = sorted(FOLDER.glob("*/*.toml"))

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@every_file
def test_file_is_a_scenario_of_its_group(file: Path):
    scenario = catalogue.load(file.stem)
    assert (scenario.name, scenario.group) == (file.stem, file.parent.name)
    assert catalogue.group_of(file.stem) == file.parent.name
    assert catalogue.text(file.stem) == file.read_text()


@every_file
def test_file_is_said_in_both_languages(file: Path):
    scenario = catalogue.load(file.stem)
    for text in (scenario.title, scenario.story, scenario.notice):
        assert HANGUL.search(korean(text))
        assert not HANGUL.search(english(text))
        assert not re.search(r"^\s|\s$|\s\s", english(text) + "|" + korean(text))


@every_file
def test_file_states_its_outcome(file: Path):
    steps = catalogue.load(file.stem).steps
    assert any(
        isinstance(step, Expect | Await) or (isinstance(step, At) and step.result) for step in steps
    )


def test_index_has_every_file_once_and_nothing_else():
    indexed = [(group.name, name) for group in catalogue.groups() for name in group.scenarios]
    assert sorted(indexed) == sorted((file.parent.name, file.stem) for file in FILES)
    assert len({name for _group, name in indexed}) == len(indexed)
    assert catalogue.names() == tuple(name for _group, name in indexed)


def test_groups_have_titles_in_both_languages():
    names = [group.name for group in catalogue.groups()]
    assert names == ["opening", "closing", "resets", "silence", "timers"]
    for group in catalogue.groups():
        assert HANGUL.search(korean(group.title))
        assert english(group.title).isascii()


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("three-wya", "Did you mean three-way? See tcplab run --list."),
        ("nothing-like-it", "See tcplab run --list."),
        ("../catalogue/opening/three-way", None),
        ("", "See tcplab run --list."),
    ],
)
def test_unknown_name(name, remedy):
    with pytest.raises(UsageError) as caught:
        catalogue.load(name)
    assert str(caught.value.what) == f"There is no scenario named {name!r}."
    assert remedy in (None, str(caught.value.remedy))
