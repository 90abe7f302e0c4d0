"""The direct testbed: what its ports answer, what it tells of a run, and that it goes away."""

import errno
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from select import select

import pytest

from tcplab.kernel.routes import route_to
from tcplab.scenario.services import SERVICES, Services
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import Family
from tcplab.testbed.sockets import abort
from tcplab.wire.burst.path import Path as Way
from tcplab.wire.codec import craft, craft_error
from tcplab.wire.frame import Frame
from tcplab.wire.packet_socket import PacketSocket
from tests.links import until
from tests.live import forked
from tests.testbed import nft
from tests.testbed.test_namespace import descriptors, still_open

PATIENCE_S = 40.0
"""A deadline for what comes at once."""
CLOSED = 81
HUNDRED = range(1000, 1100)
ELSEWHERE = {Family.IPV4: "198.51.100.9", Family.IPV6: "2001:db8:9::9"}
PROHIBITED = {Family.IPV4: (3, 13), Family.IPV6: (1, 1)}
ERRNO_OF_PROHIBITED = {Family.IPV4: errno.EHOSTUNREACH, Family.IPV6: errno.EACCES}

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


def direct(family: Family, **how) -> DirectTestbed:
    return DirectTestbed(family=family, rootless=True, **how)


class Prober:
    """Sends one SYN a port from a host, and hears what comes back: a scan with nothing clever.

    On one processor, whose queue of packets the two kernels then share: what was sent first is
    answered first.
    """

    def __init__(self, testbed: DirectTestbed, host: str = "client") -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.path = testbed.path(host)
        self._port = 40000
        family = socket.AF_INET6 if ":" in self.path.source else socket.AF_INET
        with self.path.inside():
            self._heard = PacketSocket(self.path.interface, self.path.permit)
            # Not of protocol TCP: that one is told of rejections by errors of later calls.
            self._raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def ask(self, port: int) -> None:
        self._raw.sendto(craft(self.syn(port)), (self.path.destination, 0))

    def syn(self, port: int) -> Segment:
        return Segment(
            src=Address(self.path.source, self._port),
            dst=Address(self.path.destination, port),
            seq=Seq(port),
            flags=Flags.SYN,
        )

    def answers(self, ports) -> dict[int, tuple[int, int] | str]:
        """What each of these ports said, asked once; waits until every one has said something."""
        for port in ports:
            self.ask(port)
        said: dict[int, tuple[int, int] | str] = {}
        deadline_s = time.monotonic() + PATIENCE_S
        while len(said) < len(ports) and time.monotonic() < deadline_s:
            select([self._heard], [], [], PATIENCE_S)
            for frame in self.frames():
                said |= self._read(frame)
        return said

    def frames(self) -> list[Frame]:
        """What has come since the last look."""
        found: list[Frame] = []
        while seen := self._heard.take():
            found += [each.frame for each in seen]
        return found

    def _read(self, frame: Frame) -> dict[int, tuple[int, int] | str]:
        segment, error = frame.segment, frame.icmp
        if segment is not None and segment.dst.port == self._port:
            return {segment.src.port: str(segment.flags)}
        if error is not None:
            assert error.quoted_seq == Seq(error.quoted_dst.port)
            return {error.quoted_dst.port: (error.type, error.code)}
        return {}

    def close(self) -> None:
        self._heard.close()
        self._raw.close()


def connect(testbed: DirectTestbed, port: int, host: str = "client") -> socket.socket:
    """A connection from that host, or the OSError that connect() met."""
    path = testbed.path(host)
    with path.inside():
        made = socket.socket(socket.AF_INET6 if ":" in path.destination else socket.AF_INET)
    made.settimeout(PATIENCE_S)
    try:
        made.connect((path.destination, port))
    except OSError:
        made.close()
        raise
    return made


def error_of_connect(testbed: DirectTestbed, port: int) -> int | None:
    with pytest.raises(OSError) as refusal:
        connect(testbed, port)
    return refusal.value.errno


# --- what its ports answer ----------------------------------------------------------------------


def answers_of_every_kind(family) -> tuple[dict, dict]:
    with closing(direct(family)) as testbed, closing(Prober(testbed)) as prober:
        for port in SERVICES.filtered:
            prober.ask(port)
        spoke = (*SERVICES.open, *SERVICES.rejected, CLOSED)
        said = prober.answers(spoke)
        there_and_back(testbed, prober.path)
        return said, testbed.server_saw().counters


@every_family
def test_each_port_answers_as_its_services_say(family):
    said, counters = forked(answers_of_every_kind, family)
    expected: dict = dict.fromkeys(SERVICES.open, str(Flags.SYN | Flags.ACK))
    expected |= dict.fromkeys(SERVICES.rejected, PROHIBITED[family])
    expected[CLOSED] = str(Flags.RST | Flags.ACK)
    # What follows the silent ones on the same link has answered: had they, it would be among it.
    assert said == expected
    assert counters["TcpOutRsts"] == 1  # the closed port's: the kernel said nothing of the others


def hundred_rejected(family) -> dict:
    services = Services(open=(80,), rejected=tuple(HUNDRED))
    with (
        closing(direct(family, services=services)) as testbed,
        closing(Prober(testbed)) as prober,
    ):
        return prober.answers((*HUNDRED, 80, CLOSED))


@every_family
def test_every_one_of_a_hundred_rejections_comes_back(family):
    said = forked(hundred_rejected, family)
    assert said == {
        **dict.fromkeys(HUNDRED, PROHIBITED[family]),
        80: str(Flags.SYN | Flags.ACK),
        CLOSED: str(Flags.RST | Flags.ACK),
    }


def errors_of_connects(family) -> tuple[list[int | None], int | None]:
    with closing(direct(family)) as testbed:
        rejected = [error_of_connect(testbed, port) for port in SERVICES.rejected]
        return rejected, error_of_connect(testbed, CLOSED)


@every_family
def test_connect_to_a_rejected_port_fails_as_prohibited(family):
    rejected, closed = forked(errors_of_connects, family)
    assert rejected == [ERRNO_OF_PROHIBITED[family]] * len(SERVICES.rejected)
    assert closed == errno.ECONNREFUSED


def rejection_and_scapys(family) -> tuple[bytes, bytes]:
    """The ICMP packet that comes back, and the one that Scapy makes; identification blanked."""
    with closing(direct(family)) as testbed, closing(Prober(testbed)) as prober:
        port = SERVICES.rejected[0]
        prober.ask(port)
        deadline_s = time.monotonic() + PATIENCE_S
        frames: list[Frame] = []
        while not frames and time.monotonic() < deadline_s:
            select([prober._heard], [], [], PATIENCE_S)
            frames = [frame for frame in prober.frames() if frame.icmp]
        (frame,) = frames
        packet = frame.octets[frame.link_octets :]
        header = 40 if family is Family.IPV6 else 20
        quoted = packet[header + 8 :]
        assert quoted[header:] == craft(prober.syn(port))[header:]
        kind, code = PROHIBITED[family]
        made = craft_error(
            quoted, src=prober.path.destination, dst=prober.path.source, kind=kind, code=code
        )
        return packet[header:], made[header:]


@every_family
def test_rejection_is_the_icmp_error_that_scapy_makes(family):
    heard, made = forked(rejection_and_scapys, family)
    assert heard == made


# --- what it tells of a run ---------------------------------------------------------------------


def log_of_connections(family):
    """Two connections, one of which was reset before anybody accepted it; and a SYN scan's one."""
    with closing(direct(family)) as testbed, closing(Prober(testbed)) as prober:
        assert not testbed.server_saw().accepted
        prober.answers([443])
        stays, resets = connect(testbed, 22), connect(testbed, 80)
        names = [each.getsockname() for each in (stays, resets)]
        abort(resets)
        until(lambda: testbed._counters.read()["TcpEstabResets"] == 1)
        saw = testbed.server_saw()
        again = testbed.server_saw()
        stays.close()
    return [name[:2] for name in names], prober.path.source, saw, again


@every_family
def test_log_holds_whom_the_application_accepted(family):
    names, source, saw, again = forked(log_of_connections, family)
    assert [ip for ip, _port in names] == [source, source]
    assert saw.accepted == ((*names[0], 22), (*names[1], 80))
    assert again.accepted == saw.accepted
    assert saw.counters["TcpPassiveOpens"] == 2
    assert saw.counters["TcpEstabResets"] == 1
    # The SYN scan's: its client's kernel reset what it had not begun.
    assert saw.counters["TcpAttemptFails"] == 1
    assert saw.syn_received_peak is None


def facts_and_path(family):
    with closing(direct(family, others=("client", "attacker"))) as testbed:
        found = {}
        for host in ("client", "attacker"):
            path = testbed.path(host)
            with path.inside():
                route = route_to(path.destination)
            found[host] = (
                (path.source, path.interface, path.link_index, path.local),
                (
                    route.source,
                    route.link.name,
                    route.link.index,
                    False,
                ),
            )
            connect(testbed, 80, host).close()
        peers = [ip for ip, _port, _to in testbed.server_saw().accepted]
        return testbed.facts, found, peers


@every_family
def test_path_is_the_kernels_route_for_each_host(family):
    facts, found, peers = forked(facts_and_path, family)
    assert facts.kind == "namespace"
    assert facts.rootless
    for path, route in found.values():
        assert path == route
    assert peers == [found[host][0][0] for host in ("client", "attacker")]
    assert len(set(peers)) == 2


# --- links that go down -------------------------------------------------------------------------


def sent_after_cut(family, end: str) -> tuple[int | None, bool]:
    """The errno of a client's SYN after its cable was cut there; and can the attacker go on?"""
    with closing(direct(family, others=("client", "attacker"))) as testbed:
        with closing(Prober(testbed)) as prober:
            testbed.cut("client", at=end)
            failure = None
            try:
                prober.ask(80)
            except OSError as refusal:
                failure = refusal.errno
        with closing(Prober(testbed, "attacker")) as other:
            return failure, other.answers([80]) == {80: str(Flags.SYN | Flags.ACK)}


@every_family
def test_cut_at_the_servers_end_loses_what_is_sent_and_others_go_on(family):
    failure, others = forked(sent_after_cut, family, "server")
    assert failure is None
    assert others


@every_family
def test_cut_at_the_hosts_own_end_lets_nothing_be_sent(family):
    failure, others = forked(sent_after_cut, family, "client")
    assert failure in (errno.ENETUNREACH, errno.ENETDOWN, errno.ENODEV)
    assert others


# --- closed, and gone afterwards ----------------------------------------------------------------


def ways_out(family) -> dict[str, str]:
    said = {}
    with closing(direct(family, others=("client", "attacker"))) as testbed:
        for name in ("client", "server", "attacker"):
            with testbed.inside(name):
                try:
                    route_to(ELSEWHERE[family])
                except OSError as refusal:
                    said[name] = errno.errorcode[refusal.errno]
    return said


@every_family
def test_no_host_has_a_way_out(family):
    assert forked(ways_out, family) == dict.fromkeys(
        ("client", "server", "attacker"), "ENETUNREACH"
    )


def left_after(runs: int) -> tuple[list[int], set[str]]:
    """Threads of this process after each of so many testbeds, and descriptors after all."""
    with closing(direct(Family.IPV4)):
        pass
    before = descriptors()
    threads = []
    for _ in range(runs):
        with closing(DirectTestbed()) as testbed:
            connect(testbed, 80).close()
            assert len(os.listdir("/proc/self/task")) == 2
        threads.append(len(os.listdir("/proc/self/task")))
        testbed.close()
    return threads, still_open(before)


def test_closed_testbed_leaves_no_thread_and_no_descriptor():
    threads, left = forked(left_after, 20)
    assert threads == [1] * 20
    assert not left


def wakes(ports) -> int:
    """How often the thread that rejects was woken while these ports were asked."""

    def slept() -> int:
        status = Path(f"/proc/self/task/{thread}/status").read_text()
        return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])

    with closing(direct(Family.IPV4)) as testbed, closing(Prober(testbed)) as prober:
        (thread,) = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
        prober.answers(range(9000, 9010))  # meanwhile it begins to wait
        before = slept()
        prober.answers(ports)
        return slept() - before


def test_rejecting_thread_sleeps_while_other_ports_are_asked():
    # It may be about to sleep for the first time.
    assert forked(wakes, range(10000, 10200)) <= 2


def test_process_ends_though_its_testbed_was_never_closed():
    program = (
        "from tcplab.testbed.direct import DirectTestbed as D; kept = D(rootless=True); exit(7)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], timeout=PATIENCE_S, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (7, "")


# --- netfilter inside ---------------------------------------------------------------------------


def through_netfilter(family) -> tuple[dict, dict]:
    """What ports say behind real rules: 100 rejected, 100 dropped, the others closed."""
    dropped = range(2000, 2100)
    with closing(direct(family)) as testbed:
        with testbed.inside("server"):
            nft.reject_ports(HUNDRED)
            nft.drop_ports(dropped)
        with closing(Prober(testbed)) as prober:
            for port in dropped:
                prober.ask(port)
            said = prober.answers((*HUNDRED, 80, CLOSED))
            there_and_back(testbed, prober.path)
            return said, testbed.server_saw().counters


@every_family
def test_nft_drops_and_rejects_inside_a_host(family):
    said, counters = forked(through_netfilter, family)
    assert said == {
        **dict.fromkeys(HUNDRED, PROHIBITED[family]),
        80: str(Flags.SYN | Flags.ACK),
        CLOSED: str(Flags.RST | Flags.ACK),
    }
    assert counters["TcpInSegs"] == 3  # the two, and the client's RST to the SYN, ACK


def only_open(family) -> tuple[dict, dict]:
    with closing(direct(family)) as testbed:
        with testbed.inside("server"):
            nft.only_open(SERVICES.open)
        with closing(Prober(testbed)) as prober:
            for port in range(5000, 5100):
                prober.ask(port)
            said = prober.answers(SERVICES.open)
            there_and_back(testbed, prober.path)
            return said, testbed.server_saw().counters


@every_family
def test_nft_leaves_the_open_ports_alone(family):
    said, counters = forked(only_open, family)
    assert said == dict.fromkeys(SERVICES.open, str(Flags.SYN | Flags.ACK))
    assert "TcpOutRsts" not in counters


def share_lost(family, percent: float, probes: int) -> tuple[float, float]:
    """The share of SYNs lost on the way in, and of the RSTs that answered the others."""
    with closing(direct(family)) as testbed:
        with testbed.inside("server"):
            nft.lose(percent)
        with closing(Prober(testbed)) as prober:
            ports = range(10000, 10000 + probes)
            for port in ports:
                prober.ask(port)
            there_and_back(testbed, prober.path)
            heard = sum(frame.segment is not None for frame in prober.frames())
        came = testbed.server_saw().counters["TcpInSegs"]
        return came / probes, heard / came


def there_and_back(testbed: DirectTestbed, path: Way) -> None:
    """Wait for all that was sent before, and what it was answered: UDP is not lost."""
    family = socket.AF_INET6 if ":" in path.source else socket.AF_INET
    with testbed.inside("server"):
        far = socket.socket(family, socket.SOCK_DGRAM)
    with path.inside():
        near = socket.socket(family, socket.SOCK_DGRAM)
    with far, near:
        far.settimeout(PATIENCE_S)
        near.settimeout(PATIENCE_S)
        far.bind((path.destination, 9))
        near.sendto(b"there", (path.destination, 9))
        _words, peer = far.recvfrom(16)
        far.sendto(b"and back", peer)
        assert near.recv(16) == b"and back"


@every_family
def test_nft_loses_segments_both_ways(family):
    came, answered = forked(share_lost, family, 20, 1000)
    # Five standard deviations of the second, a binomial of 800, are 0.071.
    assert came == pytest.approx(0.8, abs=0.08)
    assert answered == pytest.approx(0.8, abs=0.08)
