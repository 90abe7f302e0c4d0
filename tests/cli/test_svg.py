"""`--svg`: the ladder as a picture, for every kind of run."""

from collections import Counter
from xml.etree import ElementTree

import pytest

from tests.cli.runs import KINDS, Kind

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=KINDS, ids=str)
def made(request, kept):
    kind: Kind = request.param
    return kept(kind)


@pytest.fixture
def picture(made) -> ElementTree.Element:
    root = ElementTree.parse(made.svg).getroot()
    assert root.tag == f"{SVG}svg"
    return root


def texts(picture, kind: str) -> list[str]:
    """The words of that class."""
    return [
        "".join(found.itertext())
        for found in picture.iter()
        if kind in found.get("class", "").split()
    ]


def test_every_segment_is_a_numbered_arrow_with_its_flags(made, picture):
    segments = [made.numbered[number] for number in sorted(made.numbered)]
    letters = {"S": "SYN", "A": "ACK", "F": "FIN", "P": "PSH", "R": "RST"}
    assert texts(picture, "number") == [str(number) for number in sorted(made.numbered)]
    assert len(texts(picture, "arrow")) == len(segments)
    assert [{*shown.strip("[]").split(", ")} for shown in texts(picture, "flags")] == [
        {letters[letter] for letter in segment["flags"]} for segment in segments
    ]


def test_every_state_that_an_end_took_stands_on_its_lifeline(made, picture):
    pills = [f.get("class", "").split()[0] for f in picture.iter(f"{SVG}rect")].count("pill")
    shown = Counter(texts(picture, "ink"))
    taken = Counter(event["new"] for event in made.told("state"))
    taken["CLOSED"] += 2  # where both ends began
    assert pills == taken.total()
    assert {state: shown[state] for state in taken} == dict(taken)


def test_every_finding_is_told_under_the_ladder(made, picture):
    words = " ".join(texts(picture, "words"))
    findings = made.document["findings"]
    told = [each["sentence"] for each in findings if not each["id"].startswith("expect.")]
    expected = made.told("expect")
    met = sum(event["met"] for event in expected)
    count = [f"Expectations met: {met} of {len(expected)}."] if expected else []
    assert all(sentence in words for sentence in (*told, *count))


def test_expectations_that_were_met_are_counted_and_do_not_stand_in_the_ladder(made, picture):
    words = " ".join(texts(picture, "small"))
    assert all(event["met"] for event in made.told("expect"))
    assert not any(event["predicate"] in words for event in made.told("expect"))


@pytest.mark.parametrize(
    "command", [("teardown", "--how", "simultaneous", "-v"), ("run", "simultaneous")], ids=" ".join
)
def test_every_expectation_stands_in_the_ladder(run, tmp_path, command):
    done = run(*command, "--svg", "run.svg")
    picture = ElementTree.parse(tmp_path / "run.svg").getroot()
    for words in (" ".join(texts(picture, "small")), done.out):
        assert "client.state == TIME-WAIT" in words


def test_it_suits_dark_pages_and_refers_to_nothing_outside_itself(picture, made):
    style = picture.find(f"{SVG}style")
    assert style is not None
    assert "@media (prefers-color-scheme: dark)" in style.text
    assert not [found for found in picture.iter() if {"href", "src"} & {*found.attrib}]
    assert "url(" not in style.text
    assert "@import" not in style.text
