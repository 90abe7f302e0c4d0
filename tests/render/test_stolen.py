"""A stolen login is what a stranger sent: it must not do anything to who looks at it."""

import json
import unicodedata
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tcplab.analysis.explain import explain
from tcplab.render.document import document
from tcplab.render.findings import Findings
from tcplab.render.ladder import Ladder
from tcplab.render.svg import svg
from tcplab.render.wording import SeqForm
from tcplab.timeline.timeline import Timeline
from tests.analysis.test_stolen import LOGIN, telling
from tests.render.printing import printed

HOSTILE = {
    "escape sequence": (b"\x1b]0;owned\x07\x1b[2J\x1b[31m", "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31m"),
    "rich markup": (b"[bold red]x[/][link=http://a]", "[bold red]x[/][link=http://a]"),
    "bidi control": ("\u202egro.elpmaxe\u2066".encode(), "\\u202egro.elpmaxe\\u2066"),
    "invalid UTF-8": (b"\xff\xfe\xc3(\x80", "\\xff\\xfe\\xc3(\\x80"),
    "C1 control": ("\x9b31m".encode(), "\\x9b31m"),
    "xml": (b"</text><script>", "</text><script>"),
}


@pytest.fixture(params=HOSTILE)
def stolen(request) -> tuple[Timeline, str]:
    """A run in which that was a password, and how it is to be shown."""
    octets, shown = HOSTILE[request.param]
    timeline = telling(LOGIN, b"USER alice\r\n", b"PASS " + octets + b"\r\n")
    return timeline, shown


def unprintable(text: str) -> set[str]:
    return {each for each in text if unicodedata.category(each)[0] == "C" and each != "\n"}


def test_in_a_terminal(stolen):
    timeline, shown = stolen
    findings = [each for each in explain(timeline) if each.id == "steal.credentials"]
    text = printed(
        Ladder(timeline, say=str, seq=SeqForm.RELATIVE), Findings(findings, timeline, say=str),
        width=140,
    )  # fmt: skip
    assert f"password {shown}." in " ".join(text.split())
    assert not unprintable(text)


def test_in_json(stolen):
    timeline, shown = stolen
    made = json.dumps(document(timeline, explain(timeline), str), ensure_ascii=False)
    sentences = [each["sentence"] for each in json.loads(made)["findings"]]
    assert any(f"password {shown}." in sentence for sentence in sentences)
    assert not unprintable(made)
    made.encode()  # no lone surrogate is left


def test_in_a_picture(stolen):
    timeline, shown = stolen
    made = svg(timeline, explain(timeline), say=str, seq=SeqForm.RELATIVE)
    root = ElementTree.fromstring(made)
    text = " ".join("".join(each.itertext()) for each in root.iter() if each.tag.endswith("text"))
    assert f"password {shown}." in " ".join(text.split())
    assert not unprintable(made)
    assert not [each for each in root.iter() if each.tag.endswith("script")]


def test_a_search_is_told_in_words():
    timeline = telling(LOGIN, b"USER alice\r\n", b"PASS s3cret\r\n")
    text = printed(Ladder(timeline, say=str, seq=SeqForm.RELATIVE), width=100)
    assert "attacker: searches what it has heard; logins found: 1" in text


def test_a_forged_segment_is_told_as_forged():
    timeline = telling(LOGIN, b"USER alice\r\n", b"PASS s3cret\r\n")
    event = replace(
        timeline.events[6], sender="attacker", fate=type(timeline.events[6].fate)("injected")
    )
    timeline = replace(timeline, events=(*timeline.events[:6], event, *timeline.events[7:]))
    text = printed(Ladder(timeline, say=str, seq=SeqForm.RELATIVE), width=100)
    assert "forged by the attacker" in text
