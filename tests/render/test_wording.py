"""The words beside the lines."""

from dataclasses import replace

import pytest

from tcplab.render.fates import duration
from tcplab.render.picture import arranged
from tcplab.render.rows import AsideRow, CallRow, IcmpRow, SegmentRow
from tcplab.render.wording import SeqForm, Wording
from tcplab.tcp.options import (
    EndOfList,
    Malformed,
    NoOperation,
    Sack,
    Timestamps,
    Unknown,
    WindowScale,
)
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import CallEvent, Fate, ReasonEvent, SampleEvent, SegmentEvent, Source

from . import samples


def wording(seq=SeqForm.RELATIVE, *, ascii_only=False) -> Wording:
    return Wording(str, seq=seq, ascii_only=ascii_only)


def only_segment(story: samples.Story) -> SegmentRow:
    (row,) = arranged(story.timeline()).segments()
    return row


@pytest.mark.parametrize(
    ("ns", "words"),
    [(0, "0.00 ms"), (190_000, "0.19 ms"), (999_000_000, "999.00 ms"), (1_040_520_000, "1.041 s")],
)
def test_duration(ns, words):
    assert duration(ns) == words


@pytest.mark.parametrize(
    ("fate", "delivered_ns", "words"),
    [
        (Fate.DELIVERED, 20_000, ()),
        (Fate.CAPTURED, None, ()),
        (Fate.DROPPED, None, ("dropped by the wire",)),
        (Fate.HELD, None, ("held by the wire, never delivered",)),
        (Fate.HELD, 280_000, ("held by the wire for 0.28 ms",)),
        (Fate.DELAYED, 2_000_000_000, ("delayed by the wire for 2.00 s",)),
        (Fate.DUPLICATED, 20_000, ("duplicated by the wire",)),
        (Fate.CORRUPTED, 20_000, ("corrupted by the wire",)),
        (Fate.INJECTED, 20_000, ("crafted, and injected into the wire",)),
    ],
)
def test_fates(fate, delivered_ns, words):
    story = samples.Story()
    story.segment(0, "client", "A", 1, 1)
    event = story.events[0]
    assert isinstance(event, SegmentEvent)
    story.events[0] = replace(event, fate=fate, delivered_ns=delivered_ns)
    assert wording().notes(only_segment(story)) == words


def test_copy_made_by_the_wire_is_no_retransmission():
    story = samples.Story()
    story.segment(0, "client", "PA", 1, 1, payload=b"x")
    story.segment(50, "client", "PA", 1, 1, payload=b"x", fate=Fate.DUPLICATED)
    copy = list(arranged(story.timeline()).segments())[1]
    assert wording().notes(copy) == ("a copy of 1 made by the wire",)


def test_bad_checksum_is_noted_and_an_unknown_one_is_not():
    story = samples.Story()
    story.segment(0, "client", "A", 1, 1)
    row = only_segment(story)
    bad = replace(
        row, event=replace(row.event, segment=replace(row.event.segment, checksum_ok=False))
    )
    assert (wording().notes(row), wording().notes(bad)) == ((), ("bad checksum",))


@pytest.mark.parametrize(
    ("name", "result", "words"),
    [
        ("listen", "0", "listen()"),
        ("connect", "EINPROGRESS", "connect()"),
        ("send", "5", "send() → 5"),
        ("read", "5", "read() → 5"),
        ("read", "0", "read() → 0 (end of file)"),
        ("read", "ECONNRESET", "read() → ECONNRESET"),
        ("shutdown", "0", "shutdown(SHUT_WR)"),
        ("abort", "0", "close() + SO_LINGER 0"),
        ("x\x1b", "0", "x\\x1b()"),
    ],
)
def test_calls(name, result, words):
    story = samples.Story()
    story.call(0, "client", name, result=result)
    (row,) = (row for row in arranged(story.timeline()).rows if isinstance(row, CallRow))
    assert isinstance(row.event, CallEvent)
    assert wording().call(row) == words


def test_options_of_a_syn():
    story = samples.Story()
    story.segment(0, "client", "S", 0, options=samples.SYN_OPTIONS)
    row = only_segment(story)
    assert wording().facts(row, verbose=False) == (
        "ISN 3021554771",
        "MSS 1460",
        "SACK",
        "TS",
        "WS 10",
    )
    assert "TSval 2021 TSecr 0" in wording().facts(row, verbose=True)


def test_strange_options():
    story = samples.Story()
    block = (Seq(samples.ISN["server"]) + 100, Seq(samples.ISN["server"]) + 200)
    options = (
        NoOperation(),
        Sack((block,)),
        Timestamps(1, 2),
        Unknown(253, b"\x1b"),
        WindowScale(14),
        Malformed(b"\x02\x00"),
        EndOfList(),
    )
    story.segment(0, "server", "A", 1, 1)
    story.segment(50, "client", "A", 1, 1, options=options)
    row = list(arranged(story.timeline()).segments())[1]
    relative = ("SACK 99–199", "option 253", "WS 14", "malformed options")
    assert wording().facts(row, verbose=False) == relative
    absolute = wording(SeqForm.ABSOLUTE, ascii_only=True).facts(row, verbose=False)
    assert absolute[0] == "SACK 998877761-998877861"


@pytest.mark.parametrize(
    ("seq", "label", "facts"),
    [
        (SeqForm.RELATIVE, ("seq 0", "ack 1"), ("ISN 998877661",)),
        (SeqForm.ABSOLUTE, ("seq 998877661", "ack 3021554772"), ()),
        (SeqForm.BOTH, ("seq 0", "ack 1"), ("ISN 998877661", "absolute", "ack 3021554772")),
    ],
)
def test_forms_of_numbers(seq, label, facts):
    story = samples.Story()
    story.segment(0, "client", "S", 0)
    story.segment(50, "server", "SA", 0, 1)
    row = list(arranged(story.timeline()).segments())[1]
    assert (wording(seq).label(row), wording(seq).facts(row, verbose=False)) == (label, facts)


def test_icmp_error_in_words():
    (row,) = (row for row in arranged(samples.prohibited()).rows if isinstance(row, IcmpRow))
    assert wording().icmp(row) == (
        "communication administratively prohibited (type 3, code 13)",
        "from 192.0.2.254",
    )


def asides(*events) -> list[tuple[str, ...]]:
    story = samples.Story()
    story.segment(0, "client", "A", 1, 1)
    for event in events:
        story.note(event)
    rows = arranged(story.timeline()).rows
    return [wording().aside(row) for row in rows if isinstance(row, AsideRow)]


def sample(cause: int | None, *fields: tuple[str, int | str]) -> SampleEvent:
    return SampleEvent(
        i=0,
        at_ns=10**6,
        cause=cause,
        host="server",
        conn="a",
        source=Source.SOCK_DIAG,
        fields=fields,
    )


def test_samples_at_the_end_tell_a_running_timer_and_nothing_else():
    assert asides(
        sample(None, ("timer", "off"), ("rto", 200)),
        sample(None, ("timer", "timewait"), ("expires_ms", 59990)),
    ) == [("timewait timer: 60.0 s left",)]


def retransmit(rto: int, rtt: int, rttvar: int, backoff: int) -> SampleEvent:
    return sample(
        None,
        *(("timer", "retransmit"), ("expires_ms", 10_000)),
        *(("rto", rto), ("rtt", rtt), ("rttvar", rttvar), ("backoff", backoff)),
    )


def test_a_timer_that_only_the_routes_rto_min_makes_slow_tells_nothing():
    assert asides(retransmit(10_004_000, 1097, 483, 0)) == []


@pytest.mark.parametrize(
    ("rto", "rtt", "rttvar", "backoff"),
    [
        (204_000, 1097, 483, 0),
        (13_696_000, 1097, 483, 6),  # slow since it has backed off
        (3_000_000, 1_000_000, 500_000, 0),  # slow since the path is
    ],
)
def test_a_timer_that_is_slow_by_itself_is_told(rto, rtt, rttvar, backoff):
    assert asides(retransmit(rto, rtt, rttvar, backoff)) == [("retransmit timer: 10.0 s left",)]


def test_a_listener_that_answers_again_has_no_retransmissions_to_tell():
    assert asides(sample(0, ("retransmits", 0))) == []
    assert asides(sample(0, ("retransmits", 1))) == [("retransmits 1",)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((("rto", 464000), ("backoff", 1), ("snd_cwnd", 1)), ("rto 464 ms", "backoff 1")),
        ((("rto", 464000), ("backoff", 0), ("snd_cwnd", 10)), ("snd_cwnd 10",)),
        ((("rtt", 4553), ("unacked", 2)), ("rtt 4.55 ms", "unacked 2")),
        ((("rtt", 40000),), ("rtt 40 ms",)),
    ],
)
def test_samples_asked_for_tell_what_helps_and_times_in_milliseconds(fields, words):
    assert asides(sample(0, *fields)) == [words]


def test_reasons_of_a_host_without_lifeline_name_it():
    reason = ReasonEvent(i=0, at_ns=1, cause=0, host="attacker", kind="reset", word="NO_SOCKET")
    assert asides(reason) == [("attacker:", "reset: NO_SOCKET")]
