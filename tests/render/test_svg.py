"""The ladder as an SVG."""

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.analysis.explain import explain
from tcplab.analysis.finding import Finding, Verdict
from tcplab.render.markup import element, escaped
from tcplab.render.svg import svg
from tcplab.render.wording import SeqForm
from tcplab.text import Text

from . import plays, samples

NS = "{http://www.w3.org/2000/svg}"


def parsed(timeline, findings=(), **options) -> ElementTree.Element:
    return ElementTree.fromstring(svg(timeline, findings, say=str, **options))


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{NS}text")]


def arrows(root: ElementTree.Element) -> list[tuple[float, ...]]:
    lines = (line for line in root.iter(f"{NS}line") if "arrow" in line.get("class", ""))
    return [tuple(float(line.get(key, "")) for key in ("x1", "y1", "x2", "y2")) for line in lines]


@pytest.mark.parametrize("say", [str, samples.korean])
@pytest.mark.parametrize("name", samples.ALL)
def test_every_sample_is_valid_and_self_contained(name, say):
    document = svg(samples.ALL[name](), samples.four_way_findings(), say=say)
    root = ElementTree.fromstring(document)
    assert (root.get("role"), root.get("width")) == ("img", "900")
    assert root.find(f"{NS}title").text.startswith("tcplab ")
    assert not re.search(r"href|url\(|@import|@font-face|<script", document)


def test_it_tells_the_flags_numbers_states_calls_and_findings():
    said = texts(parsed(samples.four_way(), samples.four_way_findings()))
    for words in (
        "[SYN]seq 0",
        "[SYN, ACK]seq 0 ack 1",
        "ISN 3021554771 MSS 1460 SACK TS WS 10",
        "[FIN, ACK]seq 17 ack 1",
        "connect()",
        "read() → 0 (end of file)",
        "SYN-RECEIVED",
        "TIME-WAIT",
        "states crafted",
        "states observed",
        "The client closed first, so the client now holds TIME-WAIT.",
        "[6 8]",
        '"GET / HTTP/1.0\\r\\n"',
    ):
        assert words in said, words
    assert [word for word in said if word.isdecimal()] == [str(n) for n in range(1, 10)]


def test_description_tells_every_segment_to_those_who_hear_it():
    root = parsed(samples.four_way())
    described = root.find(f"{NS}desc").text.splitlines()
    assert described[1] == (
        "2: server → client [SYN, ACK] seq 0 ack 1 (ESTABLISHED | SYN-RECEIVED)"
    )
    assert len(described) == 9


def test_arrows_fall_because_time_runs_down():
    assert all(y2 > y1 for _, y1, _, y2 in arrows(parsed(samples.four_way())))


def test_segments_that_crossed_cross_in_the_picture():
    first, second = arrows(parsed(samples.simultaneous_close()))[3:5]
    assert first[0] < first[2]
    assert second[0] > second[2]
    assert second[1] < first[3]
    assert first[1] < second[3]


def test_segments_that_did_not_cross_do_not_touch():
    drawn = arrows(parsed(samples.four_way()))
    assert all(later[1] > earlier[3] for earlier, later in pairwise(drawn))


def test_lost_segment_stops_before_the_other_lifeline():
    drawn = arrows(parsed(samples.retransmission()))
    assert drawn[3][2] < 600 < drawn[4][2]


def test_an_end_of_which_nothing_is_known_has_a_lifeline_without_bars():
    root = parsed(samples.prohibited())
    bars = [
        float(each.get("x"))
        for each in root.iter(f"{NS}rect")
        if each.get("class", "").startswith("bar ") and float(each.get("height")) != 8  # the legend
    ]
    left = min(x for x, *_ in arrows(root))
    assert bars != []
    assert all(x < left for x in bars)
    assert "?" in texts(root)
    assert "state unknown" in texts(root)


def test_absolute_numbers():
    said = texts(parsed(samples.four_way(), seq=SeqForm.ABSOLUTE))
    assert "[SYN, ACK]seq 998877661 ack 3021554772" in said


@pytest.mark.parametrize("name", plays.ALL)
def test_every_play_is_valid_and_tells_its_findings(name):
    timeline = plays.ALL[name]()
    said = texts(parsed(timeline, explain(timeline)))
    assert any("Three-way handshake" in words for words in said)


def test_settings_acts_expectations_and_what_was_folded_are_told():
    said = texts(parsed(plays.pulled_cable()))
    for words in (
        "server, client: net.ipv4.tcp_retries2 = 3 (default 15)",
        "✂ cut server",
        "dropped: cut server",
        "client.retransmitted.data >= 1",
        "server.state was ESTABLISHED",
    ):
        assert words in said, words
    assert "… 92 more segments, 59.6 KiB …" in texts(parsed(plays.download()))
    assert "connection c10 · 40132 → 80" in texts(parsed(plays.ten_connections()))


def test_verbose_picture_holds_every_segment():
    timeline = plays.download()
    assert len(arrows(parsed(timeline))) == 7
    assert len(arrows(parsed(timeline, verbose=True))) == 99


def test_settings_make_room_above_the_lifelines():
    plain, told = (
        parsed(timeline) for timeline in (samples.retransmission(), plays.pulled_cable())
    )
    assert arrows(told)[0][1] - arrows(plain)[0][1] == 3 * 16


def test_hostile_bytes_come_out_as_text():
    finding = Finding(
        id="x",
        verdict=Verdict.NO,
        sentence=Text("</text><script>{x}", x="\x00\x1b\ud800\ufffe\u202e"),
    )
    document = svg(samples.hostile(), [finding], say=str)
    said = texts(ElementTree.fromstring(document))
    assert "</text><script>\\0\\x1b\\ud800\\ufffe\\u202e" in said
    assert "tcplab handshake \\x1b[31m<b>&" in said
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", document)


@given(payload=st.binary(max_size=80), name=st.text(max_size=20))
def test_any_payload_and_any_name_give_valid_xml(payload, name):
    story = samples.Story()
    story.segment(0, "client", "PA", 1, 1, payload=payload)
    story.call(10, "client", name, result=name)
    ElementTree.fromstring(svg(story.timeline(command=(name,)), (), say=str))


def test_interrupted_run_and_lost_frames_are_told():
    said = texts(parsed(samples.reset()))
    assert "The capture lost 3 frames: nothing is proved." in said
    assert "Cut short: this is what was seen until then." in said


def test_timeline_without_events_is_drawn():
    timeline = replace(samples.four_way(), events=())
    assert "No segment was seen." in texts(parsed(timeline))


def test_elements_escape_text_and_attributes():
    assert element("a", text="<&>", class_='"x"', text_anchor="end", x=1.25, y=2) == (
        '<a class="&quot;x&quot;" text-anchor="end" x="1.2" y="2">&lt;&amp;&gt;</a>'
    )


def test_characters_that_xml_forbids_are_dropped():
    assert escaped("a\x00\x1b\ud800\uffffb\n") == "ab\n"
