"""Whatever is done to a file, it reads, or its mistake is told: nothing else comes out."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcplab.errors import UsageError
from tcplab.scenario import catalogue
from tcplab.scenario.reader import parse
from tests.scenario.test_broken import BROKEN
from tests.scenario.test_reader import BLOCK, CALLS, HEAD, HOST_ACTS, OPENING, WIRE_ACTS

TOP = """
timed = true
[hosts.client]
route = { quickack = true, rto_min_ms = 200 }
[hosts.server.sysctl]
"net.ipv4.tcp_sack" = { value = 0, if_present = true }
[conn.a]
server_port = 80
client_port = 40000
"""
EVERYTHING = "".join(
    [
        HEAD,
        TOP,
        OPENING,
        *(f'[[step]]\nat = "client"\n{step}\n' for step in (*CALLS, *HOST_ACTS)),
        *(f'[[step]]\non = "wire"\n{step}\n' for step in WIRE_ACTS if "name" not in step),
        f"[[step]]\n{BLOCK}\n",
        '[[step]]\nwait = "quiet"\nwithin = 1\n[[step]]\nexpect = "server.received.fin == 1"\n',
    ]
)
LINES = EVERYTHING.split("\n")
VALUES = ["1", "-1", "0x" + "f" * 5000, "1e400", "nan", "true", "[]", "{}", "[[1]]", "1979-05-27"]
VALUES += ["'x'", "'{n}'", "''", "'\\u0000'", "{ en = 1 }", "[{}]", "[{ repeat = 2 }]", "'quiet'"]

line = st.integers(0, len(LINES) - 1)
edit = st.one_of(
    st.tuples(st.just("drop"), line, line),
    st.tuples(st.just("swap"), line, line),
    st.tuples(st.just("again"), line, line),
    st.tuples(st.just("value"), line, st.sampled_from(VALUES)),
    st.tuples(st.just("key"), line, st.sampled_from(["at", "do", "name", "repeat", "wait", "x"])),
    st.tuples(st.just("insert"), line, st.text(max_size=8)),
)


def edited(lines: list[str], kind: str, at: int, more) -> None:
    at %= len(lines)
    key, equals, value = lines[at].partition("=")
    match kind:
        case "drop":
            del lines[at]
        case "swap":
            other = more % len(lines)
            lines[at], lines[other] = lines[other], lines[at]
        case "again":
            lines.insert(at, lines[more % len(lines)])
        case "value" if equals:
            lines[at] = f"{key}= {more}"
        case "key" if equals:
            lines[at] = f"{more} ={value}"
        case _:
            lines[at] = lines[at][: len(lines[at]) // 2] + str(more) + lines[at][2:]


def test_the_file_reads_before_anything_is_done_to_it():
    assert len(parse(EVERYTHING, name="x", source="x.toml").steps) > 50


@settings(max_examples=400, deadline=None)
@given(st.lists(edit, min_size=1, max_size=3))
def test_mutated_file_reads_or_its_mistake_is_told(edits):
    lines = list(LINES)
    for each in edits:
        edited(lines, *each)
    with suppress(UsageError):
        parse("\n".join(lines), name="x", source="x.toml")


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.sampled_from("[]{}=\"'\\\n #.,x1-:_\x00\r가"), max_size=40))
def test_any_text_after_a_good_beginning(text):
    with suppress(UsageError):
        parse(HEAD + text, name="x", source="x.toml")


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_broken_file_cut_anywhere(file):
    lines = file.read_text().split("\n")
    for count in range(len(lines)):
        with suppress(UsageError):
            parse("\n".join(lines[:count]), name="x", source="x.toml")


def test_shipped_file_cut_anywhere():
    text = catalogue.text("half-close")
    for count in range(0, len(text), 7):
        with suppress(UsageError):
            parse(text[:count], name="x", source="x.toml")
