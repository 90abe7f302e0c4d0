"""The connect scan against kernels: every port right, whatever stands in the way."""

import contextlib
import resource
import socket
import threading
import time
from array import array
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tcplab.analysis.scanning.census import Census, PortState, Proof, Rejection
from tcplab.errors import Exit, LinkLostError, RefusedError, UnavailableError
from tcplab.kernel import links
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq
from tcplab.text import Text
from tcplab.wire import connecting
from tcplab.wire.codec import craft
from tcplab.wire.connecting import ConnectProber
from tcplab.wire.raw_socket import RawSocket
from tcplab.wire.shield import Shield
from tests.links import DEADLINE_S, Host, Network, apart, every_version, on_link, until
from tests.testbed import nft
from tests.wire.connects import Scanned, ask, listen, path_of, result, scan

ALL = range(1, 65536)
OPEN = [22, 80, 443, 8080, 50000]
FILTERED = range(1000, 1100)
REJECTED = range(2000, 2100)

needs_nft = pytest.mark.usefixtures("nft")


def served(version: int, *, ports=OPEN) -> tuple[Network, list[socket.socket]]:
    net = on_link()
    return net, [net.server.listen(net.server.ip[version], port) for port in ports]


def shields(net: Network, version: int, ports) -> list[Shield]:
    with net.server.namespace.entered():
        return [Shield(net.server.ip[version], port) for port in ports]


# --- every port is right ------------------------------------------------------------------------


def clean(version: int) -> Scanned:
    net, _listeners = served(version)
    return scan(path_of(net, version), ALL)


@every_version
def test_all_ports(version):
    found = apart(clean, version)

    assert found.ports(Proof.CONNECTED) == OPEN
    assert len(found.ports(Proof.REFUSED)) == 65530
    assert (found.sent, found.received, found.send_errors) == (65535, 65535, 0)
    assert found.census.duplicates == 0


@every_version
def test_the_round_trip_of_every_open_port_is_known(version):
    found = apart(clean, version)

    assert sorted(found.census.rtts_ns) == OPEN
    assert all(0 < rtt_ns < DEADLINE_S * 1e9 for rtt_ns in found.census.rtts_ns.values())


def some_filtered(version: int) -> Scanned:
    net, _listeners = served(version)
    _silent = shields(net, version, FILTERED)
    return scan(path_of(net, version), ALL)


@every_version
def test_silent_ports_among_closed_ones(version):
    found = apart(some_filtered, version)

    assert found.census.of_state(PortState.FILTERED) == [*FILTERED]
    assert found.ports(Proof.CONNECTED) == OPEN
    assert len(found.ports(Proof.REFUSED)) == 65530 - len(FILTERED)
    assert found.sent == 65535 + 2 * len(FILTERED)


def nearly_all_filtered(version: int) -> Scanned:
    net, _listeners = served(version)
    with net.server.namespace.entered():
        nft.only_open(OPEN)
    return scan(path_of(net, version), range(1, 9000), range(50000, 50001))


@needs_nft
@every_version
def test_open_ports_among_silent_ones(version):
    found = apart(nearly_all_filtered, version)

    assert found.ports(Proof.CONNECTED) == OPEN
    assert len(found.ports(Proof.NOTHING)) == 9000 - len(OPEN)


def some_rejected(version: int) -> tuple[Scanned, str]:
    net, _listeners = served(version)
    with net.server.namespace.entered():
        nft.reject_ports(REJECTED)
    return scan(path_of(net, version), ALL), net.server.ip[version]


@needs_nft
@every_version
def test_rejected_ports_among_closed_ones(version):
    found, reporter = apart(some_rejected, version)

    prohibited = Rejection(
        version=version,
        type={4: 3, 6: 1}[version],
        code={4: 13, 6: 1}[version],  # communication administratively prohibited
        reporter=reporter,
    )
    assert found.census.rejections == dict.fromkeys(REJECTED, prohibited)
    assert found.ports(Proof.ICMP) == [*REJECTED]
    assert found.ports(Proof.CONNECTED) == OPEN
    assert len(found.ports(Proof.REFUSED)) == 65530 - len(REJECTED)
    assert found.own_errors == []


KINDS = {"port-unreachable": (3, 4), "host-unreachable": (1, 3), "no-route": (0, 0)}
"""Codes over IPv4 and IPv6 by nft's icmpx names."""


def rejected_by(kind: str, version: int) -> Scanned:
    net, _listeners = served(version)
    with net.server.namespace.entered():
        nft.reject_ports([100], kind)
    return scan(path_of(net, version), range(99, 102))


@needs_nft
@every_version
@pytest.mark.parametrize("kind", KINDS)
def test_an_icmp_error_is_no_reset_whatever_errno_it_becomes(kind, version):
    """Port unreachable is ECONNREFUSED, too."""
    found = apart(rejected_by, kind, version)

    assert found.ports(Proof.REFUSED) == [99, 101]
    assert found.census.rejections[100].code == KINDS[kind][version == 6]


# --- what the kernel cannot say at once ---------------------------------------------------------


class FarEnd:
    """The test, in the place of the server's kernel, which does not hear of these ports."""

    def __init__(self, net: Network, version: int, ports: range) -> None:
        self._client = net.client.ip[version]
        self.repeated = False
        self._known: set[tuple] = set()
        self._heard: list[Segment] = []
        with net.server.namespace.entered():
            nft.drop_ports(ports)
            self._raw = RawSocket(links.family(self._client), net.server.permit)
        self._capture = net.server.capture()

    def hear(self, most: int) -> list[Segment]:
        """The segments that have come, once there are so many. One that is sent again is the same:
        after a second the client's kernel repeats its SYNs.
        """

        def all_there() -> bool:
            fresh = (
                seen.frame.segment
                for seen in self._capture.take()
                if not seen.outgoing and seen.frame.segment is not None
            )
            for each in fresh:
                what = (each.src, each.dst, each.seq, each.flags)
                self.repeated = self.repeated or what in self._known
                if what not in self._known:
                    self._known.add(what)
                    self._heard.append(each)
            return len(self._heard) >= most

        until(all_there)
        heard, self._heard = self._heard, []
        return heard

    def say(self, to: Segment, flags: Flags) -> None:
        """Answer a SYN."""
        answer = Segment(
            src=to.dst,
            dst=to.src,
            seq=Seq(1000),
            ack=to.seq + 1,
            flags=flags,
            wnd_octets=1000,
        )
        self._raw.send(craft(answer), self._client)


LATER = range(300, 340)
TRIES = 20


def wait_for_later() -> None:
    """connect() is given up after 0.9 s; not in this process, which is the test's own and may
    stand still for longer.
    """
    connecting._PATIENCE_NS = round(DEADLINE_S * 1e9)


def answered_later(version: int) -> tuple[Scanned, int | None, int | None, bool]:
    """Every fourth port is open; nothing is said before all have been asked."""
    wait_for_later()
    net = on_link()
    far_end = FarEnd(net, version, LATER)
    census = Census((LATER,))
    with closing(ConnectProber(path_of(net, version), census)) as prober:
        prober.begin_round(0)
        ask(prober, LATER)
        assert (census.answered, prober.rtt_ns()) == (0, None)
        for syn in far_end.hear(len(LATER)):
            open_ = syn.dst.port % 4 == 0
            far_end.say(syn, Flags.SYN | Flags.ACK if open_ else Flags.RST | Flags.ACK)
        listen(prober, census, DEADLINE_S)
        far_end.hear(0)
        return result(prober, census), prober.rtt_ns(), prober.rtt_ns(), far_end.repeated


@needs_nft
@every_version
def test_answers_that_come_later(version):
    for _ in range(TRIES):
        found, rtt_ns, told_already, repeated = apart(answered_later, version)
        if not repeated:  # of a SYN that was sent twice nobody knows the round trip (Karn's rule)
            break

    assert found.ports(Proof.CONNECTED) == [port for port in LATER if port % 4 == 0]
    assert found.ports(Proof.REFUSED) == [port for port in LATER if port % 4]
    assert (found.sent, found.received) == (len(LATER), len(LATER))
    assert found.census.rtts_ns.keys() == set(found.ports(Proof.CONNECTED))
    assert rtt_ns is not None
    assert rtt_ns > 0
    assert told_already is None


def answered_too_late(version: int) -> tuple[Scanned, list[int], list[int]]:
    """The answers to the first round come in the second."""
    wait_for_later()
    net = on_link()
    far_end = FarEnd(net, version, LATER)
    census = Census((LATER,))
    with closing(ConnectProber(path_of(net, version), census)) as prober:
        prober.begin_round(0)
        ask(prober, LATER)
        first = far_end.hear(len(LATER))
        prober.begin_round(1)
        for syn in first:
            far_end.say(syn, Flags.SYN | Flags.ACK)
        ask(prober, LATER)
        # The client's kernel knows nothing of the first ones any more, and resets them.
        later = far_end.hear(2 * len(LATER))
        second = [segment for segment in later if segment.flags == Flags.SYN]
        resets = [segment for segment in later if segment.flags & Flags.RST]
        before = census.answered
        for syn in second:
            far_end.say(syn, Flags.RST | Flags.ACK)
        listen(prober, census, DEADLINE_S)
        ends = [segment.src.port for segment in first], [segment.src.port for segment in second]
        assert (before, len(resets)) == (0, len(LATER))
        return result(prober, census), *ends


@needs_nft
@every_version
def test_an_answer_to_an_earlier_round_proves_nothing(version):
    found, *_ends = apart(answered_too_late, version)

    assert found.ports(Proof.REFUSED) == [*LATER]
    assert found.sent == 2 * len(LATER)


# --- few descriptors, few source ports ----------------------------------------------------------


def with_descriptors(soft: int, hard: int, version: int) -> tuple[Scanned, int]:
    net, _listeners = served(version)
    _silent = shields(net, version, FILTERED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    found = scan(path_of(net, version), range(1, 3000))
    return found, resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@every_version
def test_more_silent_ports_than_descriptors(version):
    """This test itself holds over a hundred of them open."""
    found, soft = apart(with_descriptors, 190, 190, version)

    assert soft == 190
    assert found.census.of_state(PortState.FILTERED) == [*FILTERED]
    assert found.ports(Proof.CONNECTED) == [port for port in OPEN if port < 3000]
    assert found.sent == 2999 + 2 * len(FILTERED)


def test_the_soft_limit_is_raised_as_far_as_needed():
    found, soft = apart(with_descriptors, 130, 4096, 4)

    assert 1000 < soft <= 4096
    assert found.census.of_state(PortState.FILTERED) == [*FILTERED]


def few_files(version: int) -> Scanned:
    net, _listeners = served(version, ports=[80])
    _silent = shields(net, version, range(20, 60))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64 + 41, 64 + 41))
    return scan(path_of(net, version), range(1, 1000))


@every_version
def test_64_files(version):
    found = apart(few_files, version)

    assert found.census.of_state(PortState.FILTERED) == [*range(20, 60)]
    assert found.census.of_state(PortState.OPEN) == [80]


def one_at_once(version: int) -> Scanned:
    net, _listeners = served(version, ports=[80])
    return scan(path_of(net, version), range(1, 2000), most_at_once=1)


def test_one_descriptor_is_enough():
    found = apart(one_at_once, 4)

    assert found.census.of_state(PortState.OPEN) == [80]
    assert len(found.ports(Proof.REFUSED)) == 1998


def no_descriptor() -> tuple[int, str, str]:
    net = on_link()
    resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))
    with pytest.raises(UnavailableError) as failure:
        ConnectProber(path_of(net, 4), Census((ALL,)))
    return failure.value.status, str(failure.value.what), str(failure.value.remedy)


def test_no_descriptor_is_said_so():
    status, what, remedy = apart(no_descriptor)

    assert status == Exit.UNAVAILABLE
    assert "12 files" in what
    assert "ulimit" in remedy


def no_source_port(version: int) -> tuple[int, int, Scanned]:
    net, _listeners = served(version, ports=[80])
    net.client.set("ipv4/ip_local_port_range", "40000 40001")
    path = path_of(net, version)
    census = Census((range(70, 90),))
    with contextlib.ExitStack() as taken, closing(ConnectProber(path, census)) as prober:
        for port in (40000, 40001):
            with net.client.namespace.entered():
                holder = taken.enter_context(socket.socket(links.family(path.source)))
            holder.bind((path.source, port))
            holder.listen()
        prober.begin_round(0)
        prober.send(array("H", range(70, 90)))
        prober.collect(0)
        errors, waiting = prober.send_errors, prober.busy
        taken.close()
        ask(prober, [])
        return errors, waiting, result(prober, census)


@every_version
def test_used_up_source_ports_are_waited_for(version):
    errors, waiting, found = apart(no_source_port, version)

    assert errors > 0
    assert waiting == 20
    assert found.census.of_state(PortState.OPEN) == [80]
    assert len(found.ports(Proof.REFUSED)) == 19
    assert found.sent == 20


def never_a_source_port(version: int) -> tuple[int, str]:
    net = on_link()
    net.client.set("ipv4/ip_local_port_range", "40000 40000")
    connecting._LONGEST_SHORTAGE_NS = 20_000_000  # in this process, which is the test's own
    path = path_of(net, version)
    with net.client.namespace.entered():
        holder = socket.socket(links.family(path.source))
    with holder, closing(ConnectProber(path, Census((range(70, 90),)))) as prober:
        holder.bind((path.source, 40000))
        holder.listen()
        prober.begin_round(0)
        with pytest.raises(UnavailableError) as failure:
            ask(prober, range(70, 90))
        return prober.sent, str(failure.value.what)


@every_version
def test_source_ports_that_never_come_free_end_it(version):
    sent, what = apart(never_a_source_port, version)

    assert sent == 0
    assert "source port" in what


# --- the own machine ----------------------------------------------------------------------------


def own_ports(version: int) -> tuple[int, int]:
    """Of the connects to two of these, half, at random, would go from a port to itself."""
    net = on_link()
    net.client.set("ipv4/ip_local_port_range", "40000 40003")
    path = path_of(net, version, to=net.client.ip[version])
    both = range(40000, 40003, 2)
    sent = refused = 0
    for _ in range(30):
        found = scan(path, both)
        sent += found.sent
        refused += len(found.ports(Proof.REFUSED))
    return sent, refused


@every_version
def test_a_socket_that_connects_to_itself_is_no_open_port(version):
    sent, refused = apart(own_ports, version)

    assert refused == 60
    assert sent > 60


def all_own_ports(version: int) -> Scanned:
    net = on_link()
    own = net.client.ip[version]
    _listeners = [net.client.listen(own, port) for port in OPEN]
    return scan(path_of(net, version, to=own), ALL)


@every_version
def test_all_ports_of_the_own_machine(version):
    found = apart(all_own_ports, version)

    assert found.ports(Proof.CONNECTED) == OPEN
    assert len(found.ports(Proof.REFUSED)) == 65530


# --- nothing is left ----------------------------------------------------------------------------


def sockets_of(host: Host, version: int) -> Counter[str]:
    """How many TCP sockets are in which state (man 5 proc_net)."""
    with host.namespace.entered():
        table = Path("/proc/thread-self/net", {4: "tcp", 6: "tcp6"}[version]).read_text()
    return Counter(line.split()[3] for line in table.splitlines()[1:])


def after(version: int) -> tuple[Counter[str], Counter[str]]:
    net, _listeners = served(version)
    _silent = shields(net, version, FILTERED)
    scan(path_of(net, version), ALL, quiet_s=0.05)
    return sockets_of(net.client, version), sockets_of(net.server, version)


@every_version
def test_no_time_wait_and_no_connection_is_left(version):
    client, server = apart(after, version)

    assert client == {}
    assert set(server) == {"0A"}  # its listeners


# --- the way out, and whether it may be taken ---------------------------------------------------


def link_lost(version: int) -> str:
    net = on_link()
    census = Census((ALL,))
    with closing(ConnectProber(path_of(net, version), census)) as prober:
        prober.begin_round(0)
        prober.send(array("H", range(1, 1000)))
        prober.collect(0)
        net.client.tell(links.set_up(2, up=False))
        prober.send(array("H", range(1000, 2000)))
        with pytest.raises(LinkLostError) as failure:
            prober.collect(0)
        assert census.answered == 999
        return f"{failure.value.what} {failure.value.remedy}"


@every_version
def test_a_link_that_goes_down_is_named(version):
    assert "eth0" in apart(link_lost, version)


NOBODY = {4: "192.0.2.77", 6: "2001:db8:1::77"}


def nobody_there(version: int) -> tuple[Scanned, str]:
    net = on_link()
    net.client.set(f"ipv{version}/neigh/eth0/retrans_time_ms", "20")
    path = path_of(net, version, to=NOBODY[version])
    census = Census((range(1, 20),))
    with closing(ConnectProber(path, census)) as prober:
        prober.begin_round(0)
        ask(prober, range(1, 20))
        deadline_s = time.monotonic() + DEADLINE_S
        while not prober.own_errors():
            assert time.monotonic() < deadline_s, "the kernel has not reported"
            prober.collect(0.01)
        return result(prober, census), path.source


@every_version
def test_nobody_who_answers_for_the_address_is_the_own_kernel_s_report(version):
    found, source = apart(nobody_there, version)

    assert found.census.of_state(PortState.FILTERED) == [*range(1, 20)]
    assert found.own_errors[0] == Rejection(
        version=version, type={4: 3, 6: 1}[version], code={4: 1, 6: 3}[version], reporter=source
    )


class Strict:
    """A permit that counts, and that ends."""

    def __init__(self, most: int) -> None:
        self.most, self.sockets, self.asked = most, 0, 0
        self._lock = threading.Lock()

    def check_socket(self, sender: socket.socket, /) -> None:
        self.sockets += 1

    def check(self, destination: str, /, count: int = 1) -> None:
        with self._lock:
            if self.asked + count > self.most:
                raise RefusedError(Text("Enough."), remedy=Text("Stop."))
            self.asked += count


def permitted(most: int) -> tuple[str, int, int, int]:
    net, _listeners = served(4)
    permit = Strict(most)
    census = Census((range(1, 5001),))
    said = ""
    with closing(ConnectProber(path_of(net, 4, permit=permit), census)) as prober:
        prober.begin_round(0)
        try:
            ask(prober, range(1, 5001))
        except RefusedError as refusal:
            said = str(refusal.what)
    return said, permit.sockets, permit.asked, census.answered


def test_every_connect_asks_for_leave():
    said, sockets, asked, answered = apart(permitted, 10**6)

    assert (said, asked, answered) == ("", 5000, 5000)
    assert 0 < sockets < 20


@pytest.mark.parametrize("most", [0, 100, 2000, 4000])
def test_nothing_is_sent_without_leave_by_whatever_thread(most):
    said, _sockets, asked, answered = apart(permitted, most)

    assert (said, asked, answered) == ("Enough.", most, most)
