"""`tcplab handshake HOST` that cannot or must not be tried: it says why, and sends nothing."""

import ctypes
import subprocess

import pytest

from tcplab.errors import UsageError
from tcplab.experiment.on_host import play
from tcplab.kernel import links
from tcplab.kernel.privilege import Capability
from tests.links import (
    BLACKHOLE,
    PROGRAM,
    PROHIBIT,
    UNREACHABLE,
    Network,
    Result,
    Run,
    apart,
    every_version,
    on_link,
)

ON_LINK = {4: "192.0.2.77", 6: "2001:db8:1::77"}
ELSEWHERE = {4: "203.0.113.9", 6: "2001:db8:9::9"}


# --- not to be reached --------------------------------------------------------------------------


def attempt(prepare, host: str, *arguments: str) -> Result:
    net = on_link()
    prepare(net)
    return Run(net.client, "handshake", host, *arguments).result()


def as_it_is(net: Network) -> None:
    pass


def own_end_down(net: Network) -> None:
    net.client.tell(links.set_up(2, up=False))


def far_end_down(net: Network) -> None:
    net.server.tell(links.set_up(2, up=False))


@every_version
def test_no_route(version):
    result = apart(attempt, as_it_is, ELSEWHERE[version])

    assert (result.status, result.sent) == (4, [])
    assert f"no route to {ELSEWHERE[version]}" in result.err


@every_version
def test_an_interface_that_is_down_is_named(version):
    result = apart(attempt, own_end_down, ON_LINK[version])

    assert (result.status, result.sent) == (4, [])
    assert "eth0" in result.err


@every_version
def test_an_interface_without_carrier_is_named(version):
    result = apart(attempt, far_end_down, ON_LINK[version])

    assert (result.status, result.sent) == (4, [])
    assert "eth0" in result.err


def own_rejection(kind: int, version: int) -> Result:
    net = on_link()
    net.client.reject(ELSEWHERE[version], kind)
    return Run(net.client, "handshake", ELSEWHERE[version]).result()


@every_version
@pytest.mark.parametrize("kind", [BLACKHOLE, UNREACHABLE, PROHIBIT])
def test_a_route_of_this_machine_that_rejects_is_no_route(kind, version):
    result = apart(own_rejection, kind, version)

    assert (result.status, result.sent) == (4, [])
    assert f"no route to {ELSEWHERE[version]}" in result.err


def behind_own_firewall(version: int) -> Result:
    net = on_link()
    table = "table inet t { chain out { type filter hook output priority 0; tcp dport 80 drop; }; }"
    with net.client.namespace.entered():
        subprocess.run(["nft", table], check=True, capture_output=True)
    return Run(net.client, "handshake", net.server.ip[version]).result()


@pytest.mark.usefixtures("nft")
@every_version
def test_the_own_firewall_is_named_when_it_lets_nothing_out(version):
    result = apart(behind_own_firewall, version)

    assert (result.status, result.sent) == (4, [])
    assert "own firewall" in result.err


def test_an_unknown_name_is_usage_or_nobody_to_ask():
    """Which of the two depends on this machine's resolver, that no test may change."""
    result = apart(attempt, as_it_is, "no-such-host.invalid")

    assert result.status in (2, 4)
    what, remedy = result.err.splitlines()
    assert "no-such-host.invalid" in what
    assert remedy.startswith("  → ")
    assert (result.out, result.sent) == ("", [])


def test_a_family_that_the_host_does_not_have():
    result = apart(attempt, as_it_is, "192.0.2.2", "-6")

    assert (result.status, result.sent) == (2, [])
    assert "IPv6" in result.err


GROUPS = (
    "224.0.0.1",
    "239.1.2.3",
    "255.255.255.255",
    "192.0.2.255",
    "ff02::1",
    "ff02::1%eth0",
    "0.0.0.0",
    "::",
)
METADATA = ("169.254.169.254", "::ffff:169.254.169.254")


@pytest.mark.parametrize("ip", [*GROUPS, *METADATA])
def test_what_is_not_one_host_is_refused_and_sent_nothing(ip):
    result = apart(attempt, as_it_is, ip)

    assert result.status == 6
    assert ip.partition("%")[0] in result.err
    target = ip.partition("%")[0].removeprefix("::ffff:")
    assert [frame for frame in result.left if frame.dst_ip == target or frame.segment] == []
    assert result.out == ""


# --- no privilege -------------------------------------------------------------------------------


def without_net_raw() -> None:
    """The program is started without CAP_NET_RAW, which even root then cannot have."""
    assert ctypes.CDLL(None).prctl(24, int(Capability.NET_RAW), 0, 0, 0) == 0  # PR_CAPBSET_DROP


def unprivileged() -> tuple[Result, Result]:
    net = on_link()
    arguments = ("handshake", net.server.ip[4], "-p", "22", "--send", "a b")
    return Run(net.client, *arguments, before_exec=without_net_raw).result()


def test_without_privilege_the_whole_sudo_line_is_said():
    result = apart(unprivileged)

    assert (result.status, result.out, result.sent) == (3, "", [])
    assert f"sudo {PROGRAM} handshake 192.0.2.2 -p 22 --send 'a b'" in result.err
    assert "testbed needs no privilege" in result.err


def without_net_admin() -> None:
    """As `without_net_raw`."""
    assert ctypes.CDLL(None).prctl(24, int(Capability.NET_ADMIN), 0, 0, 0) == 0


def with_net_raw_alone() -> tuple[Result, Result]:
    net = on_link()
    arguments = ("handshake", net.server.ip[4], "--json"), ("doctor", "--json")
    runs = [Run(net.client, *each, before_exec=without_net_admin) for each in arguments]
    return runs[0].result(), runs[1].result()


def test_without_the_shields_privilege_just_that_is_said_and_doctor_says_so_too():
    """Only newer kernels ask for it: where it is not, the closed port is told."""
    tried, doctor = apart(with_net_raw_alone)

    (check,) = [each for each in doctor.document["checks"] if each["id"] == "raw-sockets"]
    assert check["ok"] is (tried.status == 1)
    if tried.status != 1:
        assert (tried.status, tried.out, tried.sent) == (3, "", [])
        assert "CAP_NET_ADMIN" in tried.err
        assert "CAP_NET_RAW" not in tried.err
        assert "CAP_NET_ADMIN" in check["found"]


def test_a_link_local_address_without_its_link_is_refused_before_anything_is_sent():
    with pytest.raises(UsageError) as refused:
        play("fe80::1", 80, command=("test",))

    assert "on one link only" in str(refused.value.what)
    assert "fe80::1%" in str(refused.value.remedy)
