"""Crafted packets on their way out, and what the own kernel reports of them."""

import contextlib
import os
import socket
from dataclasses import replace
from select import select

from tcplab.errors import RefusedError
from tcplab.kernel import links
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.codec import craft
from tcplab.wire.frame import Frame, IcmpError
from tcplab.wire.permit import HostPermit
from tcplab.wire.raw_socket import RawSocket
from tests.links import (
    DEADLINE_S,
    PROHIBIT,
    UNREACHABLE,
    Host,
    apart,
    every_version,
    on_link,
    routed,
    until,
)

NOBODY = {4: "192.0.2.77", 6: "2001:db8:1::77"}
AWAY = {4: "203.0.113.9", 6: "2001:db8:9::9"}
WHOLE = {4: 32, 6: 128}  # bits of an address
UNREACHABLE_HOST = {4: (3, 1), 6: (1, 3)}


def syn(host: Host, version: int, destination: str) -> Segment:
    return Segment(
        src=Address(host.ip[version], 40000),
        dst=Address(destination, 80),
        seq=Seq(0xFFFFFFFF),
        flags=Flags.SYN,
        wnd_octets=512,
    )


def raw(host: Host, version: int, *, interface: str | None = "eth0", permit=None) -> RawSocket:
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with host.namespace.entered():
        return RawSocket(family, permit or host.permit, interface=interface)


def seen(capture) -> list[Frame]:
    """The next segments that pass there."""
    found: list[Frame] = []
    while not found:
        assert select([capture], [], [], DEADLINE_S)[0], "nothing came"
        found = [each.frame for each in capture.take() if each.frame.segment is not None]
    return found


# --- sending ------------------------------------------------------------------------------------


def sent(version: int) -> tuple[Segment, list[Frame]]:
    net = on_link()
    capture = net.server.capture()
    made = syn(net.client, version, net.server.ip[version])
    raw(net.client, version).send(craft(made, hops=33), made.dst.ip)
    return made, seen(capture)


@every_version
def test_a_segment_arrives_as_it_was_crafted(version):
    made, (first, *_) = apart(sent, version)

    read = first.segment
    assert (read.src, read.dst, read.seq, read.flags, read.wnd_octets, read.checksum_ok) == (
        made.src,
        made.dst,
        made.seq,
        made.flags,
        made.wnd_octets,
        True,
    )
    assert first.ttl == 33


def sent_to_itself(version: int) -> list[Frame]:
    net = on_link()
    capture = net.client.capture("lo")
    made = syn(net.client, version, net.client.ip[version])
    raw(net.client, version, interface=None).send(craft(made), made.dst.ip)
    return seen(capture)


@every_version
def test_without_an_interface_it_reaches_an_address_of_this_machine(version):
    (first, *_) = apart(sent_to_itself, version)

    assert first.segment.src.ip == first.segment.dst.ip


def sent_past_the_route(version: int) -> list[int]:
    """The numbers of two segments, one for eth0 and one by the route, that are seen on eth1."""
    net = routed()
    net.router.route(AWAY[version], WHOLE[version], via=net.server.ip[version])
    capture = net.router.capture("eth1")
    for number, interface in ((1, "eth0"), (2, None)):
        made = replace(syn(net.router, version, AWAY[version]), seq=Seq(number))
        with contextlib.suppress(OSError):  # IPv6 says so; IPv4 takes the host to be on the link
            raw(net.router, version, interface=interface).send(craft(made), made.dst.ip)
    return [int(frame.segment.seq) for frame in seen(capture)]


@every_version
def test_a_packet_leaves_by_its_interface_or_not_at_all(version):
    assert apart(sent_past_the_route, version) == [2]


def refused(version: int) -> list[str]:
    net = on_link()
    named = net.server.ip[version]
    permit = HostPermit(destination=named, interface="eth0", budget=1)
    capture = net.client.capture()
    sender = raw(net.client, version, permit=permit)
    said = []
    for ip in (NOBODY[version], named, named):
        try:
            sender.send(craft(syn(net.client, version, ip)), ip)
            said.append("sent")
        except RefusedError:
            said.append("refused")
    until(lambda: capture.take() != [])
    return said


@every_version
def test_the_permit_is_asked_before_each_packet(version):
    assert apart(refused, version) == ["refused", "sent", "refused"]


# --- what is reported ---------------------------------------------------------------------------


def nobody_answers(version: int) -> tuple[IcmpError, list[IcmpError]]:
    net = on_link()
    net.client.set(f"ipv{version}/neigh/eth0/retrans_time_ms", "20")  # of three tries, not 1 s
    made = syn(net.client, version, NOBODY[version])
    sender = raw(net.client, version)
    sender.send(craft(made), made.dst.ip)
    errors: list[IcmpError] = []
    until(lambda: errors.extend(sender.own_errors(made.src.ip)) or errors != [])
    kind, code = UNREACHABLE_HOST[version]
    expected = IcmpError(
        version=version,
        type=kind,
        code=code,
        quoted_src=made.src,
        quoted_dst=made.dst,
        quoted_seq=made.seq,
    )
    return expected, errors


@every_version
def test_the_own_kernel_s_report_that_no_neighbour_answers_is_heard(version):
    expected, errors = apart(nobody_answers, version)

    assert errors == [expected]


def a_router_reports(version: int) -> tuple[list[IcmpError], list[IcmpError]]:
    net = routed()
    net.router.reject(net.server.ip[version], PROHIBIT)
    made = syn(net.client, version, net.server.ip[version])
    capture = net.client.capture()
    sender = raw(net.client, version)
    sender.send(craft(made), made.dst.ip)
    reported: list[IcmpError] = []

    def came() -> bool:
        reported.extend(each.frame.icmp for each in capture.take() if each.frame.icmp)
        return reported != []

    until(came)
    return reported, sender.own_errors(made.src.ip)


@every_version
def test_a_router_s_report_is_not_the_own_kernel_s(version):
    reported, own = apart(a_router_reports, version)

    assert len(reported) == 1
    assert own == []  # the capture sees those; heard twice they would be told twice


def sends_after_an_error(version: int) -> list[Frame]:
    net, away = routed(), AWAY[version]
    net.router.reject(away, UNREACHABLE)
    net.client.route(away, WHOLE[version], via=net.router.ip[version])
    capture = net.client.capture()
    sender = raw(net.client, version)
    sender.send(craft(syn(net.client, version, away)), away)
    until(lambda: any(each.frame.icmp for each in capture.take()))
    sender.send(craft(syn(net.client, version, away)), away)
    return seen(capture)


@every_version
def test_an_earlier_packet_s_error_does_not_stop_the_next(version):
    frames = apart(sends_after_an_error, version)

    assert [frame.segment.flags for frame in frames] == [Flags.SYN]


# --- a socket that cannot be made ---------------------------------------------------------------


def no_such_interface() -> tuple[str, int]:
    net = on_link()
    before = open_descriptors()
    try:
        raw(net.client, 4, interface="eth7")
    except OSError as refusal:
        return type(refusal).__name__, open_descriptors() - before
    return "made", 0


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_an_interface_that_is_not_there_is_an_error_and_leaks_nothing():
    assert apart(no_such_interface) == ("OSError", 0)


def interface_down(version: int) -> str:
    net = on_link()
    sender = raw(net.client, version)
    net.client.tell(links.set_up(2, up=False))
    ip = net.server.ip[version]
    try:
        sender.send(craft(syn(net.client, version, ip)), ip)
    except OSError as refusal:
        return type(refusal).__name__
    return "sent"


@every_version
def test_a_link_that_goes_down_is_the_kernel_s_error(version):
    assert apart(interface_down, version) == "OSError"
