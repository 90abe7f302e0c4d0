"""Which scenarios can have a crafted client, and what others need a kernel for."""

import pytest

from tcplab.scenario import catalogue
from tcplab.scenario.crafting import why_kernel
from tcplab.scenario.reader import parse

HEAD = """\
title = { en = "A title", ko = "제목" }
story = { en = "A story.", ko = "이야기." }
notice = { en = "Notice.", ko = "눈여겨보기." }
[[step]]
at = "client"
do = "connect"
"""


def why(rest: str) -> str | None:
    reason = why_kernel(parse(HEAD + rest, name="x", source="x.toml"), "client")
    return None if reason is None else str(reason)


@pytest.mark.parametrize("name", ["three-way", "simultaneous", "half-close", "abort"])
def test_what_needs_no_kernel_says_so(name):
    assert why_kernel(catalogue.load(name), "client") is None


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (
            '[[step]]\nat = "client"\ndo = "set"\noption = "TCP_NODELAY"\nvalue = 1',
            "a crafted one cannot do this: set",
        ),
        (
            '[[step]]\nat = "client"\ndo = "kill-socket"',
            "a crafted one cannot do this: kill-socket",
        ),
        (
            '[[step]]\nat = "client"\ndo = "send"\ndata = "x"\nurgent = true',
            "a crafted one cannot do this: send",
        ),
        ('[[step]]\nat = "client"\ndo = "reboot"', "its host is not the same all the time"),
        ('[[step]]\nexpect = "client.info.rto > 0"', "it asks for client.info.rto"),
        (
            '[[step]]\nwait = "client.timer == keepalive"\nwithin = 1.0',
            "it asks for client.timer",
        ),
        (
            '[[step]]\non = "wire"\ndo = "drop"\nwhen = "client.counter.OutRsts > 0"',
            "it asks for client.counter.OutRsts",
        ),
        (
            '[hosts.client.sysctl]\n"net.ipv4.tcp_sack" = 0',
            "it sets net.ipv4.tcp_sack there",
        ),
    ],
)
def test_what_needs_a_kernel_says_why(rest, reason):
    assert why(rest) == reason


@pytest.mark.parametrize(
    "rest",
    [
        '[[step]]\nat = "server"\ndo = "kill-socket"',
        '[[step]]\nat = "server"\ndo = "reboot"',
        '[[step]]\nexpect = "server.info.rto > 0 and client.state == CLOSED"',
        '[hosts.server.sysctl]\n"net.ipv4.tcp_sack" = 0',
    ],
)
def test_what_only_the_server_s_kernel_does_is_no_reason(rest):
    assert why(rest) is None
