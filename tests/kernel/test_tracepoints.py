"""The text of trace_pipe, line by line."""

import pytest

from tcplab.kernel.tracepoints import (
    Drop,
    Line,
    Reset,
    Retransmission,
    Transition,
    interpret,
    lines,
    lost,
)
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State

CLIENT, SERVER = Address("192.0.2.1", 40001), Address("192.0.2.2", 80)
CLIENT6, SERVER6 = Address("2001:db8::1", 40001), Address("2001:db8::2", 80)

TRANSITION = (
    "         python3-5162    [001] ..s2.  1138.402490: inet_sock_set_state: family=AF_INET "
    "protocol=IPPROTO_TCP sport=40001 dport=80 saddr=192.0.2.1 daddr=192.0.2.2 "
    "saddrv6=::ffff:192.0.2.1 daddrv6=::ffff:192.0.2.2 oldstate=TCP_SYN_SENT "
    "newstate=TCP_ESTABLISHED"
)
TRANSITION6 = (
    "          <idle>-0       [000] ..s2.  7.000001: inet_sock_set_state: family=AF_INET6 "
    "protocol=IPPROTO_TCP sport=80 dport=40001 saddr=0.0.0.0 daddr=0.0.0.0 "
    "saddrv6=2001:db8::2 daddrv6=2001:db8::1 oldstate=TCP_LISTEN newstate=TCP_SYN_RECV"
)
SCTP = TRANSITION.replace("IPPROTO_TCP", "IPPROTO_SCTP")
SENT_RESET = (
    "         python3-5162    [001] ..s1.  1139.446510: tcp_send_reset: skbaddr=0000000033297ae2 "
    "skaddr=0000000000000000 src=192.0.2.2:80 dest=192.0.2.1:40001 state=UNKNOWN reason=NO_SOCKET"
)
SENT_RESET6 = (
    "         python3-5162    [001] ..s1.  1139.446510: tcp_send_reset: skbaddr=0000000033297ae2 "
    "skaddr=0 src=[2001:db8::2]:80 dest=[2001:db8::1]:40001 state=UNKNOWN reason=TCP_STATE"
)
SENT_RESET_BEFORE_6_10 = (
    "         python3-5162    [001] ..s1.  1139.446510: tcp_send_reset: skbaddr=0 skaddr=1 "
    "family=AF_INET sport=80 dport=40001 saddr=192.0.2.2 daddr=192.0.2.1 "
    "saddrv6=::ffff:192.0.2.2 daddrv6=::ffff:192.0.2.1 state=TCP_CLOSE"
)
RECEIVED_RESET = (
    "         python3-5162    [001] ..s2.  1139.446595: tcp_receive_reset: family=AF_INET "
    "sport=40001 dport=80 saddr=192.0.2.1 daddr=192.0.2.2 saddrv6=::ffff:192.0.2.1 "
    "daddrv6=::ffff:192.0.2.2 sock_cookie=e"
)
RETRANSMISSION = (
    "          <idle>-0       [001] ..s2.  1140.244106: tcp_retransmit_skb: skbaddr=0000000077 "
    "skaddr=000000005c3e81b9 family=AF_INET sport=40001 dport=80 saddr=192.0.2.1 daddr=192.0.2.2 "
    "saddrv6=::ffff:192.0.2.1 daddrv6=::ffff:192.0.2.2 state=TCP_FIN_WAIT1 err=0"
)
FAILED_RETRANSMISSION = RETRANSMISSION.replace("err=0", "err=-113")
SYN_ACK_AGAIN = (
    "          <idle>-0       [000] ..s1.  1143.096073: tcp_retransmit_synack: family=AF_INET "
    "sport=80 dport=40001 saddr=192.0.2.2 daddr=192.0.2.1 saddrv6=::ffff:192.0.2.2 "
    "daddrv6=::ffff:192.0.2.1"
)
DROP = (
    "         python3-5162    [001] b.s1.  1139.446515: kfree_skb: skbaddr=00000000329 rx_sk=(nil) "
    "protocol=2048 location=tcp_v4_rcv+0x124/0x10a0 reason: NO_SOCKET"
)
DROP_BEFORE_5_17 = (
    "         python3-5162    [001] b.s1.  1139.446515: kfree_skb: skbaddr=00000000329 "
    "protocol=2048 location=00000000a3b2c1d0"
)


def only(text: str):
    """The meaning of the one event in `text`."""
    (line,) = lines(text)
    return interpret(line)


def test_transition():
    assert only(TRANSITION) == Transition(
        at_ns=1138_402_490_000,
        local=CLIENT,
        remote=SERVER,
        old=State.SYN_SENT,
        new=State.ESTABLISHED,
    )


def test_transition_of_an_ipv6_socket_in_the_idle_task():
    assert only(TRANSITION6) == Transition(
        at_ns=7_000_001_000,
        local=SERVER6,
        remote=CLIENT6,
        old=State.LISTEN,
        new=State.SYN_RECEIVED,
    )


def test_transition_of_an_sctp_socket_means_nothing():
    assert only(SCTP) is None


@pytest.mark.parametrize(
    ("text", "local", "remote", "sent", "reason"),
    [
        (SENT_RESET, SERVER, CLIENT, True, "NO_SOCKET"),
        (SENT_RESET6, SERVER6, CLIENT6, True, "TCP_STATE"),
        (SENT_RESET_BEFORE_6_10, SERVER, CLIENT, True, None),
    ],
)
def test_sent_reset(text: str, local: Address, remote: Address, sent: bool, reason: str | None):
    assert only(text) == Reset(
        at_ns=1139_446_510_000, local=local, remote=remote, sent=sent, reason=reason
    )


def test_received_reset():
    assert only(RECEIVED_RESET) == Reset(
        at_ns=1139_446_595_000, local=CLIENT, remote=SERVER, sent=False, reason=None
    )


def test_retransmission():
    assert only(RETRANSMISSION) == Retransmission(
        at_ns=1140_244_106_000, local=CLIENT, remote=SERVER, state=State.FIN_WAIT_1
    )


def test_retransmission_that_failed_means_nothing():
    assert only(FAILED_RETRANSMISSION) is None


def test_retransmitted_syn_ack():
    assert only(SYN_ACK_AGAIN) == Retransmission(
        at_ns=1143_096_073_000, local=SERVER, remote=CLIENT, state=State.SYN_RECEIVED
    )


def test_drop():
    assert only(DROP) == Drop(at_ns=1139_446_515_000, reason="NO_SOCKET")


def test_drop_without_a_reason_means_nothing():
    assert only(DROP_BEFORE_5_17) is None


def test_unknown_event_means_nothing():
    assert interpret(Line(1, 0, "tracing_mark_write", "barrier 1")) is None


def test_lines_are_found_whatever_the_task_is_called():
    text = DROP.replace("python3", "a: [b]\n-1 [0] x").replace("5162", "77")
    assert [(line.task, line.event) for line in lines(text)] == [(77, "kfree_skb")]


def test_lost_events_are_counted():
    text = f"CPU:0 [LOST 12 EVENTS]\n{DROP}\nCPU:1 [LOST 3 EVENTS]\n"
    assert (lost(text), lost(DROP)) == (15, 0)
