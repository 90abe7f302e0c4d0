"""The settings of a host's kernel, in its own namespace."""

import contextlib
from pathlib import Path

import pytest

from tcplab.errors import RefusedError, TcplabError, UnavailableError
from tcplab.scenario.host_settings import Sysctl
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.timeline.timeline import Setting
from tests.live import forked
from tests.testbed.driving import driven, settings

RETRIES = Sysctl(name="net.ipv4.tcp_retries2", value="4")
BUFFERS = Sysctl(name="net.ipv4.tcp_rmem", value="4096 16384 65536")
BACKLOG = Sysctl(name="net.core.somaxconn", value="2")
ABSENT = Sysctl(name="net.ipv4.tcp_nonsense", value="1", if_present=True)


def applied(*sysctls: Sysctl) -> tuple[tuple[Setting, ...], list[str], list[str]]:
    """(what the testbed says, the values at the host, the values at the other host)."""
    with driven(hosts=settings(*sysctls)) as lab:
        there = [each for each in sysctls if not each.if_present]
        values = []
        for host in ("server", "client"):
            with lab.testbed._homes[host].namespace.entered():
                values.append([read(each.name) for each in there])
        return lab.testbed.settings, *values


def read(name: str) -> str:
    return " ".join(Path("/proc/sys", name.replace(".", "/")).read_text().split())


def test_settings_are_the_host_s_alone_and_told_beside_their_defaults():
    told, server, client = forked(applied, RETRIES, BUFFERS, BACKLOG)

    assert server == ["4", "4096 16384 65536", "2"]
    assert told == tuple(
        Setting(host="server", name=each.name, value=each.value, default=default)
        for each, default in zip((RETRIES, BUFFERS, BACKLOG), client, strict=True)
    )
    assert client[0] == "15"


def test_a_setting_that_this_kernel_lacks_is_told_as_absent():
    told, _server, _client = forked(applied, ABSENT)

    assert told == (Setting(host="server", name="net.ipv4.tcp_nonsense", value="1", default=None),)


def failing(sysctl: Sysctl) -> tuple[type[TcplabError], str, str]:
    try:
        with contextlib.closing(NamespaceTestbed(settings=settings(sysctl), rootless=True)):
            raise AssertionError("it was made all the same")
    except TcplabError as error:
        return type(error), str(error.what), str(error.remedy)


@pytest.mark.parametrize(
    ("name", "value", "kind", "what"),
    [
        (
            "net.ipv4.tcp_nonsense",
            "1",
            UnavailableError,
            "This kernel has no setting net.ipv4.tcp_nonsense for server.",
        ),
        (
            "net.ipv4.tcp_syncookies",
            "many",
            UnavailableError,
            "The kernel does not set net.ipv4.tcp_syncookies to many for server: Invalid argument.",
        ),
        (
            "kernel.hostname",
            "elsewhere",
            RefusedError,
            "kernel.hostname is a setting of the whole machine.",
        ),
        (
            "net.ipv4/../../kernel/hostname",
            "elsewhere",
            UnavailableError,
            "This kernel has no setting net.ipv4/../../kernel/hostname for server.",
        ),
    ],
)
def test_a_setting_that_cannot_be_made_ends_the_testbed_and_says_why(name, value, kind, what):
    assert forked(failing, Sysctl(name=name, value=value))[:2] == (kind, what)


def refused_at_the_kernel_s_door():
    return failing(Sysctl(name="net.core.rmem_max", value="1"))


def test_a_setting_of_the_whole_machine_below_net_is_unavailable():
    kind, what, _remedy = forked(refused_at_the_kernel_s_door)

    assert kind is UnavailableError
    assert "net.core.rmem_max" in what
