import pytest

from tcplab.scenario.predicate import parse_sum, total
from tcplab.tcp.states import State
from tests.scenario.predicate.evidence import CONNS, HOSTS, Answers, holds, said


@pytest.mark.parametrize(
    ("text", "values", "held"),
    [
        ("seg.fin", {"seg.fin": True}, True),
        ("seg.fin", {"seg.fin": False}, False),
        ("seg.len", {"seg.len": 0}, False),
        ("seg.len", {"seg.len": 3}, True),
        ("tcp.flags.fin == 1", {"tcp.flags.fin": True}, True),
        ("tcp.flags.fin == 1", {"tcp.flags.fin": False}, False),
        ("tcp.flags.fin != 0", {"tcp.flags.fin": True}, True),
        ("client.state == TIME-WAIT", {"client.state": State.TIME_WAIT}, True),
        ("client.state != TIME-WAIT", {"client.state": State.TIME_WAIT}, False),
        ("seg.from == client", {"seg.from": "client"}, True),
        ("seg.len > 5", {"seg.len": 5}, False),
        ("seg.len >= 5", {"seg.len": 5}, True),
        ("seg.len < 5", {"seg.len": 5}, False),
        ("seg.len <= 5", {"seg.len": 5}, True),
        ("seg.seq_raw == server.rcv_nxt - 1", {"seg.seq_raw": 9, "server.rcv_nxt": 10}, True),
        ("-1 < seg.len", {"seg.len": 0}, True),
        ("seg.flags == AS", {"seg.flags": "SA"}, True),
        ("seg.flags contains FA", {"seg.flags": "FPA"}, True),
        ("seg.flags contains FA", {"seg.flags": "PA"}, False),
        ('seg.src contains "192.0.2."', {"seg.src": "192.0.2.7"}, True),
        ("seg.src == 192.0.2.7", {"seg.src": "192.0.2.7"}, True),
        ("client.call.read == ECONNRESET", {"client.call.read": "ECONNRESET"}, True),
        ("client.call.read != ECONNRESET", {"client.call.read": "5"}, True),
        ("client.call.read >= 5", {"client.call.read": "5"}, True),
        ("client.call.read >= 5", {"client.call.read": 12}, True),
        ("client.call.read >= 5", {"client.call.read": "ECONNRESET"}, False),
        ('client.call.error == "0"', {"client.call.error": "0"}, True),
        ("client.call.error == 0", {"client.call.error": 0}, True),
        ("server[b].count.FIN-WAIT-1-1 == 2", {"server[b].count.FIN-WAIT-1": 3}, True),
        ("seg.fin or seg.syn", {"seg.fin": False, "seg.syn": True}, True),
        ("seg.fin and seg.syn", {"seg.fin": False, "seg.syn": True}, False),
        ("not (seg.fin or seg.syn)", {"seg.fin": False, "seg.syn": False}, True),
        ("true", {}, True),
        ("false or 0", {}, False),
    ],
)
def test_what_holds(text, values, held):
    assert holds(text, values) is held


@pytest.mark.parametrize(
    "text",
    [
        "client.state == CLOSED",
        "client.state != CLOSED",
        "server.info.rto + 1 > 0",
        "seg.fin",
        "seg.fin == 0",
        "client.call.read == 0",
        "seg.flags contains S",
    ],
)
def test_nothing_holds_of_what_is_not_known(text):
    assert holds(text, {}) is False


def test_names_come_in_order_and_once():
    names = said("seg.fin and server[b].state == CLOSED and not (seg.fin or seg.len > 1)").names()
    assert [name.written for name in names] == ["seg.fin", "server[b].state", "seg.len"]


def test_a_sum_is_added_up():
    found = parse_sum("client.snd_nxt - (client.isn - 7)", hosts=HOSTS, conns=CONNS)
    assert total(found, Answers({"client.snd_nxt": 1000, "client.isn": 100})) == 907
    assert total(found, Answers({"client.snd_nxt": 1000})) is None
