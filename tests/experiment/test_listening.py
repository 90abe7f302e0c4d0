"""One port of a scan that is not stepped: what is heard beside it, and what that implies."""

import errno
import select
import socket
import struct
import time

import pytest

from tcplab.analysis.scanning import proofs
from tcplab.analysis.scanning.census import PortState
from tcplab.analysis.scanning.comparison import Resetter, exchange
from tcplab.analysis.scanning.report import Method
from tcplab.experiment.listening import Listening
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import Family
from tcplab.timeline.events import Fate, Source
from tcplab.wire import codec
from tests.links import DEADLINE_S
from tests.live import forked

SILENCE_S = 0.5
COMMAND = ("scan", "--ladder", "22")
KINDS = [
    (22, PortState.OPEN),
    (81, PortState.CLOSED),
    (135, PortState.FILTERED),
    (23, PortState.REJECTED),
]

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


def af(family):
    return socket.AF_INET if family is Family.IPV4 else socket.AF_INET6


def connect(testbed, family, port):
    """What a connect scan does with one port; returns the port that it came from."""
    with testbed.inside("client"):
        asking = socket.socket(af(family), socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with asking:
        asking.connect_ex((testbed.ip("server"), port))
        source = asking.getsockname()[1]
        poll = select.poll()
        poll.register(asking, select.POLLOUT)
        answered = poll.poll(100 if port == 135 else DEADLINE_S * 1000)
        assert bool(answered) == (port != 135)
        error = asking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        assert (error == 0) == (port in (22, 80, 135)), errno.errorcode.get(error)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
    return source


def by_connect(family, port, source_ports=None):
    testbed = DirectTestbed(family=family, rootless=True)
    try:
        with Listening(testbed.path(), port, source_ports=source_ports) as listening:
            source = connect(testbed, family, port)
            connect(testbed, family, 80)  # of no concern
            timeline = listening.timeline(Method.CONNECT, command=COMMAND)
        return timeline, source
    finally:
        testbed.close()


def by_syn(family, port, facts=False, rounds=1):
    testbed = DirectTestbed(family=family, rootless=True)
    try:
        source, target = Address(testbed.ip("client"), 40000), testbed.ip("server")
        with (
            Listening(testbed.path(), port, source_ports=range(40000, 40000 + rounds)) as listening,
            testbed.inside("client"),
            socket.socket(af(family), socket.SOCK_RAW, socket.IPPROTO_RAW) as raw,
        ):
            for number in (source, Address(source.ip, 40001)):  # the second one is a stranger's
                probe = Segment(src=number, dst=Address(target, port), seq=Seq(90), flags=Flags.SYN)
                raw.sendto(codec.craft(probe), (target, 0))
            # A kernel's answer, if there is one, is there when send returns; a firewall that
            # answers with ICMP is a thread.
            waiting = select.poll()
            waiting.register(listening, select.POLLIN)
            until_s = time.monotonic() + (SILENCE_S if port == 135 else DEADLINE_S)
            while True:
                told = listening.timeline(
                    Method.SYN, command=COMMAND, facts=testbed.facts if facts else None
                )
                answered = exchange(told, port, Method.SYN).state is not PortState.FILTERED
                if answered or time.monotonic() >= until_s:
                    return told
                waiting.poll(10)
    finally:
        testbed.close()


@every_family
@pytest.mark.parametrize(("port", "state"), KINDS, ids=lambda value: str(value))
def test_connect_scan(family, port, state):
    timeline, source = forked(by_connect, family, port)
    found = exchange(timeline, port, Method.CONNECT)
    assert found.state is state
    assert not found.observed
    assert timeline.host("client").port == source
    assert {event.fate for event in timeline.segments()} == {Fate.CAPTURED}
    assert {each.source for event in timeline.segments() for each in event.lanes} == {
        Source.INFERRED
    }


@every_family
@pytest.mark.parametrize(("port", "state"), KINDS, ids=lambda value: str(value))
def test_syn_scan(family, port, state):
    timeline = forked(by_syn, family, port)
    found = exchange(timeline, port, Method.SYN)
    assert found.state is state
    assert {
        event.segment.dst.port for event in timeline.segments() if event.sender == "client"
    } == {port}
    assert timeline.host("client").port == 40000


def test_states_of_an_open_port_are_inferred_for_the_server_alone():
    timeline = forked(by_syn, Family.IPV4, 22)
    found = exchange(timeline, 22, Method.SYN)
    assert [event.segment.flags.letters for event in timeline.segments()] == ["S", "SA", "R"]
    assert found.server_states == (State.LISTEN, State.SYN_RECEIVED, State.LISTEN)
    assert found.client_states == (State.CLOSED,)
    assert found.reset_by is Resetter.KERNEL


def courses(timeline):
    """What the server went through in each round."""
    told = {}
    for event in timeline.segments():
        lane = next(each for each in event.lanes if each.host == "server")
        told.setdefault(event.conn, [lane.before]).append(lane.after)
    return told


def test_an_open_port_is_in_listen_before_the_first_syn_of_every_round():
    timeline = forked(by_syn, Family.IPV4, 22, rounds=2)
    told = courses(timeline)
    assert list(told) == ["round-1", "round-2"]
    for course in told.values():
        assert course[:2] == [State.LISTEN, State.SYN_RECEIVED]
        assert State.CLOSED not in course
    proof, *_ = proofs.findings(exchange(timeline, 22, Method.SYN))
    cited = [timeline.events[i].segment.flags.letters for i in proof.events]
    assert cited == ["S", "SA"]


def test_a_port_that_answers_with_rst_stays_closed():
    (course,) = courses(forked(by_syn, Family.IPV4, 81)).values()
    assert set(course) == {State.CLOSED}


def test_of_a_port_from_which_nothing_came_no_state_is_told():
    timeline = forked(by_syn, Family.IPV4, 135)
    lanes = {lane.host for event in timeline.segments() for lane in event.lanes}
    assert lanes == {"client"}


def test_connection_of_a_connect_scan_is_opened_and_aborted():
    timeline, _source = forked(by_connect, Family.IPV4, 22)
    found = exchange(timeline, 22, Method.CONNECT)
    assert [event.segment.flags.letters for event in timeline.segments()] == [
        "S", "SA", "A", "RA",
    ]  # fmt: skip
    assert found.client_states == (
        State.CLOSED, State.SYN_SENT, State.ESTABLISHED, State.CLOSED,
    )  # fmt: skip


def test_strangers_ports_are_not_heard():
    timeline, _source = forked(by_connect, Family.IPV4, 22, range(1, 2))
    assert list(timeline.segments()) == []
    assert timeline.host("client").port == 0


def test_where_it_ran():
    here = forked(by_syn, Family.IPV4, 81)
    assert (here.testbed.kind, here.testbed.interface) == ("nic", "eth0")
    assert here.scenario == "syn-scan"
    testbed = forked(by_syn, Family.IPV4, 81, True)
    assert testbed.testbed.kind == "namespace"
