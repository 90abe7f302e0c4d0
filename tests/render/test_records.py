"""TLS records in ladders: named where whole, and any other payload as its octets."""

from dataclasses import replace

import pytest

from tcplab.render.payloads import shown, telling
from tcplab.render.records import records
from tcplab.scenario.tls import application_data
from tcplab.timeline.timeline import Timeline

from . import samples

ENCRYPTED = bytes(range(100, 140)) + b"\xff"


def record(kind: int, fragment: bytes, version: int = 0x0303) -> bytes:
    return bytes([kind]) + version.to_bytes(2, "big") + len(fragment).to_bytes(2, "big") + fragment


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        (record(22, b"\x01" + bytes(40), 0x0301), ("Client Hello",)),
        (
            record(22, b"\x02" + bytes(40)) + record(20, b"\x01") + record(23, ENCRYPTED),
            ("Server Hello", "Change Cipher Spec", "Application Data"),
        ),
        (record(22, ENCRYPTED), ("Encrypted Handshake Message",)),
        (record(21, b"\x02\x14"), ("Alert",)),
        (b"", ()),
        (b"\x17", ()),
        (b"\x17\x03\x03\x00\x00", ()),
        (b"GET / HTTP/1.1\r\n", ()),
        (record(23, ENCRYPTED)[:-1], ()),
        (record(23, ENCRYPTED) + b"x", ()),
        (record(24, ENCRYPTED), ()),
        (record(23, ENCRYPTED, 0x0203), ()),
        (record(23, ENCRYPTED, 0x0305), ()),
        (application_data(b"DELETE everything"), ()),
    ],
)
def test_only_whole_and_encrypted_records_have_names(payload, names):
    assert records(payload) == names


def test_names_take_as_many_lines_as_they_need():
    payload = record(22, b"\x02" + bytes(40)) + record(20, b"\x01") + record(23, ENCRYPTED)
    assert shown(payload, 80) == ("TLS: Server Hello, Change Cipher Spec, Application Data",)
    assert shown(payload, 20) == ("TLS: Server Hello", "Change Cipher Spec", "Application Data")


@pytest.mark.parametrize(
    "payload", [b"[red]\x1b[2J\xe2\x80\xae\xff", "[red]\x1b[2J\u202e".encode()]
)
def test_what_is_hostile_in_a_record_is_named_and_never_printed(payload):
    assert shown(application_data(payload), 80) == ("TLS: Application Data",)


def test_a_forged_record_shows_what_the_forger_wrote():
    assert shown(application_data(b"[red]x[/]"), 80) == (r'"\x17\x03\x03\0\t[red]x[/]"',)


def with_data(payload: bytes) -> Timeline:
    """One segment with that payload."""
    timeline = samples.four_way()
    first = next(event for event in timeline.segments() if event.sender == "client")
    segment = replace(first.segment, payload=payload)
    return replace(timeline, events=(replace(first, i=0, cause=None, segment=segment),))


@pytest.mark.parametrize(
    ("payload", "is_told"),
    [(record(23, ENCRYPTED * 30), True), (bytes(1200), False), (b"short", True)],
)
def test_whole_records_are_told_however_long_they_are(payload, is_told):
    assert bool(telling(with_data(payload))) is is_told
