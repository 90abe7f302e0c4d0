"""`--json`: one object that keeps what OUTPUT promises to programs, for every kind of run."""

import re

import pytest

from tests.cli.conftest import Run
from tests.cli.runs import KINDS, Kind
from tests.cli.shape import each, either, faults, one_of

STATE = one_of(
    *("CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"),
    *("CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"),
)
SOURCE = one_of("sock_diag", "tracepoint", "crafted", "inferred")
HOST = one_of("client", "server")
ADDRESS = {"ip": str, "port": int}
MAYBE_INT = either(int, one_of(None))


def flags(found) -> bool:
    return isinstance(found, str) and re.fullmatch("F?S?R?P?A?U?E?C?", found) is not None


def option(found) -> bool:
    return isinstance(found, list) and len(found) == 2 and isinstance(found[0], str)


ANY = {"i": int, "kind": str, "at_ns": int, "cause": MAYBE_INT}
EVENTS = {
    "call": ANY | {"host": HOST, "name": str, "conn": str, "result": str, "arguments": str},
    "segment": ANY
    | {
        "from": HOST,
        "to": HOST,
        "flags": flags,
        "seq": int,
        "ack": int,
        "rel_seq": int,
        "rel_ack": MAYBE_INT,
        "len": int,
        "wnd": int,
        "options": [option],
        "src": ADDRESS,
        "dst": ADDRESS,
        "step": str,
        "conn": str,
        "fate": one_of(
            *("delivered", "dropped", "held", "delayed", "duplicated", "corrupted", "injected"),
            "captured",
        ),
    },
    "state": ANY | {"host": HOST, "old": STATE, "new": STATE, "source": SOURCE, "conn": str},
    "counter": ANY | {"host": HOST, "name": str, "delta": int},
    "sample": ANY | {"host": HOST, "conn": str, "source": SOURCE, "fields": each(either(int, str))},
    "wire": ANY | {"rule": str, "segment": MAYBE_INT},
    "expect": ANY | {"conn": str, "predicate": str, "met": bool, "found": each(str)},
    "reason": ANY | {"host": HOST, "act": one_of("reset", "drop"), "word": str, "source": SOURCE},
}
TIMELINE = {
    "schema": one_of("tcplab.timeline/1"),
    "tcplab": str,
    "command": [str],
    "scenario": either(str, one_of(None)),
    "testbed": {"kind": one_of("namespace"), "kernel": str, "rootless": bool},
    "hosts": {
        host: {**ADDRESS, "stack": one_of("kernel", "crafted"), "clock_error_ns": one_of(0)}
        for host in ("client", "server")
    },
    "settings": [{"host": HOST, "name": str, "value": str, "default": either(str, one_of(None))}],
    "events": [lambda event: not faults(event, EVENTS[event["kind"]])],
    "findings": [
        {
            "id": str,
            "verdict": one_of("yes", "no", "inconclusive"),
            "sentence": str,
            "events": [int],
        }
    ],
    "drops": int,
}


@pytest.fixture(params=KINDS, ids=str)
def told(request, kept):
    kind: Kind = request.param
    done = kept(kind)
    assert (done.status, done.err, done.out.count("\n")) == (0, "", 1)
    return done.document


def test_it_has_the_promised_shape(told):
    assert faults(told, TIMELINE) == []


def test_events_stand_at_their_numbers_and_their_causes_are_events(told):
    events = told["events"]
    assert [event["i"] for event in events] == list(range(len(events)))
    cited = {event["cause"] for event in events} | {
        i for f in told["findings"] for i in f["events"]
    }
    assert cited - {None} <= set(range(len(events)))


def test_relative_numbers_are_absolute_ones_less_the_isn(told):
    segments = [event for event in told["events"] if event["kind"] == "segment"]
    isn = {event["from"]: event["seq"] for event in segments if "S" in event["flags"]}
    for event in segments:
        assert event["rel_seq"] == (event["seq"] - isn[event["from"]]) % 2**32
        if "A" in event["flags"]:
            assert event["rel_ack"] == (event["ack"] - isn[event["to"]]) % 2**32
        else:
            assert event["rel_ack"] is None


def test_nothing_was_lost_and_everything_is_proved(told):
    assert told["drops"] == 0
    assert {finding["verdict"] for finding in told["findings"]} == {"yes"}


def test_a_shape_that_is_not_kept_is_found():
    """The check above can fail."""
    event = {
        "i": 0,
        "kind": "state",
        "at_ns": 1.5,
        "host": "client",
        "old": "CLOSED",
        "cause": True,
    }
    assert faults(event, EVENTS["state"]) == [
        ".new is missing",
        ".source is missing",
        ".conn is missing",
        ".at_ns is 1.5",
        ".cause is True",
    ]


@pytest.mark.traces
def test_a_traced_run_keeps_the_shape_too(run: Run):
    told = run("teardown", "--how", "abort", "--trace", "--json").document
    assert faults(told, TIMELINE) == []
    assert {"reset"} == {event["act"] for event in told["events"] if event["kind"] == "reason"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_it_survives_every_encoding_of_standard_output(run: Run, encoding):
    sent = "é→한😀".encode() + b"\xff"
    done = run(
        "handshake", "--client", "kernel", "--json", "--send", sent, PYTHONIOENCODING=encoding
    )
    assert (done.status, done.err) == (0, "")
    command = done.document["command"]
    assert command[-1].encode("utf-8", "surrogateescape") == sent


def test_the_command_is_kept_as_it_was_given(run: Run):
    told = run("handshake", "--client", "kernel", "--json", "-p", "ssh").document
    assert told["command"] == ["handshake", "--client", "kernel", "--json", "-p", "ssh"]
