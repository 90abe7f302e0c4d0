"""Permits: what may be sent, and where. The one check that every packet passes."""

import socket
from contextlib import closing

import pytest

from tcplab.errors import Exit, RefusedError
from tcplab.testbed.netns import Namespace
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.permit import HostPermit, TestbedPermit, refuse_unless_one_host
from tcplab.wire.raw_socket import RawSocket
from tests.links import apart

HOST = "192.0.2.7"

GROUPS = ["224.0.0.1", "239.255.255.250", "255.255.255.255", "ff02::1", "ff0e::1"]
NOBODY = ["0.0.0.0", "::", "0.0.0.1", "0.255.255.255"]
METADATA = ["fd00:ec2::254", "169.254.169.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe"]
MAPPED = ["::ffff:224.0.0.1", "::ffff:0.0.0.0", "::ffff:255.255.255.255"]


@pytest.mark.parametrize("ip", [*GROUPS, *NOBODY, *METADATA, *MAPPED])
def test_what_is_not_one_host_is_refused(ip):
    with pytest.raises(RefusedError) as refused:
        refuse_unless_one_host(ip)

    assert refused.value.status is Exit.REFUSED
    assert ip in str(refused.value.what)


@pytest.mark.parametrize("ip", [*GROUPS, *NOBODY, *METADATA, *MAPPED])
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


# --- a testbed's: only sockets of its own namespaces --------------------------------------------


def permit_for(namespace: Namespace) -> TestbedPermit:
    permit = TestbedPermit()
    permit.include(namespace.fd)
    return permit


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


def destinations() -> bool:
    namespace = Namespace()
    permit = permit_for(namespace)
    for ip in ("192.0.2.1", "8.8.8.8", "ff02::1"):
        permit.check(ip)
    return True


def test_inside_the_testbed_any_destination_will_do():
    assert apart(destinations)
