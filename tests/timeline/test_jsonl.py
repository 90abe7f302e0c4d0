import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcplab.errors import Exit, TcplabError, UsageError
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize, NoOperation, WindowScale
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.timeline import jsonl, timeline
from tcplab.timeline.events import (
    CallEvent,
    ExpectEvent,
    Fate,
    Lane,
    SegmentEvent,
    Source,
    WireEvent,
)
from tcplab.timeline.timeline import HostInfo, Setting, Stack, Timeline

from .timelines import timelines

SYN = Segment(
    src=Address("192.0.2.1", 40123),
    dst=Address("192.0.2.2", 80),
    seq=Seq(3021),
    flags=Flags.SYN,
    wnd_octets=64240,
    options=(MaximumSegmentSize(1460), NoOperation(), WindowScale(10)),
)
SMALL = Timeline(
    command=("handshake", "-p", "80"),
    testbed=timeline.Testbed(kind="namespace", kernel="6.18.44", rootless=True),
    hosts=(
        HostInfo(name="client", ip="192.0.2.1", port=40123, stack=Stack.CRAFTED),
        HostInfo(name="server", ip="192.0.2.2", port=80, stack=Stack.KERNEL),
    ),
    events=(
        CallEvent(i=0, at_ns=0, host="client", name="connect", conn="a", result="0"),
        SegmentEvent(
            i=1,
            at_ns=81000,
            cause=0,
            sender="client",
            receiver="server",
            conn="a",
            segment=SYN,
            fate=Fate.DELIVERED,
            delivered_ns=90000,
            step="open 1/3",
            lanes=(
                Lane(
                    host="server",
                    before=State.LISTEN,
                    after=State.SYN_RECEIVED,
                    source=Source.SOCK_DIAG,
                ),
            ),
            frame=b"\x00\xff",
            ttl=64,
        ),
        WireEvent(i=2, at_ns=90000, cause=1, rule="delay", segment=1),
    ),
    tcplab="0.1.0",
)


def written(whole):
    file = io.BytesIO()
    jsonl.write(whole, file)
    return file.getvalue().splitlines(keepends=True)


def damaged(lines):
    with pytest.raises(UsageError) as caught:
        jsonl.read(lines)
    return str(caught.value)


def changed(line, **values):
    return json.dumps(json.loads(line) | values).encode()


@given(timelines)
def test_reading_gives_back_what_was_written(any_timeline):
    assert jsonl.read(written(any_timeline)) == any_timeline


def test_a_segment_has_the_keys_that_programs_read():
    assert json.loads(written(SMALL)[2]) == {
        "i": 1,
        "kind": "segment",
        "at_ns": 81000,
        "from": "client",
        "to": "server",
        "flags": "S",
        "seq": 3021,
        "ack": 0,
        "rel_seq": 0,
        "rel_ack": None,
        "len": 0,
        "wnd": 64240,
        "options": [["MSS", 1460], ["NOP", ""], ["WScale", 10]],
        "fate": "delivered",
        "delivered_ns": 90000,
        "step": "open 1/3",
        "conn": "a",
        "lanes": {
            "server": {"before": "LISTEN", "after": "SYN-RECEIVED", "source": "sock_diag"},
        },
        "src": {"ip": "192.0.2.1", "port": 40123},
        "dst": {"ip": "192.0.2.2", "port": 80},
        "urgent": 0,
        "payload": "",
        "missing_octets": 0,
        "checksum_ok": None,
        "ttl": 64,
        "link_octets": 14,
        "frame": "00ff",
        "cause": 0,
    }


def test_the_header_comes_first_and_counts_the_events():
    assert json.loads(written(SMALL)[0]) == {
        "schema": "tcplab.timeline/1",
        "tcplab": "0.1.0",
        "command": ["handshake", "-p", "80"],
        "scenario": None,
        "testbed": {
            "kind": "namespace",
            "kernel": "6.18.44",
            "rootless": True,
            "interface": None,
            "gateway": None,
        },
        "hosts": {
            "client": {
                "ip": "192.0.2.1",
                "port": 40123,
                "stack": "crafted",
                "clock_error_ns": 0,
            },
            "server": {"ip": "192.0.2.2", "port": 80, "stack": "kernel", "clock_error_ns": 0},
        },
        "settings": [],
        "began_ns": 0,
        "drops": 0,
        "interrupted": False,
        "event_count": 3,
    }


def test_what_was_expected_and_set_has_the_keys_that_programs_read():
    expected = ExpectEvent(
        i=3,
        at_ns=91000,
        conn="a",
        predicate="server.state == LISTEN",
        met=False,
        found=(("server.state", "CLOSED"),),
    )
    cut = WireEvent(i=4, at_ns=92000, rule="cut server", segment=None)
    setting = Setting(host="server", name="net.ipv4.tcp_retries2", value="3", default=None)
    lines = written(replace(SMALL, events=(*SMALL.events, expected, cut), settings=(setting,)))
    assert json.loads(lines[0])["settings"] == [
        {"host": "server", "name": "net.ipv4.tcp_retries2", "value": "3", "default": None}
    ]
    assert [json.loads(line) for line in lines[4:]] == [
        {
            "i": 3,
            "kind": "expect",
            "at_ns": 91000,
            "conn": "a",
            "predicate": "server.state == LISTEN",
            "met": False,
            "found": {"server.state": "CLOSED"},
            "cause": None,
        },
        {
            "i": 4,
            "kind": "wire",
            "at_ns": 92000,
            "rule": "cut server",
            "segment": None,
            "cause": None,
        },
    ]


def without(line, *keys):
    return json.dumps({k: v for k, v in json.loads(line).items() if k not in keys}).encode()


def test_files_from_before_settings_and_arguments_still_read():
    lines = written(SMALL)
    old = [without(lines[0], "settings"), without(lines[1], "arguments"), *lines[2:]]
    assert jsonl.read(old) == SMALL


def test_a_value_found_that_is_no_string_is_named():
    lines = written(SMALL)
    event = {"i": 2, "kind": "expect", "at_ns": 1, "cause": None, "conn": "a", "met": True}
    event |= {"predicate": "client.port == 1", "found": {"client.port": 1}}
    lines[3] = json.dumps(event).encode()
    assert damaged(lines) == 'Line 4 of the timeline is damaged: "client.port" is not a string'


def test_an_empty_file_is_damaged_at_line_1():
    assert damaged([]) == "Line 1 of the timeline is damaged: the file ends too soon"


def test_a_line_that_was_cut_short_is_named():
    lines = written(SMALL)
    assert damaged([*lines[:3], lines[3][:20]]) == (
        "Line 4 of the timeline is damaged: it is no JSON"
    )


def test_a_file_that_lost_its_last_lines_is_damaged_where_it_ends():
    assert damaged(written(SMALL)[:2]) == (
        "Line 3 of the timeline is damaged: the file ends too soon"
    )


def test_a_line_that_is_missing_in_the_middle_is_named():
    lines = written(SMALL)
    assert damaged([*lines[:2], lines[3]]) == (
        'Line 3 of the timeline is damaged: "i" is 2 where event 1 belongs'
    )


def test_a_cause_that_does_not_exist_is_named():
    lines = written(SMALL)
    lines[2] = changed(lines[2], cause=3)
    assert damaged(lines) == (
        "Line 3 of the timeline is damaged: it refers to an event that does not exist"
    )


def test_a_wire_event_about_no_segment_is_named():
    lines = written(SMALL)
    lines[3] = changed(lines[3], segment=9)
    assert damaged(lines) == (
        "Line 4 of the timeline is damaged: it refers to an event that does not exist"
    )


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"seq": 1 << 32}, '"seq" is out of range: 4294967296'),
        ({"seq": -1}, '"seq" is out of range: -1'),
        ({"seq": True}, '"seq" is not an integer'),
        ({"at_ns": 1.5}, '"at_ns" is not an integer'),
        ({"wnd": "64240"}, '"wnd" is not an integer'),
        ({"flags": "XS"}, '"flags" are letters of FSRPAUEC, not "XS"'),
        ({"fate": "lost"}, '"fate" is never "lost"'),
        ({"frame": "0"}, '"frame" is not hex'),
        ({"options": [["MSS", -1]]}, '"options" are not written as TCP options are'),
        ({"options": [7]}, '"options" are not written as TCP options are'),
        ({"lanes": []}, '"lanes" is not an object'),
        ({"lanes": {"server": None}}, "a JSON object was expected"),
        ({"src": None}, "a JSON object was expected"),
        ({"step": 1}, '"step" is not a string'),
        ({"kind": "rumour"}, 'no event is of the kind "rumour"'),
        ({"checksum_ok": "yes"}, '"checksum_ok" is not true or false'),
    ],
)
def test_a_value_that_does_not_belong_there_is_named(values, what):
    lines = written(SMALL)
    lines[2] = changed(lines[2], **values)
    assert damaged(lines) == f"Line 3 of the timeline is damaged: {what}"


def test_a_command_that_is_no_list_of_words_is_named():
    lines = written(SMALL)
    lines[0] = changed(lines[0], command=["handshake", 80])
    assert damaged(lines) == (
        'Line 1 of the timeline is damaged: "command" is not a list of strings'
    )


def test_a_sampled_field_that_is_no_number_is_named():
    lines = written(SMALL)
    lines[3] = json.dumps(
        {
            "i": 2,
            "kind": "sample",
            "at_ns": 1,
            "cause": None,
            "host": "client",
            "conn": "a",
            "source": "sock_diag",
            "fields": {"rto": 0.2},
        }
    ).encode()
    assert damaged(lines) == (
        'Line 4 of the timeline is damaged: "rto" is neither an integer nor a string'
    )


def test_a_missing_key_is_named():
    lines = written(SMALL)
    lines[2] = lines[2].replace(b'"seq"', b'"SEQ"')
    assert damaged(lines) == 'Line 3 of the timeline is damaged: "seq" is missing'


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"[]", "a JSON object was expected"),
        (b"\xff\xfe\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"9" * 10_000, "it is no JSON"),
        (b'{"schema": "tcplab.scan/1"}', 'the schema is "tcplab.scan/1", not "tcplab.timeline/1"'),
    ],
)
def test_another_file_is_refused_at_line_1(line, what):
    assert damaged([line]) == f"Line 1 of the timeline is damaged: {what}"


def test_a_damaged_file_is_a_usage_error_with_a_remedy():
    with pytest.raises(TcplabError) as caught:
        jsonl.read([b"{"])
    assert caught.value.status is Exit.USAGE
    assert str(caught.value.remedy) == (
        "Take the file as tcplab saved it, or record the run again with --save"
    )


def outcome(octets):
    try:
        return repr(jsonl.read(io.BytesIO(octets)))
    except UsageError as refused:
        return str(refused)


@given(st.data())
def test_a_file_damaged_anywhere_is_refused_or_still_a_timeline(data):
    octets = bytearray(b"".join(written(SMALL)))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] = data.draw(st.integers(0, 255))
    assert outcome(octets).startswith(("Timeline", "Line "))
