"""Counters: the kernel's text, and that an open reader stays with its namespace."""

import socket
from contextlib import closing

import pytest

from tcplab.kernel import links
from tcplab.kernel.counters import Counters, delta, parse
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.testbed.netns import Namespace, enter_user_namespace
from tests.live import forked

SNMP = """\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens CurrEstab OutRsts
Tcp: 1 200 120000 -1 19 2 16
Udp: InDatagrams
Udp: 7
"""
NETSTAT = """\
TcpExt: SyncookiesSent TCPChallengeACK
TcpExt: 0 3
IpExt: InNoRoutes
IpExt: 5
"""


def test_names_are_joined_as_nstat_joins_them():
    assert parse(SNMP + NETSTAT) == {
        "TcpActiveOpens": 19,
        "TcpOutRsts": 16,
        "TcpExtSyncookiesSent": 0,
        "TcpExtTCPChallengeACK": 3,
    }


def test_names_without_values_are_refused():
    with pytest.raises(ValueError):
        parse("Tcp: ActiveOpens OutRsts\nTcp: 1\n")


def test_delta_is_what_grew():
    before = {"TcpOutRsts": 3, "TcpInSegs": 10, "TcpOutSegs": 8}
    after = {"TcpOutRsts": 4, "TcpInSegs": 10, "TcpOutSegs": 12, "TcpExtTCPChallengeACK": 1}
    assert delta(before, after) == {
        "TcpOutRsts": 1,
        "TcpOutSegs": 4,
        "TcpExtTCPChallengeACK": 1,
    }


def test_delta_of_nothing_is_nothing():
    assert delta({"TcpOutRsts": 3}, {"TcpOutRsts": 3}) == {}


def test_closing_twice_is_fine():
    counters = Counters()
    counters.close()
    counters.close()


def _connect_to_a_closed_port_on_loopback() -> None:
    """One SYN, and one RST that answers it: TcpActiveOpens and TcpOutRsts grow by one each."""
    with socket.socket() as held, socket.socket() as caller:
        held.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can open it meanwhile
        with pytest.raises(ConnectionRefusedError):
            caller.connect(held.getsockname())


def grown_in_two_namespaces() -> tuple[dict[str, int], dict[str, int]]:
    """What two readers see grow when a connection is refused in the first one's namespace."""
    enter_user_namespace()
    namespaces = Namespace(), Namespace()
    readers = []
    for namespace in namespaces:
        with namespace.entered(), closing(Netlink(ROUTE)) as netlink:
            readers.append(Counters())
            netlink.tell([links.set_up(1)])
    before = [reader.read() for reader in readers]
    with namespaces[0].entered():
        _connect_to_a_closed_port_on_loopback()
    one, other = (delta(*pair) for pair in zip(before, (r.read() for r in readers), strict=True))
    return one, other


def test_a_reader_stays_with_the_namespace_in_which_it_was_made():
    one, other = forked(grown_in_two_namespaces)
    assert (one["TcpActiveOpens"], one["TcpOutRsts"], other) == (1, 1, {})
