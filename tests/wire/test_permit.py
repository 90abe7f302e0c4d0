"""Permits: what may be sent, and where. The one check that every packet passes."""

import contextlib
import os
import re
import socket
import threading
from contextlib import closing

import pytest

from tcplab.errors import Exit, RefusedError
from tcplab.testbed.netns import Namespace
from tcplab.text import Text
from tcplab.wire import permit as permit_module
from tcplab.wire.destination import refuse_unless_one_host
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.permit import HostPermit, ScanPermit, TestbedPermit, default_rate
from tcplab.wire.raw_socket import RawSocket
from tests.links import apart
from tests.permits import permit_for

HOST = "192.0.2.7"

GROUPS = ["224.0.0.1", "239.255.255.250", "255.255.255.255", "ff02::1", "ff0e::1"]
NOBODY = ["0.0.0.0", "::", "0.0.0.1", "0.255.255.255"]
METADATA = ["fd00:ec2::254", "169.254.169.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe"]
MAPPED = ["::ffff:224.0.0.1", "::ffff:0.0.0.0", "::ffff:255.255.255.255"]
STANDING_FOR = ["64:ff9b::169.254.169.254", "64:ff9b::e000:1", "2002:a9fe:a9fe::1", "2002::1"]


@pytest.mark.parametrize("ip", [*GROUPS, *NOBODY, *METADATA, *MAPPED, *STANDING_FOR])
def test_what_is_not_one_host_is_refused(ip):
    with pytest.raises(RefusedError) as refused:
        refuse_unless_one_host(ip)

    assert refused.value.status is Exit.REFUSED
    assert ip in str(refused.value.what)


@pytest.mark.parametrize("ip", [*GROUPS, *NOBODY, *METADATA, *MAPPED, *STANDING_FOR])
def test_no_permit_is_made_for_it(ip):
    with pytest.raises(RefusedError):
        HostPermit(destination=ip, interface="eth0")


@pytest.mark.parametrize("ip", [HOST, "127.0.0.1", "169.254.1.1", "8.8.8.8", "fe80::1", "::1"])
def test_one_host_is_not_refused_wherever_it_is(ip):
    refuse_unless_one_host(ip)

    HostPermit(destination=ip, interface="eth0").check(ip)


def test_another_host_than_the_named_one_is_refused():
    permit = HostPermit(destination=HOST, interface="eth0")

    with pytest.raises(RefusedError, match=r"192\.0\.2\.8"):
        permit.check("192.0.2.8")
    assert permit.sent == 0


def test_no_packet_beyond_the_budget():
    permit = HostPermit(destination=HOST, interface="eth0")
    for _ in range(20):
        permit.check(HOST)

    with pytest.raises(RefusedError, match="20 packets"):
        permit.check(HOST)
    assert permit.sent == 20


# --- a scan: one host, no faster than its tier --------------------------------------------------

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.31.255.254", "192.168.1.1", "169.254.7.7", "100.64.0.1",
    "100.127.255.254", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "240.0.0.1",
    "::1", "fe80::1", "fd12:3456::1", "2001:db8::1", "2001:2::1", "3fff::1",
    "::ffff:10.0.0.1", "2002:0a00:0001::1", "64:ff9b::192.168.0.1",
]  # fmt: skip
GLOBAL = [
    "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.0.9", "198.20.0.1", "1.1.1.1", "192.88.99.1",
    "2606:4700::1111", "2001:4860:4860::8888", "2001:1::1", "2001:0:5ef5:79fd::f7f7:f7f7",
    "::ffff:8.8.8.8", "2002:0808:0808::1", "64:ff9b::8.8.8.8", "64:ff9b:1::10.0.0.1", "::8.8.8.8",
    "fec0::1",
]  # fmt: skip
SAID = "the owner, by mail of 1 May"


def scan(destination: str = HOST, **how) -> ScanPermit:
    return ScanPermit(destination=destination, interface="eth0", **how)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told."""
    now = [1_000_000_000]
    monkeypatch.setattr(permit_module, "monotonic_ns", lambda: now[0])
    return now


@pytest.mark.parametrize("ip", PRIVATE)
def test_private_addresses_have_the_higher_default(ip):
    assert default_rate(ip) == 1000

    scan(ip, rate_pps=1000).check(ip)


@pytest.mark.parametrize("ip", GLOBAL)
def test_global_addresses_are_asked_only_with_somebody_s_leave(ip):
    assert default_rate(ip) == 100
    for nobody in (None, "", "  "):
        with pytest.raises(RefusedError, match=re.escape(ip)) as refused:
            scan(ip, rate_pps=1, authorized=nobody)
        assert "--authorized" in str(refused.value.remedy)

    scan(ip, rate_pps=100, authorized=SAID).check(ip)


def test_the_own_address_is_not_a_stranger_s_even_when_it_is_global():
    assert default_rate("8.8.8.8", own=True) == 1000

    scan("8.8.8.8", rate_pps=1000, own=True).check("8.8.8.8")


@pytest.mark.parametrize("rate_pps", [1001, 1_000_000, None])
def test_a_higher_rate_needs_somebody_s_leave_too(rate_pps):
    with pytest.raises(RefusedError, match="1000 packets") as refused:
        scan(rate_pps=rate_pps)
    assert refused.value.status is Exit.REFUSED
    assert "--authorized" in str(refused.value.remedy)
    assert "--rate 1000" in str(refused.value.remedy)

    scan(rate_pps=rate_pps, authorized=SAID).check(HOST)


@pytest.mark.parametrize("ip", [*GROUPS, *NOBODY, *METADATA, *MAPPED, *STANDING_FOR])
def test_nobody_s_leave_allows_what_is_not_one_host(ip):
    with pytest.raises(RefusedError):
        scan(ip, rate_pps=1, authorized=SAID)


def test_a_scan_reaches_its_own_host_only():
    permit = scan(rate_pps=None, authorized=SAID)

    with pytest.raises(RefusedError, match=r"192\.0\.2\.8"):
        permit.check("192.0.2.8")
    assert permit.sent == 0


def test_a_scan_is_no_faster_than_its_rate(clock):
    permit = scan(rate_pps=100)
    permit.check(HOST, 60)
    permit.check(HOST, 40)
    with pytest.raises(RefusedError, match="100 packets"):
        permit.check(HOST)

    clock[0] += 10_000_000
    permit.check(HOST)
    with pytest.raises(RefusedError):
        permit.check(HOST)
    assert permit.sent == 101


def test_what_was_not_sent_is_not_saved_up(clock):
    permit = scan(rate_pps=100)
    clock[0] += 3600 * 10**9
    permit.check(HOST, 100)

    with pytest.raises(RefusedError):
        permit.check(HOST)


def test_as_fast_as_the_path_answers(clock):
    permit = scan(rate_pps=None, authorized=SAID)

    permit.check(HOST, 1_000_000)
    permit.check(HOST, 1_000_000)

    assert permit.sent == 2_000_000


def test_threads_share_one_rate(clock):
    """However they interleave, no packet more than one bucket."""
    permit = scan(rate_pps=500)
    allowed: list[int] = []

    def ask() -> None:
        count = 0
        with contextlib.suppress(RefusedError):
            while True:
                permit.check(HOST)
                count += 1
        allowed.append(count)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(allowed), sum(allowed), permit.sent) == (4, 500, 500)


def test_many_packets_are_counted_at_once():
    permit = HostPermit(destination=HOST, interface="eth0")
    permit.check(HOST, 19)

    with pytest.raises(RefusedError):
        permit.check(HOST, 2)
    permit.check(HOST)
    assert permit.sent == 20


# --- a testbed's: only sockets of its own namespaces --------------------------------------------


def sockets_of_two_namespaces() -> dict[str, str]:
    """What a permit for one namespace says to sockets of that one, of another, and of home."""
    ours, theirs = Namespace(), Namespace()
    permit = permit_for(ours)
    said = {}
    for name, namespace in (("ours", ours), ("theirs", theirs), ("home", None)):
        if namespace is None:
            made = socket.socket()
        else:
            with namespace.entered():
                made = socket.socket()
        with made:
            try:
                permit.check_socket(made)
            except RefusedError as refusal:
                said[name] = str(refusal.what)
            else:
                said[name] = ""
    return said


def test_a_testbed_s_permit_is_for_sockets_of_its_own_namespaces():
    said = apart(sockets_of_two_namespaces)

    assert said["ours"] == ""
    assert "outside the testbed" in said["theirs"]
    assert "outside the testbed" in said["home"]


def refusals_at_birth() -> list[str]:
    """Whether sockets that could send can be made at all outside the testbed."""
    permit = permit_for(Namespace())
    refused = []
    for make in (
        lambda: RawSocket(socket.AF_INET, permit),
        lambda: RawSocket(socket.AF_INET6, permit),
        lambda: PacketSocket("lo", permit),
        lambda: PacketSocket(None, permit),
    ):
        try:
            with closing(make()):
                refused.append("made")
        except RefusedError:
            refused.append("refused")
    return refused


def test_no_sending_socket_is_made_outside_the_testbed():
    assert apart(refusals_at_birth) == ["refused"] * 4


# --- a testbed's: only its own destinations -----------------------------------------------------

INSIDE = [
    "192.0.2.1", "192.0.2.254", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff",
    "224.0.0.22", "ff02::16", "ff02::1:ff00:2",
]  # fmt: skip
OUTSIDE = [
    "192.0.2.0", "192.0.2.255", "192.0.3.1", "192.0.1.255", "198.51.100.1", "203.0.113.1",
    "2001:db8:0:1::1", "2001:db8:bad::1", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254", "255.255.255.255", "0.0.0.0",
    "224.0.1.1", "239.255.255.250", "::", "::1", "fe80::1", "fd00:ec2::254", "ff05::2", "ff0e::1",
    "2606:4700::1111", "::ffff:192.0.2.1", "64:ff9b::192.0.2.1",
    "localhost", "192.0.2.1 ", "192.0.2.01", "192.0.2", "3221225985", "2001:db8::1%eth0",
]  # fmt: skip
SPOOFED = ["198.51.100.0/24", "203.0.113.0/24", "2001:db8:bad::/48"]


@pytest.fixture
def testbed():
    permit = TestbedPermit("192.0.2.0/24", "2001:db8::/64")
    yield permit
    permit.close()


@pytest.mark.parametrize("ip", INSIDE)
def test_the_testbed_s_own_addresses_are_reached_as_often_as_one_likes(testbed, ip):
    for _ in range(3):
        testbed.check(ip)
        testbed.check(ip, 100_000)


@pytest.mark.parametrize("ip", OUTSIDE)
def test_no_other_address_is(testbed, ip):
    for _ in range(3):
        with pytest.raises(RefusedError, match=re.escape(ip)) as refused:
            testbed.check(ip)
        assert refused.value.status is Exit.REFUSED


def test_a_frame_without_an_ip_header_stays_on_the_link(testbed):
    testbed.check("")


@pytest.mark.parametrize("block", SPOOFED)
def test_a_block_that_the_testbed_routes_to_nowhere_is_inside_it(testbed, block):
    first = block.partition("/")[0]
    address = first.removesuffix("0") + "66" if "." in first else first + "66"
    with pytest.raises(RefusedError):
        testbed.check(address)

    testbed.route(block)

    testbed.check(address, 20_000)
    for other in {"8.8.8.8", "2001:db8:0:1::1", *OUTSIDE[:4]}:
        with pytest.raises(RefusedError):
            testbed.check(other)


@pytest.mark.parametrize(
    "block",
    ["0.0.0.0/0", "::/0", "10.0.0.0/8", "198.51.100.0/23", "198.18.0.0/15", "8.8.8.8/32",
     "2001:db8::/31", "2000::/3", "fe80::/10", "127.0.0.0/8"],
)  # fmt: skip
def test_no_testbed_routes_what_may_be_somebody_s(testbed, block):
    with pytest.raises(RefusedError, match=re.escape(block)):
        testbed.route(block)
    with pytest.raises(RefusedError, match=re.escape(block)):
        TestbedPermit(block)


# --- a testbed's: nobody else's links in it -----------------------------------------------------


class Alarm:
    """A watch that goes off when it is told to, and then for ever."""

    def __init__(self) -> None:
        self.rings = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.wrong = False
        self.looked = 0
        self.closed = False

    def fileno(self) -> int:
        return self.rings

    def ring(self, *, wrong: bool = True) -> None:
        self.wrong = self.wrong or wrong
        os.eventfd_write(self.rings, 1)

    def check(self) -> None:
        self.looked += 1
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.rings)
        if self.wrong:
            raise RefusedError(Text("eth9 is a stranger"), remedy=Text("Throw it out."))

    def close(self) -> None:
        self.closed = True
        os.close(self.rings)


@pytest.fixture
def namespaces():
    """Two descriptors of things that are not the same: what a namespace is, the permit trusts."""
    opened = [os.open(path, os.O_RDONLY) for path in ("/proc/self/ns/net", "/proc/self/ns/pid")]
    yield opened
    for each in opened:
        os.close(each)


def test_a_send_looks_only_when_something_has_happened(testbed, namespaces):
    alarm = Alarm()
    testbed.include(namespaces[0], alarm)
    testbed.check(HOST)
    assert alarm.looked == 0

    alarm.ring(wrong=False)
    testbed.check(HOST)
    testbed.check(HOST)

    assert alarm.looked == 1


def test_a_stranger_in_any_namespace_ends_it_for_good(testbed, namespaces):
    alarms = [Alarm(), Alarm()]
    for namespace, alarm in zip(namespaces, alarms, strict=True):
        testbed.include(namespace, alarm)
    testbed.check(HOST)

    alarms[1].ring()
    with pytest.raises(RefusedError, match="eth9") as refused:
        testbed.check(HOST)
    alarms[1].wrong = False

    assert refused.value.status is Exit.REFUSED
    for _ in range(3):
        with pytest.raises(RefusedError, match="eth9"):
            testbed.check(HOST)
    with pytest.raises(RefusedError, match="eth9"):
        testbed.look()


def test_a_namespace_that_goes_takes_no_trouble_along(testbed, namespaces):
    """What was wrong in it before it went is wrong still."""
    alarms = [Alarm(), Alarm()]
    for namespace, alarm in zip(namespaces, alarms, strict=True):
        testbed.include(namespace, alarm)
    testbed.exclude(namespaces[0])
    assert (alarms[0].closed, alarms[1].closed) == (True, False)
    testbed.check(HOST)

    alarms[1].ring()
    testbed.exclude(namespaces[1])

    with pytest.raises(RefusedError, match="eth9"):
        testbed.check(HOST)


def test_no_thread_sends_while_another_finds_out(testbed, namespaces):
    """One has taken up the word of the kernel, and has not understood it yet."""
    taken, go_on, second = (threading.Event() for _ in range(3))

    class Slow(Alarm):
        def check(self) -> None:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self.rings)
                taken.set()
                assert go_on.wait(10)
            super().check()

    alarm = Slow()
    testbed.include(namespaces[0], alarm)
    said: list[str] = []

    def send() -> None:
        try:
            testbed.check(HOST)
            said.append("sent")
        except RefusedError:
            said.append("refused")

    ask_the_kernel = testbed._stirred

    def ask(timeout: float, most: int) -> list[tuple[int, int]]:
        found = ask_the_kernel(timeout, most)
        if taken.is_set():
            second.set()
        return found

    testbed._stirred = ask
    alarm.ring()
    one, other = threading.Thread(target=send), threading.Thread(target=send)
    one.start()
    assert taken.wait(10)
    other.start()
    assert second.wait(10)  # it has found nothing: the first one has it
    go_on.set()
    for thread in (one, other):
        thread.join(10)

    assert said == ["refused", "refused"]


def test_nothing_is_sent_into_a_testbed_that_is_gone(namespaces):
    permit, alarm = TestbedPermit("192.0.2.0/24"), Alarm()
    permit.include(namespaces[0], alarm)

    permit.close()
    permit.close()

    assert alarm.closed
    with pytest.raises(RefusedError, match="gone"):
        permit.check(HOST)
    with socket.socket() as made, pytest.raises(RefusedError):
        permit.check_socket(made)
