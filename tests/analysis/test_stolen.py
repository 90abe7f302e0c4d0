"""What an attacker got who hears everything, told with the segments that it came from."""

from dataclasses import replace

from tcplab.analysis.explain import explain
from tcplab.timeline.events import Fate, SegmentEvent, WireEvent
from tcplab.timeline.timeline import Timeline
from tests.analysis.ladder import OPEN, finding, ladder
from tests.analysis.test_ciphertext import session

USER, PASS = b"USER alice\r\n", b"PASS s3cret\r\n"
STEAL = "attacker steal() 1"


def telling(text: str, *payloads: bytes) -> Timeline:
    """The ladder, its segments with data carrying these in turn."""
    for payload in payloads:
        text = text.replace("data=?", f"data={len(payload)}", 1)
    timeline = ladder(text)
    rest = iter(payloads)
    return replace(
        timeline,
        events=tuple(
            replace(event, segment=replace(event.segment, payload=next(rest)))
            if isinstance(event, SegmentEvent) and event.segment.payload
            else event
            for event in timeline.events
        ),
    )


def said(*acts: str) -> str:
    """The opening, then these, at which all is open."""
    rest = "\n".join(f"{act} | ESTABLISHED ESTABLISHED" for act in acts)
    return OPEN + rest


LOGIN = said("client PA data=?", "client PA data=?", STEAL)


def test_stolen_login_cites_the_segments_that_carried_it():
    assert finding(telling(LOGIN, USER, PASS), "steal.credentials") == (
        "yes",
        (
            "The attacker has read a login of the client as it went by (USER, PASS): name alice, "
            "password s3cret. Nothing had to be broken: it was not encrypted."
        ),
        (5, 6, 7),
    )


def test_nobody_searched_nothing_is_told():
    timeline = telling(said("client PA data=?", "client PA data=?"), USER, PASS)
    assert not [each for each in explain(timeline) if each.id.startswith("steal")]


def test_what_passes_after_the_search_was_not_stolen():
    timeline = telling(said("client PA data=?", STEAL, "client PA data=?"), USER, PASS)
    assert finding(timeline, "steal.credentials") is None
    verdict, sentence, events = finding(timeline, "steal.nothing")
    assert (verdict, events) == ("no", (6,))
    assert "there was no login in it" in sentence


def test_what_was_lost_on_the_way_was_not_heard():
    timeline = telling(said("client PA data=?", "client PA data=? fate=dropped", STEAL), USER, PASS)
    assert finding(timeline, "steal.credentials") is None


def test_what_was_for_a_host_without_a_cable_was_heard():
    timeline = telling(said("client PA data=?", "client PA data=? fate=dropped", STEAL), USER, PASS)
    cut = WireEvent(i=len(timeline.events), at_ns=0, cause=6, rule="cut server", segment=6)
    timeline = replace(timeline, events=(*timeline.events, cut))
    assert finding(timeline, "steal.credentials")[2] == (5, 6, 7)


def test_what_the_attacker_said_itself_was_not_stolen():
    timeline = telling(
        said("client PA data=? fate=injected", "client PA data=? fate=injected", STEAL), USER, PASS
    )
    assert timeline.events[5].fate is Fate.INJECTED
    assert finding(timeline, "steal.credentials") is None


def test_a_long_secret_is_cut_short():
    timeline = telling(LOGIN, USER, b"PASS " + b"x" * 300 + b"\r\n")
    _verdict, sentence, _events = finding(timeline, "steal.credentials")
    assert f"password {'x' * 63}…." in sentence


def test_under_tls_only_names_and_lengths_are_seen():
    up, down = session()
    acts = said("client PA data=?", "server PA data=?", STEAL.replace("1", "0"))
    timeline = telling(acts, up, down)
    assert finding(timeline, "steal.credentials") is None
    assert finding(timeline, "steal.nothing") is None
    verdict, sentence, events = finding(timeline, "steal.ciphertext")
    assert (verdict, events) == ("yes", (5, 6, 7))
    assert "the name of the server (mail.example)" in sentence
    assert "the versions offered (TLS 1.3, TLS 1.2)" in sentence
    assert "records of application data" in sentence
    assert "alice" not in sentence
