"""The options that every run has: which numbers, which ends, which family, how much is said."""

import re

import pytest

from .conftest import Run


def events(document, kind):
    return [event for event in document["events"] if event["kind"] == kind]


def payloads(result) -> list[bytes]:
    sent = (bytes.fromhex(event["payload"]) for event in events(result.document, "segment"))
    return [payload for payload in sent if payload]


def received(result) -> bytes:
    """The client's data put together by its numbers: after some milliseconds in which this process
    stands still, a kernel sends the last segment again (a tail loss probe).
    """
    data = bytearray()
    for event in events(result.document, "segment"):
        payload = bytes.fromhex(event["payload"])
        at = event["rel_seq"] - 1
        if payload:
            assert event["from"] == "client"
            assert at <= len(data), "something is missing"
            assert data[at : at + len(payload)] == payload[: len(data) - at]
            data[at : at + len(payload)] = payload
    return bytes(data)


def test_handshake_alone_opens_talks_and_closes(run: Run):
    done = run("handshake")
    assert (done.status, done.err) == (0, "")
    flags = re.findall(r"\[([A-Z, ]+)\]", done.out)
    assert flags == [
        *("SYN", "SYN, ACK", "ACK", "PSH, ACK", "ACK"),
        *("FIN, ACK", "ACK", "FIN, ACK", "ACK"),
    ]


def test_teardown_alone_is_closed_by_the_client_and_both_ends_are_kernels(run: Run):
    told = run("teardown", "--json").document
    assert told["scenario"] == "client-first"
    assert {host["stack"] for host in told["hosts"].values()} == {"kernel"}


@pytest.mark.parametrize(
    ("options", "stack"), [((), "crafted"), (("--client", "kernel"), "kernel")], ids=str
)
def test_client_chooses_whose_tcp_the_client_is(run: Run, options, stack):
    hosts = run("handshake", "--json", *options).document["hosts"]
    assert (hosts["client"]["stack"], hosts["server"]["stack"]) == (stack, "kernel")


@pytest.mark.parametrize("command", ["handshake", "teardown"])
def test_6_is_ipv6(run: Run, command):
    hosts = run(command, "-6", "--client", "kernel", "--json").document["hosts"]
    assert [host["ip"] for host in hosts.values()] == ["2001:db8::1", "2001:db8::2"]


@pytest.mark.parametrize(
    ("name", "port"), [("8080", 8080), ("ssh", 22), ("65535", 65535), ("1", 1), ("0443", 443)]
)
def test_a_port_is_a_number_or_a_service(run: Run, name, port):
    told = run("handshake", "--client", "kernel", "--json", "-p", name).document
    assert told["hosts"]["server"]["port"] == port
    assert events(told, "segment")[0]["dst"]["port"] == port


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("hi", b"hi\n"),
        ("", b"\n"),
        ("안녕", "안녕\n".encode()),
        (b"\xff\x80", b"\xff\x80\n"),
        ("\x1b[31mred", b"\x1b[31mred\n"),
    ],
    ids=["ascii", "empty", "korean", "no-utf8", "escapes"],
)
@pytest.mark.parametrize("client", ["crafted", "kernel"])
def test_send_sends_that_line(run: Run, client, text, payload):
    done = run("handshake", "--client", client, "--json", "--send", text)
    assert (done.status, payloads(done)) == (0, [payload])


def test_without_send_a_greeting_is_sent(run: Run):
    assert payloads(run("handshake", "--json", "--client", "kernel")) == [b"hello\n"]


@pytest.mark.parametrize("client", ["crafted", "kernel"])
def test_the_longest_line_is_sent_whole(run: Run, client):
    done = run("handshake", "--client", client, "--json", "--send", "x" * 32_767)
    assert done.status == 0
    assert received(done) == b"x" * 32_767 + b"\n"


def test_many_segments_are_cited_as_spans(run: Run):
    done = run("handshake", "--client", "kernel", "--send", "x" * 20_000, COLUMNS="140")
    assert re.search(r"20001 octets from the client\. +\[4-1\d [0-9 -]+\]\n", done.out)


@pytest.mark.parametrize("sent", ["\x1b]0;title\x07", "\x9b31m", "‮txet", "[bold]"])
def test_nothing_that_was_sent_reaches_the_terminal_raw(run: Run, sent):
    done = run("handshake", "--client", "kernel", "--send", sent)
    shown = [character for character in done.out if not character.isprintable()]
    assert set(shown) == {"\n"}
    assert sent in done.out or repr(sent)[1:-1] in done.out


def numbers(out: str) -> list[str]:
    """The numbers on the arrows of SYN, SYN-ACK and ACK."""
    return re.findall(r"(?:SYN|ACK)\] (seq \d+(?: ack \d+)?)", out)[:3]


def test_relative_numbers_count_from_the_isn_which_is_shown(run: Run):
    done = run("handshake", "--client", "kernel")
    assert numbers(done.out) == ["seq 0", "seq 0 ack 1", "seq 1 ack 1"]
    assert len(re.findall(r"ISN \d+ MSS", done.out)) == 2


def test_absolute_numbers_are_those_in_the_header(run: Run):
    done = run("handshake", "--client", "kernel", "--seq", "absolute", COLUMNS="140")
    (told,) = re.findall(r"\(client (\d+) → \d+, server (\d+)", done.out)
    isn = [int(number) for number in told]
    assert numbers(done.out) == [
        f"seq {isn[0]}",
        f"seq {isn[1]} ack {(isn[0] + 1) % 2**32}",
        f"seq {(isn[0] + 1) % 2**32} ack {(isn[1] + 1) % 2**32}",
    ]


def test_both_numbers_stand_together(run: Run):
    done = run("handshake", "--client", "kernel", "--seq", "both", COLUMNS="140")
    assert numbers(done.out) == ["seq 0", "seq 0 ack 1", "seq 1 ack 1"]
    assert len(re.findall(r"absolute (?:seq \d{2,} )?ack \d{2,}", done.out)) == 8


def test_v_adds_scapy_s_dissection_of_every_segment(run: Run):
    done = run("handshake", "-v", "--client", "kernel")
    headings = re.findall(r"^Segment (\d), \[.+\], as Scapy dissects it:$", done.out, re.MULTILINE)
    assert headings == [*"123456789"]
    assert done.out.count("###[ TCP ]###") == 9
    assert "load      = b'hello\\n'" in done.out
    assert done.out.index(" client ") < done.out.index("###[ TCP ]###")
    assert done.out.rindex("###[ TCP ]###") < done.out.index(" ✔ Three-way handshake")


@pytest.mark.parametrize("width", [40, 80])
def test_v_folds_long_values_under_their_beginning(run: Run, width):
    done = run("handshake", "-v", "--client", "kernel", COLUMNS=str(width))
    assert done.widest <= width
    lines = done.out.splitlines()
    at = next(n for n, line in enumerate(lines) if "options   = [(" in line)
    value = lines[at].index("[")
    assert lines[at + 1][:value].isspace()
    assert not lines[at + 1][value:].startswith(" ")


@pytest.mark.traces
def test_trace_adds_what_the_kernel_s_tracepoints_say(run: Run):
    told = run("handshake", "--client", "kernel", "--trace", "--json").document
    agreed = [f["verdict"] for f in told["findings"] if f["id"].startswith("trace.")]
    assert agreed == ["yes", "yes"]
    assert "tracepoint" in {event["source"] for event in events(told, "state")}


@pytest.mark.traces
def test_a_trace_tells_of_no_drops_that_were_none(run: Run):
    assert "drop:" not in run("handshake", "--client", "kernel", "--trace").out


def test_lang_says_every_sentence_in_korean(run: Run):
    done = run("handshake", "--client", "kernel", "--lang", "ko")
    english = run("handshake", "--client", "kernel", "--lang", "en")
    assert (done.status, english.status) == (0, 0)
    assert "Three-way handshake" in english.out
    assert re.search(r"[가-힣]", done.out)
    assert "Three-way handshake" not in done.out


def test_the_locale_chooses_the_language_and_lang_overrides_it(run: Run):
    assert re.search(r"[가-힣]", run("handshake", "--help", LANG="ko_KR.UTF-8").out)
    english = run("handshake", "--help", "--lang", "en", LANG="ko_KR.UTF-8").out
    assert english.isascii()


def test_the_last_lang_wins(run: Run):
    english = run("--lang", "ko", "handshake", "--help", "--lang", "en").out
    assert "Open a connection" in english
    assert english == run("handshake", "--help", "--lang", "ko", "--lang=en").out


@pytest.mark.parametrize("where", [("--lang", "ko", "teardown", "--help"), ("teardown", "--help")])
def test_lang_may_stand_before_the_command(run: Run, where):
    done = run(*where)
    assert done.status == 0
    assert bool(re.search(r"[가-힣]", done.out)) == ("ko" in where)


def test_python_m_tcplab_is_the_same_program(run: Run, tcplab_program):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "tcplab", "--version"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == run("--version").out


# --- display filters ------------------------------------------------------------------------------


def shown(result) -> list[str]:
    return re.findall(r"\[([A-Z, ]+)\] seq", result.out)


@pytest.mark.parametrize(
    ("predicate", "flags"),
    [
        ("seg.syn or seg.fin", ["SYN", "SYN, ACK", "FIN, ACK", "FIN, ACK"]),
        ("tcp.flags.syn == 1 && !(tcp.flags.ack == 1)", ["SYN"]),
        ("seg.from == server and seg.data", []),
        ("client.state == TIME-WAIT", ["FIN, ACK", "ACK"]),
        ("client[a].state == FIN-WAIT-2", ["ACK"]),
        ("client.sent.segments > 4 and seg.from == client", ["ACK"]),
    ],
)
def test_filter_shows_what_matches_and_nothing_else(run: Run, predicate, flags):
    done = run("handshake", "--client", "kernel", "--filter", predicate)
    assert (done.status, shown(done)) == (0, flags)
    assert ("No segment matches the filter." in done.out) is (flags == [])
    assert "connect()" not in done.out.split("✔")[0]


def test_filter_goes_for_the_dissections_too(run: Run):
    done = run("handshake", "--client", "kernel", "-v", "--filter", "seg.fin")
    dissected = re.findall(r"^Segment (\d+), \[([A-Z, ]+)\]", done.out, re.MULTILINE)
    assert dissected == [("6", "FIN, ACK"), ("8", "FIN, ACK")]


def test_filter_leaves_numbers_findings_and_json_whole(run: Run):
    whole = run("handshake", "--client", "kernel", "--json", "--filter", "seg.rst").document
    assert len(events(whole, "segment")) == 9
    picture = run("handshake", "--client", "kernel", "--filter", "seg.fin").out
    assert re.findall(r"^ *[A-Z0-9-]+ +(\d+) [│●]", picture, re.MULTILINE) == ["6", "8"]
    assert "Three-way handshake" in picture


@pytest.mark.parametrize(
    ("predicate", "says"),
    [
        ("seg.fim", "tcplab: --filter: There is no name seg.fim.\n  → Did you mean seg.fin?\n"),
        (
            "client.info.rto > 3",
            (
                "tcplab: A filter cannot ask for client.info.rto.\n  → It can ask for seg.*, "
                "HOST.state, HOST.sent.*, HOST.received.* and HOST.retransmitted.*.\n"
            ),
        ),
    ],
)
def test_a_filter_that_is_none_is_refused_before_the_run(run: Run, predicate, says):
    done = run("handshake", "--filter", predicate, "--save", "run.jsonl")
    assert (done.status, done.out, done.err) == (2, "", says)
