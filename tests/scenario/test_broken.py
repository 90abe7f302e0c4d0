"""Each file in broken/ has one mistake, and says in its first two lines what is told about it."""

from pathlib import Path

import pytest

from tcplab.errors import Exit
from tcplab.scenario.mistake import ScenarioError
from tcplab.scenario.reader import parse

BROKEN = sorted(Path(__file__).with_name("broken").glob("*.toml"))


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_mistake_names_file_line_and_what_to_do(file: Path):
    text = file.read_text()
    what, remedy = (line.removeprefix("# ") for line in text.split("\n")[:2])
    with pytest.raises(ScenarioError) as caught:
        parse(text, name=file.stem, source=file.name)
    assert (str(caught.value.what), str(caught.value.remedy)) == (what, remedy)
    assert what.startswith(f"{file.name}:{caught.value.line}: ")
    assert caught.value.status is Exit.USAGE


def test_there_are_enough_of_them():
    assert len(BROKEN) > 70
