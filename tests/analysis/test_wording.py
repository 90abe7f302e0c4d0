import pytest

from tcplab.analysis.wording import end, how, listed, seconds, walked
from tcplab.tcp.states import State
from tcplab.text import Text, verbatim
from tcplab.timeline.events import Source


def test_hosts_have_words_that_can_be_translated():
    assert [end(host) for host in ("client", "server", "attacker")] == [
        Text("client"),
        Text("server"),
        Text("attacker"),
    ]


def test_any_other_host_keeps_its_name():
    assert end("db1") == verbatim("db1")


@pytest.mark.parametrize(
    ("source", "word"),
    [
        (Source.SOCK_DIAG, "observed"),
        (Source.TRACEPOINT, "observed"),
        (Source.CRAFTED, "crafted"),
        (Source.INFERRED, "inferred"),
        (None, "inferred"),
    ],
)
def test_every_source_has_its_word(source, word):
    assert str(how(source)) == word


@pytest.mark.parametrize(
    ("items", "words"), [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b, c")]
)
def test_lists_have_commas(items, words):
    assert str(listed([Text(item) for item in items])) == words


def test_states_walk_by_arrows():
    assert walked([State.LISTEN, State.SYN_RECEIVED]) == "LISTEN → SYN-RECEIVED"


def test_seconds_have_a_tenth():
    assert seconds(2_960_000_000) == "3.0"
