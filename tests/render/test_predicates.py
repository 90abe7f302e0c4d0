"""How predicates are broken into lines."""

import pytest

from tcplab.render.cells import flowed
from tcplab.render.predicates import names_no_connection, parts


@pytest.mark.parametrize(
    ("predicate", "lines"),
    [
        (
            "client.state == CLOSED and server.sent.rst == 1",
            ["client.state == CLOSED", "and server.sent.rst == 1"],
        ),
        ("client.call.connect == EADDRNOTAVAIL", ["client.call.connect", "== EADDRNOTAVAIL"]),
        (
            "server.counter.TCPFromZeroWindowAdv >= 1",
            ["server.counter.", "TCPFromZeroWindowAdv >= 1"],
        ),
        (
            "client.state == CLOSED and server[connection].retransmitted.data >= 2",
            ["client.state == CLOSED", "and server[connection].", "retransmitted.data >= 2"],
        ),
        (
            "client.info.rto >= client.info.rtt + 200000",
            ["client.info.rto", ">= client.info.rtt + 200000"],
        ),
    ],
)
def test_lines_begin_with_an_operator_or_a_name(predicate, lines):
    assert flowed(parts(predicate, 30), 30) == lines


def test_what_fits_stays_on_one_line():
    predicate = "client.state == CLOSED and server.sent.rst == 1"
    assert flowed(parts(predicate, 60), 60) == [predicate]


@pytest.mark.parametrize(
    ("predicate", "unclear"),
    [
        ("client.state == CLOSED", True),
        ("client[a].state == CLOSED and server.timer == off", True),
        ("client[a].state == CLOSED", False),
        ("server.counter.OutRsts == 1 and client.count.TIME-WAIT == 4", False),
        ("server.descriptors == 1", False),
    ],
)
def test_names_of_an_end_ask_for_a_connection(predicate, unclear):
    assert names_no_connection(predicate) is unclear
