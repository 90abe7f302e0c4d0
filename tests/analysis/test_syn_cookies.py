"""SYN cookies: what a server that keeps nothing shows of itself."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tcplab.analysis.explain import explain
from tcplab.tcp.options import MaximumSegmentSize, Option, SackPermitted, Timestamps, WindowScale
from tcplab.tcp.segment import Address
from tcplab.timeline.events import ExpectEvent, SegmentEvent
from tcplab.timeline.timeline import Setting, Timeline

from .ladder import finding, ids, ladder

OPENED = """
    server listen() 0    | CLOSED       LISTEN
    client S             | SYN-SENT     LISTEN
    server SA by=1       | ESTABLISHED  LISTEN
    client A             | ESTABLISHED  ESTABLISHED
"""


def asked(*isn: int, answers: Iterable[int], mss: Iterable[int] = ()) -> Timeline:
    """SYNs with these ISNs, their cookies (all relative) and sizes."""
    lines = ["server listen() 0 | CLOSED LISTEN"]
    for number, (own, cookie) in enumerate(zip(isn, answers, strict=True)):
        lines.append(f"client S seq={own} | CLOSED LISTEN")
        lines.append(f"server SA seq={cookie} ack={own + 1} by={2 * number + 1} | CLOSED LISTEN")
    timeline = ladder("\n".join(lines))
    for number, size in enumerate(mss):
        timeline = with_options(timeline, 2 * number + 1, MaximumSegmentSize(size))
    return timeline


def with_options(timeline: Timeline, i: int, *options: Option) -> Timeline:
    def changed(event):
        if event.i != i or not isinstance(event, SegmentEvent):
            return event
        return replace(event, segment=replace(event.segment, options=options))

    return replace(timeline, events=tuple(map(changed, timeline.events)))


def over_ip6(timeline: Timeline) -> Timeline:
    def changed(event):
        if not isinstance(event, SegmentEvent):
            return event
        moved = replace(
            event.segment,
            src=Address("2001:db8::1", event.segment.src.port),
            dst=Address("2001:db8::2", event.segment.dst.port),
        )
        return replace(event, segment=moved)

    return replace(timeline, events=tuple(map(changed, timeline.events)))


# --- nothing is kept ----------------------------------------------------------------------------


def test_syn_ack_of_a_server_in_listen_is_a_cookie():
    verdict, sentence, events = finding(asked(0, answers=[0]), "cookie.no-socket")
    assert verdict == "yes"
    assert "only its listener (LISTEN, observed)" in sentence
    assert events == (1, 2)
    assert ids(asked(0, answers=[0])) == ["cookie.no-socket"]


def test_syn_ack_of_a_server_in_syn_received_is_none():
    timeline = ladder("""
        server listen() 0    | CLOSED       LISTEN
        client S             | SYN-SENT     SYN-RECEIVED
        server SA by=1       | ESTABLISHED  SYN-RECEIVED
        client A             | ESTABLISHED  ESTABLISHED
    """)
    assert not [each for each in ids(timeline) if each.startswith("cookie.")]


def test_server_that_nobody_looked_into_claims_nothing():
    timeline = ladder("client S\nserver SA by=0\nclient A")
    assert not [each for each in ids(timeline) if each.startswith("cookie.")]


# --- two of them --------------------------------------------------------------------------------


def test_same_syn_same_cookie():
    verdict, sentence, events = finding(asked(0, 0, answers=[0, 0]), "cookie.same")
    assert (verdict, events) == ("yes", (1, 2, 3, 4))
    assert "The same SYN again got the same ISN again (100)" in sentence


def test_higher_isn_as_much_higher_a_cookie():
    verdict, sentence, _events = finding(asked(0, 1000, answers=[0, 1000]), "cookie.isn")
    assert verdict == "yes"
    assert "The client's ISN was 1000 higher" in sentence


@pytest.mark.parametrize("wrap", [0, 1 << 24, -(1 << 24)])
def test_other_mss_differs_by_its_place_among_four(wrap):
    timeline = asked(0, 0, answers=[0, (wrap - 3) % 2**32], mss=[1460, 536])
    verdict, sentence, _events = finding(timeline, "cookie.mss")
    assert verdict == "yes"
    assert "differs by -3" in sentence
    assert "536, 1300, 1440, 1460" in sentence
    assert sentence.endswith("number 0 in place of 3.")


@pytest.mark.parametrize(
    ("size", "index"), [(40, 0), (536, 0), (1299, 0), (1300, 1), (1439, 1), (1440, 2), (9000, 3)]
)
def test_size_counts_as_the_nearest_below(size, index):
    timeline = asked(0, 0, answers=[0, (index - 3) % 2**32], mss=[1460, size])
    ident = "cookie.same" if index == 3 else "cookie.mss"
    assert finding(timeline, ident)[0] == "yes"


def test_ip6_has_other_sizes():
    timeline = over_ip6(asked(0, 0, answers=[0, (-2) % 2**32], mss=[1440, 1220]))
    (told,) = [each for each in explain(timeline) if each.id == "cookie.mss"]
    assert "1220, 1420, 1440, 8940" in str(told.sentence)


def test_cookies_of_two_minutes_cannot_be_compared():
    later = (1 << 24) + 4711
    verdict, sentence, _events = finding(asked(0, 0, answers=[0, later]), "cookie.same")
    assert verdict == "inconclusive"
    assert "the kernel's minute changed between them" in sentence


# --- the ACK ------------------------------------------------------------------------------------


def test_ack_of_a_cookie_opens_out_of_nothing():
    verdict, sentence, events = finding(ladder(OPENED), "cookie.established")
    assert (verdict, events) == ("yes", (1, 2, 3))
    assert "LISTEN → ESTABLISHED (observed), without SYN-RECEIVED" in sentence
    assert finding(ladder(OPENED), "open.states")[0] == "yes"


FORGED = """
    server listen() 0    | CLOSED  LISTEN
    client S             | CLOSED  LISTEN
    server SA by=1       | CLOSED  LISTEN
    client A ack=77      | CLOSED  LISTEN
    server R seq=77 by=3 | CLOSED  LISTEN
"""


def test_ack_of_another_number_is_reset_and_counted():
    timeline = ladder(FORGED + "count server TcpExtSyncookiesFailed 1\n")
    verdict, sentence, events = finding(timeline, "cookie.forged")
    assert (verdict, events) == ("yes", (3, 4, 5))
    assert "(SyncookiesFailed + 1)" in sentence
    assert "one guess in 536,870,912" in sentence
    assert "close.abort" not in ids(timeline)


def test_without_the_counter_nobody_knows_whether_it_was_taken_for_a_cookie():
    assert "cookie.forged" not in ids(ladder(FORGED))


# --- options ------------------------------------------------------------------------------------


def opened(offered: tuple[Option, ...], answered: tuple[Option, ...]) -> Timeline:
    return with_options(with_options(ladder(OPENED), 1, *offered), 2, *answered)


def offset_free(timeline: Timeline) -> Timeline:
    setting = Setting(host="server", name="net.ipv4.tcp_timestamps", value="2", default="1")
    return replace(timeline, settings=(setting,))


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0b111010, "111010, which is window scale 10, SACK, ECN."),
        (0b010111, "010111, which is window scale 7, SACK."),
        (0b011111, "011111, which is SACK."),
        (0b000000, "000000, which is window scale 0."),
        (0b001111, "001111, which is no option."),
    ],
)
def test_six_bits_of_a_timestamp(bits, words):
    offered = (WindowScale(10), SackPermitted(), Timestamps(1, 0))
    answered = (WindowScale(10), SackPermitted(), Timestamps((12345 << 6) | bits, 1))
    verdict, sentence, _events = finding(
        offset_free(opened(offered, answered)), "cookie.timestamps"
    )
    assert verdict == "yes"
    assert words in sentence


def test_with_an_offset_the_bits_cannot_be_read():
    answered = (Timestamps(12345, 1),)
    _verdict, sentence, _events = finding(
        opened((Timestamps(1, 0),), answered), "cookie.timestamps"
    )
    assert "behind an offset that only it knows" in sentence


def test_without_timestamps_the_options_are_lost():
    offered = (MaximumSegmentSize(1400), SackPermitted(), WindowScale(7))
    timeline = opened(offered, (MaximumSegmentSize(1460),))
    _verdict, sentence, _events = finding(timeline, "cookie.bare")
    assert sentence.endswith("the server agrees to none of window scale, SACK.")
    told = ExpectEvent(
        i=len(timeline.events),
        at_ns=0,
        conn="a",
        predicate="server.info.snd_mss == 1300",
        met=True,
        found=(("server.info.snd_mss", "1300"),),
    )
    timeline = replace(timeline, events=(*timeline.events, told))
    _verdict, sentence, events = finding(timeline, "cookie.bare")
    assert "of the client's MSS 1400 the cookie kept 1300 (observed)" in sentence
    assert events == (1, 2, 3, told.i)


def test_syn_without_options_loses_none():
    timeline = opened((MaximumSegmentSize(1460),), (MaximumSegmentSize(1460),))
    assert "cookie.bare" not in ids(timeline)
