"""SYN scans between two kernels, on a plain link."""

import errno
import os
import socket
import subprocess
import sys
import time
from array import array
from functools import partial
from threading import Thread

import pytest

from tcplab.analysis.scanning.census import Census, PortState, Proof
from tcplab.errors import LinkLostError, RefusedError, UnavailableError
from tcplab.kernel import links
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.burst import own_ports
from tcplab.wire.burst.prober import SynProber
from tcplab.wire.codec import craft, craft_error
from tcplab.wire.frame import Frame
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.permit import HostPermit
from tests.links import DEADLINE_S, apart, every_version, on_link, until
from tests.wire.burst.scanning import ALL, ask, ask_once, listening, path_between

OPEN = (22, 80, 443, 3306, 8080)
NOBODY = {4: "192.0.2.77", 6: "2001:db8:1::77"}


def scan(version: int, *, asked=ALL, open_ports=OPEN, routed=True, **how):
    """(census, prober, the two hosts); everything was asked until it answered."""
    net = on_link()
    kept = listening(net.server, version, open_ports)
    census = Census(asked)
    prober = SynProber(path_between(net.client, net.server, version, routed=routed), census, **how)
    ask(prober, census)
    return census, prober, net, kept


# --- exactness ----------------------------------------------------------------------------------


def every_port(version: int, how: dict) -> tuple:
    census, prober, _net, _kept = scan(version, **how)
    facts = (census.of_state(PortState.OPEN), census.answered, census.forged, prober.drops())
    prober.close()
    return facts


@every_version
@pytest.mark.parametrize("routed", [True, False], ids=["routed", "on the link"])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_port_is_right(version, threads, routed):
    assert apart(every_port, version, {"threads": threads, "routed": routed}) == (
        list(OPEN),
        65535,
        0,
        0,
    )


@pytest.mark.repeats
@pytest.mark.slow
@every_version
@pytest.mark.parametrize("routed", [True, False], ids=["routed", "on the link"])
def test_every_port_is_right_twenty_times(version, routed):
    found = [apart(every_port, version, {"routed": routed}) for _ in range(20)]

    assert found == [(list(OPEN), 65535, 0, 0)] * 20


@every_version
def test_a_few_ports_are_right(version):
    asked = (range(20, 25), range(80, 81))

    found, answered, _forged, _drops = apart(every_port, version, {"asked": asked})
    assert (found, answered) == ([22, 80], 6)


def through_a_narrow_ring(version: int) -> tuple:
    """All at once, and then what is left in portions that the ring has room for."""
    net = on_link()
    kept = listening(net.server, version, OPEN)
    census = Census((range(1, 10001),))
    prober = SynProber(path_between(net.client, net.server, version), census, ring_slots=64)
    ask_once(prober, census, 0)
    missed, drops = 10000 - census.answered, prober.drops()
    prober.begin_round(1)
    left = array("H", census.unanswered())
    for at in range(0, len(left), 40):
        prober.send(left[at : at + 40])
        until(lambda: prober.collect(0.01) == 0 and not prober.busy)
    facts = census.of_state(PortState.OPEN), census.answered, missed, drops, prober.drops()
    prober.close()
    del kept
    return facts


@every_version
def test_drops_are_counted_and_later_rounds_make_them_good(version):
    found, answered, missed, drops, drops_at_last = apart(through_a_narrow_ring, version)

    assert (found, answered) == (list(OPEN), 10000)
    assert missed > 0
    assert drops == drops_at_last >= missed  # an open port's SYN, ACK may have been missed twice


def all_open(version: int) -> tuple:
    ports = range(2000, 2200)
    census, prober, _net, _kept = scan(version, asked=(ports,), open_ports=ports)
    prober.close()
    return [census.proof(port) for port in ports], {census.ttls[port] for port in ports}


@every_version
def test_answers_with_their_sums_unfinished_are_believed(version):
    assert apart(all_open, version) == ([Proof.SYN_ACK] * 200, {64})


def of_itself(version: int) -> tuple:
    net = on_link()
    kept = listening(net.client, version, OPEN)
    census = Census(ALL)
    path = path_between(net.client, net.client, version, local=True)
    prober = SynProber(path, census)
    ask(prober, census)
    prober.close()
    del kept
    return census.of_state(PortState.OPEN), census.answered, census.forged


@every_version
def test_a_host_may_scan_itself(version):
    assert apart(of_itself, version) == (list(OPEN), 65535, 0)


def beside_no_thread(version: int) -> tuple:
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    Thread.start = refuse
    return every_port(version, {})


def test_without_threads_the_caller_sends():
    assert apart(beside_no_thread, 4) == (list(OPEN), 65535, 0, 0)


# --- what is not answered -----------------------------------------------------------------------


def injected(version: int) -> tuple:
    """The server's kernel hears nothing; an attacker that sees no probe answers for it."""
    net = on_link()
    server, client = net.server, net.client
    census = Census((range(1, 101),))
    prober = SynProber(path_between(client, server, version), census)
    server.tell(links.no_address(2, server.ip[version], 24 if version == 4 else 64))
    ends = server.ip[version], client.ip[version]
    ask_once(prober, census, 0)
    with server.namespace.entered():
        liar = PacketSocket("eth0", server.permit)
    header = bytes.fromhex("020000000201 020000000202") + (b"\x08\x00", b"\x86\xdd")[version == 6]
    own = prober._asked.own_ports
    (asked_from,) = own
    cookies = prober._asked.cookies

    def lie(port: int, own_port: int, ack: int, flags: Flags) -> bytes:
        return craft(
            Segment(
                src=Address(ends[0], port),
                dst=Address(ends[1], own_port),
                seq=Seq(1),
                ack=Seq(ack % 2**32),
                flags=flags,
            )
        )

    kind, code = (3, 13) if version == 4 else (1, 1)
    lies = []
    for flags in (Flags.SYN | Flags.ACK, Flags.RST | Flags.ACK):
        for port in (10, 20):
            right = cookies.of(port) + 1
            lies += [
                lie(port, asked_from, 0, flags),
                lie(port, asked_from, right - 1, flags),
                lie(port, asked_from, right + 2**31, flags),
                lie(port, asked_from ^ 1, right, flags),
                lie(port + 1, asked_from, right, flags),
            ]
    probe = Segment(
        src=Address(ends[1], asked_from), dst=Address(ends[0], 10), seq=Seq(5), flags=Flags.SYN
    )
    lies.append(craft_error(craft(probe), src=ends[0], dst=ends[1], kind=kind, code=code))
    for each in lies:
        liar.send(Frame(octets=header + each), "eth0")
    until(lambda: prober.collect(0.01) or prober.received >= len(lies))
    facts = census.answered, census.rejections, census.forged, len(lies)
    true = lie(10, asked_from, cookies.of(10) + 1, Flags.SYN | Flags.ACK)
    liar.send(Frame(octets=header + true), "eth0")
    until(lambda: prober.collect(0.01) == 1)
    prober.close()
    return *facts, census.of_state(PortState.OPEN)


@every_version
def test_forged_answers_never_decide_a_port(version):
    answered, rejections, forged, lies, found = apart(injected, version)

    assert (answered, rejections, forged) == (0, {}, lies)
    assert found == [10]  # and one that knows the cookie does


def nobody_there(version: int) -> tuple:
    net = on_link()
    net.client.set(f"ipv{version}/neigh/eth0/retrans_time_ms", "20")  # of three tries, not 1 s
    net.server.ip[version] = NOBODY[version]
    census = Census((range(1, 11),))
    prober = SynProber(path_between(net.client, net.server, version), census)
    found = []
    number = 0
    deadline_s = time.monotonic() + DEADLINE_S
    while not found:
        ask_once(prober, census, number)
        number += 1
        found = prober.own_errors()
        assert time.monotonic() < deadline_s, "the kernel reports nothing"
    prober.close()
    return census.answered, {(e.version, e.type, e.code, e.reporter) for e in found}


@every_version
def test_the_own_kernel_says_when_nobody_answers_for_the_address(version):
    reporter = "192.0.2.1" if version == 4 else "2001:db8:1::1"
    kind, code = (3, 1) if version == 4 else (1, 3)

    assert apart(nobody_there, version) == (0, {(version, kind, code, reporter)})


# --- round trips --------------------------------------------------------------------------------


def timed(version: int) -> tuple:
    census, prober, _net, _kept = scan(version, asked=(range(1, 1001),))
    began_ns = time.monotonic_ns()
    prober.time_open(OPEN, DEADLINE_S)
    around_ns = time.monotonic_ns() - began_ns
    sent = prober.sent
    prober.time_open(OPEN, DEADLINE_S)
    prober.close()
    return census.rtts_ns, around_ns, prober.rtt_ns(), prober.sent - sent, census.duplicates


@every_version
def test_open_ports_are_timed_by_themselves(version):
    rtts, around_ns, sample_ns, more, duplicates = apart(timed, version)

    assert sorted(rtts) == [22, 80, 443]  # of those asked, the open ones
    assert all(0 < rtt_ns < around_ns for rtt_ns in rtts.values())
    assert sample_ns > 0
    assert (more, duplicates) == (0, 0)  # what is known is not measured again


def timed_at_a_rate() -> tuple:
    census, prober, _net, _kept = scan(4, asked=(range(22, 23), range(80, 81)), rate_pps=50)
    began_ns = time.monotonic_ns()
    prober.time_open([22, 80], DEADLINE_S)
    prober.close()
    return len(census.rtts_ns), time.monotonic_ns() - began_ns


def test_timing_keeps_to_the_rate():
    count, took_ns = apart(timed_at_a_rate)

    assert count == 2
    assert took_ns >= 2 * 10**9 / 50


def timed_in_vain() -> tuple:
    census, prober, net, _kept = scan(4, asked=(range(80, 81),))
    net.server.tell(links.no_address(2, net.server.ip[4], 24))
    sent = prober.sent
    prober.time_open([80], DEADLINE_S)
    prober.close()
    return census.rtts_ns, prober.sent - sent


def test_a_round_trip_that_is_lost_is_tried_again_and_then_given_up():
    assert apart(timed_in_vain) == ({}, 4)


# --- the ports that probes leave from -----------------------------------------------------------


def of_each_round(version: int) -> tuple:
    net = on_link()
    capture = net.server.capture()
    census = Census((range(1, 3),))
    prober = SynProber(path_between(net.client, net.server, version), census)
    seen: list[int] = []

    def arrived(number: int) -> bool:
        segments = [each.frame.segment for each in capture.take()]
        seen.extend(each.src.port for each in segments if each and each.flags == Flags.SYN)
        return len(seen) > number

    for number in range(3):
        prober.begin_round(number)
        prober.send(array("H", [7]))
        until(partial(arrived, number))
    block = list(prober._own.block)
    with net.client.namespace.entered():
        taken = [bind(net.client.ip[version], port) for port in block]
        elsewhere = bind(net.client.ip[version], 0)
    prober.close()
    return seen, block, taken, elsewhere


def bind(ip: str, port: int) -> int:
    """0, or the errno of binding there."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family) as other:
        try:
            other.bind((ip, port))
        except OSError as refusal:
            return refusal.errno
    return 0


@every_version
def test_each_round_leaves_from_a_port_of_its_own_that_nobody_else_gets(version):
    seen, block, taken, elsewhere = apart(of_each_round, version)

    assert seen == block[:3]
    assert (taken, elsewhere) == ([errno.EADDRINUSE] * 32, 0)


def half_open() -> list[Flags]:
    net = on_link()
    kept = listening(net.server, 4, [80])
    capture = net.server.capture()
    census = Census((range(80, 81),))
    prober = SynProber(path_between(net.client, net.server, 4), census)
    flags: list[Flags] = []
    ask(prober, census)
    until(
        lambda: (
            flags.extend(e.frame.segment.flags for e in capture.take() if e.frame.segment)
            or len(flags) >= 3
        )
    )
    prober.close()
    del kept
    return flags


def test_the_own_kernel_resets_what_it_knows_nothing_of():
    assert apart(half_open) == [Flags.SYN, Flags.SYN | Flags.ACK, Flags.RST]


def two_scans() -> tuple:
    net = on_link()
    path = path_between(net.client, net.server, 4)
    first = SynProber(path, Census(ALL))
    begin = first._own.block.start
    tries = iter([begin, begin, begin + own_ports.PORTS])
    own_ports.random_block = lambda: next(tries)
    second = SynProber(path, Census(ALL))
    blocks = [prober._own.block for prober in (first, second)]
    own_ports.random_block = lambda: begin
    before = len(os.listdir("/proc/self/fd"))
    try:
        SynProber(path, Census(ALL))
    except UnavailableError as refusal:
        said = refusal.status, str(refusal.what)
    leaked = len(os.listdir("/proc/self/fd")) - before
    first.close()
    second.close()
    return [(block.start, block.stop) for block in blocks], said, leaked


def test_another_scan_has_other_ports_and_where_there_are_none_it_says_so():
    (first, second), (status, said), leaked = apart(two_scans)

    assert first[1] == second[0]
    assert status == 4
    assert "other scans may be running" in said
    assert leaked == 0


# --- safety -------------------------------------------------------------------------------------


class Counting:
    """Notes what it is asked, and refuses everything beyond `most`."""

    def __init__(self, most: int) -> None:
        self.most, self.asked, self.sockets = most, [], 0

    def check_socket(self, sender) -> None:
        self.sockets += 1

    def check(self, destination: str, count: int = 1) -> None:
        self.asked.append((destination, count))
        if sum(count for _ip, count in self.asked) > self.most:
            raise RefusedError("no", remedy="no")


def counted(version: int, most: int) -> tuple:
    net = on_link()
    permit = Counting(most)
    capture = net.server.capture()
    census = Census(ALL)
    path = path_between(net.client, net.server, version, permit=permit)
    prober = SynProber(path, census, threads=2)
    try:
        ask_once(prober, census, 0)
        said = "sent"
    except RefusedError:
        said = "refused"
    until(lambda: not prober.busy)
    prober.close()
    left = sum(
        frame.frame.segment is not None and frame.frame.segment.flags == Flags.SYN
        for _ in range(200)
        for frame in capture.take()
    )
    lost = capture.lost()
    return said, permit.asked, permit.sockets, prober.sent, left, lost


@every_version
def test_the_permit_is_asked_for_every_batch_before_it_leaves(version):
    said, asked, sockets, sent, _left, _lost = apart(counted, version, 65535)

    assert said == "sent"
    assert {ip for ip, _count in asked} == {"192.0.2.2" if version == 4 else "2001:db8:1::2"}
    assert sum(count for _ip, count in asked) == sent == 65535
    assert sockets >= 2


def test_what_the_permit_refuses_does_not_leave():
    said, _asked, _sockets, sent, left, lost = apart(counted, 4, 2048)

    assert said == "refused"
    assert (sent, left, lost) == (2048, 2048, 0)


def outside(routed: bool) -> str:
    net = on_link()
    path = path_between(net.client, net.server, 4, permit=net.server.permit, routed=routed)
    try:
        SynProber(path, Census(ALL))
    except RefusedError as refusal:
        return type(refusal).__name__
    return "made"


@pytest.mark.parametrize("routed", [True, False], ids=["routed", "on the link"])
def test_a_socket_outside_the_testbed_is_refused(routed):
    assert apart(outside, routed) == "RefusedError"


def test_a_handshake_s_budget_is_no_scan_s():
    permit = HostPermit(destination="192.0.2.2", interface="eth0")

    with pytest.raises(RefusedError):
        permit.check("192.0.2.2", 21)


# --- a link that goes away ----------------------------------------------------------------------


def cut(version: int, which: str, routed: bool) -> tuple:
    net = on_link()
    census = Census(ALL)
    path = path_between(net.client, net.server, version, routed=routed)
    prober = SynProber(path, census)
    prober.send(array("H", [80]))
    until(lambda: prober.collect(0.01) == 1)
    getattr(net, which).tell(links.set_up(2, up=False))
    deadline_s = time.monotonic() + DEADLINE_S
    try:
        while time.monotonic() < deadline_s:
            prober.send(array("H", range(100, 200)))
            prober.collect(0.01)
    except LinkLostError as lost:
        return lost.status, str(lost.what)
    finally:
        prober.close()
    return 0, "nothing was noticed"


@every_version
@pytest.mark.parametrize("routed", [True, False], ids=["routed", "on the link"])
@pytest.mark.parametrize("which", ["client", "server"])
def test_a_link_that_is_cut_in_mid_scan_is_noticed(version, which, routed):
    status, said = apart(cut, version, which, routed)

    assert status == 5
    assert "was lost in mid-scan" in said


def gone() -> str:
    net = on_link()
    census = Census(ALL)
    prober = SynProber(path_between(net.client, net.server, 4), census)
    net.client.tell(links.delete(2))
    try:
        for _ in range(100):
            prober.collect(0.01)
    except LinkLostError as lost:
        return str(lost.what)
    finally:
        prober.close()
    return "nothing was noticed"


def test_an_interface_that_is_removed_is_noticed():
    assert "was lost in mid-scan" in apart(gone)


def from_elsewhere(version: int) -> tuple:
    net = on_link()
    net.client.ip[version] = NOBODY[version]
    before = len(os.listdir("/proc/self/fd"))
    try:
        SynProber(path_between(net.client, net.server, version), Census(ALL))
    except OSError as refusal:
        return refusal.errno, len(os.listdir("/proc/self/fd")) - before
    return 0, 0


@every_version
def test_an_address_of_somebody_else_is_the_kernel_s_error_and_leaks_nothing(version):
    assert apart(from_elsewhere, version) == (errno.EADDRNOTAVAIL, 0)


# --- memory and the end -------------------------------------------------------------------------

WHOLE = """
import sys
from array import array
from contextlib import nullcontext
from tcplab.analysis.scanning.census import Census
from tcplab.wire.burst.path import Path
from tcplab.wire.burst.prober import SynProber

class Anything:
    def check_socket(self, sender): pass
    def check(self, destination, count=1): pass

census = Census((range(1, 65536),))
path = Path(source="192.0.2.1", destination="192.0.2.2", interface="eth0", link_index=2,
            local=False, inside=nullcontext, permit=Anything())
record = open("/dev/null", "wb") if sys.argv[1] == "record" else None
prober = SynProber(path, census, record=record)
prober.send(array("H", range(1, 65536)))
while census.answered < 65535:
    prober.collect(1)
prober.close()
# Not ru_maxrss: that one counts what the process was before exec, too.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
print(*sorted(set(sys.modules) & {"scapy", "rich", "dpkt", "numpy", "_hashlib", "ipaddress"}))
"""


def in_a_process(what: str) -> tuple:
    net = on_link()
    with net.client.namespace.entered():
        done = subprocess.run(
            [sys.executable, "-c", WHOLE, what],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
    kib, modules = done.stdout.splitlines()
    return done.returncode, done.stderr, int(kib), modules


@pytest.mark.parametrize("what", ["nothing", "record"])
def test_a_whole_scan_fits_60_mib_and_loads_nothing_big(what):
    status, said, kib, modules = apart(in_a_process, what)

    assert (status, said, modules) == (0, "", "")
    assert kib <= 60 * 1024


@pytest.mark.slow
def test_the_interpreter_ends_well_right_after_a_scan():
    assert {apart(in_a_process, "nothing")[:2] for _ in range(20)} == {(0, "")}
