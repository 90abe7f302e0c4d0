from typing import get_args

import pytest

from tcplab.kernel import sock_diag, tcp_info
from tcplab.scenario import calls
from tcplab.scenario.predicate.expression import Kind
from tcplab.scenario.predicate.vocabulary import (
    CALLS,
    GROUPS,
    HOST,
    SEGMENT,
    TIMERS,
    WIRESHARK,
    looks_like_counter,
    meaning,
)
from tests.scenario.predicate.evidence import said


def test_tcp_info_and_timers_are_those_that_the_kernel_gives():
    assert set(GROUPS["info"]) == set(tcp_info.parse(bytes(1000)))
    assert TIMERS == sock_diag._TIMERS


def test_every_call_can_be_asked_for():
    other = {"Kill": "kill-socket", "SetOption": "set", "StartTls": "start-tls"}
    names = (call.__name__ for call in get_args(calls.Call))
    assert {other.get(name, name.lower()) for name in names} == set(CALLS)


@pytest.mark.parametrize("word", SEGMENT)
def test_every_name_of_a_segment_is_read(word):
    (name,) = said(f"seg.{word} == seg.{word}").names()
    assert (name.subject, name.path, name.kind) == ("seg", (word,), SEGMENT[word].kind)


@pytest.mark.parametrize(("alias", "word"), WIRESHARK.items())
def test_every_name_of_wireshark_stands_for_one_of_ours(alias, word):
    (name,) = said(f"{alias} == {alias}").names()
    assert (name.subject, name.path, name.written) == ("seg", (word,), alias)
    assert name.kind is SEGMENT[word].kind


@pytest.mark.parametrize("word", HOST)
def test_every_name_of_a_host_is_read(word):
    (name,) = said(f"server[b].{word} == server[b].{word}").names()
    assert (name.subject, name.path, name.conn) == ("server", (word,), "b")


@pytest.mark.parametrize(
    ("group", "word"), [(group, word) for group, words in GROUPS.items() for word in words]
)
def test_every_name_of_two_words_is_read(group, word):
    (name,) = said(f"client.{group}.{word} == 1").names()
    assert (name.subject, name.path, name.conn) == ("client", (group, word), None)
    assert name.kind is (Kind.WORD if group == "call" else Kind.NUMBER)


@pytest.mark.parametrize("word", ["TCPTimeouts", "RetransSegs", "TW", "IPReversePathFilter"])
def test_what_looks_like_a_counter_is_one(word):
    assert looks_like_counter(word)
    assert meaning("server", ("counter", word)) is not None


@pytest.mark.parametrize("word", ["", "T", "timeouts", "TcpExtTCPTimeouts", "TcpOutRsts", "A_B"])
def test_what_does_not_look_like_a_counter_is_none(word):
    assert not looks_like_counter(word)
    assert meaning("server", ("counter", word)) is None
