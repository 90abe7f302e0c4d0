"""A stolen login is what a stranger sent: it must not do anything to who looks at it."""

import json
import re
import unicodedata
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from tcplab.analysis.ciphertext import sees
from tcplab.analysis.explain import explain
from tcplab.render.document import document
from tcplab.render.findings import Findings
from tcplab.render.ladder import Ladder
from tcplab.render.svg import svg
from tcplab.render.wording import SeqForm
from tcplab.timeline.timeline import Timeline
from tests.analysis.test_ciphertext import session
from tests.analysis.test_stolen import LOGIN, PASS, STEAL, USER, said, telling
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
    words = "attacker: searches what it has heard: alice / s3cret (USER, PASS)"
    assert words in rung(timeline)
    assert words in pictured(timeline)


def rung(timeline: Timeline, *, ascii_only: bool = False) -> str:
    """What stands between the lifelines of the terminal's ladder, without its line breaks."""
    ladder = Ladder(timeline, say=str, seq=SeqForm.RELATIVE, ascii_only=ascii_only)
    middles = re.findall(r"[│|](.*)[│|]", printed(ladder, width=140))
    return " ".join(" ".join(middles).split())


def pictured(timeline: Timeline) -> str:
    """What the SVG's ladder, above its findings, says of it."""
    root = ElementTree.fromstring(svg(timeline, (), say=str, seq=SeqForm.RELATIVE))
    return " ".join("".join(each.itertext()) for each in root.iter() if each.tag.endswith("text"))


def test_a_ladder_names_the_login_and_is_harmless(stolen):
    timeline, shown = stolen
    for text in (rung(timeline), rung(timeline, ascii_only=True), pictured(timeline)):
        assert f"searches what it has heard: alice / {shown} (USER, PASS)" in text
        assert not unprintable(text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_ladder_is_harmless_whatever_the_name(name):
    octets, shown = HOSTILE[name]
    timeline = telling(LOGIN, b"USER " + octets + b"\r\n", b"PASS s3cret\r\n")
    for text in (rung(timeline), pictured(timeline)):
        assert f"searches what it has heard: {shown} / s3cret (USER, PASS)" in text
        assert not unprintable(text)


def test_a_long_login_is_cut_and_fits_every_width():
    timeline = telling(LOGIN, b"USER " + b"u" * 400 + b"\r\n", b"PASS " + b"p" * 400 + b"\r\n")
    cut = "u" * 63 + "…/" + "p" * 63 + "…(USER,PASS)"
    assert f"searches what it has heard: {cut}".replace(" ", "") in rung(timeline).replace(" ", "")
    for width in (40, 60, 80, 100):
        text = printed(Ladder(timeline, say=str, seq=SeqForm.RELATIVE), width=width)
        assert max(map(cell_len, text.splitlines())) <= width
    words = pictured(timeline)
    assert "u" * 51 not in words  # lines of 50 cells: none runs out of the picture
    assert "u" * 40 in words


def test_of_many_logins_a_ladder_names_three():
    users = b"".join(b"USER u%d\r\nPASS p%d\r\n" % (n, n) for n in range(5))
    timeline = telling(said("client PA data=?", STEAL.replace("1", "5")), users)
    assert rung(timeline).count("(USER, PASS)") == 3
    assert "u2 / p2 (USER, PASS), and 2 more" in rung(timeline)


def test_nothing_found_is_said():
    timeline = telling(said("client PA data=?", STEAL.replace("1", "0")), b"NOOP\r\n")
    assert "searches what it has heard; logins found: 0" in rung(timeline)


def test_where_the_attacker_counted_otherwise_nothing_is_named():
    timeline = telling(LOGIN.replace(STEAL, STEAL.replace("1", "0")), USER, PASS)
    assert "searches what it has heard; logins found: 0" in rung(timeline)


def test_under_tls_a_ladder_says_what_was_seen_instead():
    octets = session()
    acts = said("client PA data=?", "server PA data=?", STEAL.replace("1", "0"))
    timeline = telling(acts, *octets)
    protected = sum(
        record.octets for each in octets if (seen := sees(each)) for record in seen.application
    )
    words = (
        "searches what it has heard: TLS 1.3, TLS 1.2 for mail.example, application data "
        f"{protected} octets"
    )
    assert protected > 0
    assert words in rung(timeline)
    assert words in pictured(timeline)


def test_hostile_server_name_is_harmless_in_a_ladder():
    client, server = session()
    hostile = client.replace(b"mail.example", b"ma\x1b[1m\xff\xe2\x80\xaeil")
    assert len(hostile) == len(client)
    acts = said("client PA data=?", "server PA data=?", STEAL.replace("1", "0"))
    timeline = telling(acts, hostile, server)
    for text in (rung(timeline), pictured(timeline)):
        assert "application data" in text
        assert not unprintable(text)


@pytest.mark.parametrize(
    ("name", "words"),
    [(None, "heard: TLS 1.3, TLS 1.2, application data"), ("a.b", "TLS 1.2 for a.b, application")],
)
def test_a_server_that_was_not_named(name, words):
    acts = said("client PA data=?", "server PA data=?", STEAL.replace("1", "0"))
    assert words in rung(telling(acts, *session(name)))


def test_a_forged_segment_is_told_as_forged():
    timeline = telling(LOGIN, b"USER alice\r\n", b"PASS s3cret\r\n")
    event = replace(
        timeline.events[6], sender="attacker", fate=type(timeline.events[6].fate)("injected")
    )
    timeline = replace(timeline, events=(*timeline.events[:6], event, *timeline.events[7:]))
    text = printed(Ladder(timeline, say=str, seq=SeqForm.RELATIVE), width=100)
    assert "forged by the attacker" in text
    assert "sent by attacker" not in text
