"""What the kernel's tracepoints say about TCP, from the text of tracefs's `trace_pipe`.

How they relate to the states that sock_diag shows is in `analysis.witness`. The listener itself
(CLOSE → LISTEN, and back) has no remote port, so a filter by the client's port does not see it; nor
CLOSE → SYN-SENT of a client that has not bound its port before connect().
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tcplab.kernel.states import from_trace
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The socket `local` ← → `remote` changed its state."""

    at_ns: int
    local: Address
    remote: Address
    old: State
    new: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """`local` sent an RST to `remote`, or received one from it.

    `reason` is the kernel's word for why it sent one ("NO_SOCKET", enum sk_rst_reason); None for a
    received one, and on kernels before 6.10, which do not say.
    """

    at_ns: int
    local: Address
    remote: Address
    sent: bool
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retransmission:
    """`local`, in `state`, sent a segment again. SYN-RECEIVED: it was the SYN, ACK."""

    at_ns: int
    local: Address
    remote: Address
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The kernel threw a packet away. `reason` is its word for why (enum skb_drop_reason)."""

    at_ns: int
    reason: str


Traced = Transition | Reset | Retransmission | Drop


class Line(NamedTuple):
    """One event as printed: the task in whose context it happened, when (monotonic), which, what.

    The kernel prints microseconds, rounded: `at_ns` is up to 500 ns off.
    """

    task: int
    at_ns: int
    event: str
    words: str


# "  python3-5162    [001] ..s2.  1138.402490: inet_sock_set_state: family=AF_INET …". The name
# before the task's number is the task's own choice, so the search does not start from it.
_LINE = re.compile(r"-(\d+) +\[\d+\] \S+ +(\d+)\.(\d{6}): (\w+): (.*)$")
_LOST = re.compile(r"^CPU:\d+ \[LOST (\d+) EVENTS\]$", re.MULTILINE)


def lines(text: str) -> Iterator[Line]:
    """The events in the text of `trace_pipe`, in order."""
    for printed in text.splitlines():
        if found := _LINE.search(printed):
            task, seconds, microseconds, event, words = found.groups()
            at_ns = int(seconds) * 10**9 + int(microseconds) * 1000
            yield Line(int(task), at_ns, event, words)


def lost(text: str) -> int:
    """How many events the kernel says it had no room for."""
    return sum(int(count) for count in _LOST.findall(text))


def interpret(line: Line) -> Traced | None:
    """What the event means for a TCP connection; None if nothing."""
    fields = dict(word.split("=", 1) for word in line.words.split() if "=" in word)
    match line.event:
        case "inet_sock_set_state" if fields["protocol"] == "IPPROTO_TCP":
            local, remote = _ends(fields)
            old, new = from_trace(fields["oldstate"]), from_trace(fields["newstate"])
            return Transition(at_ns=line.at_ns, local=local, remote=remote, old=old, new=new)
        case "tcp_send_reset" | "tcp_receive_reset":
            local, remote = _ends(fields)
            sent, reason = line.event == "tcp_send_reset", fields.get("reason")
            return Reset(at_ns=line.at_ns, local=local, remote=remote, sent=sent, reason=reason)
        case "tcp_retransmit_skb" if fields.get("err", "0") == "0":  # else it was not sent
            local, remote = _ends(fields)
            state = from_trace(fields["state"])
            return Retransmission(at_ns=line.at_ns, local=local, remote=remote, state=state)
        case "tcp_retransmit_synack":
            local, remote = _ends(fields)
            state = State.SYN_RECEIVED
            return Retransmission(at_ns=line.at_ns, local=local, remote=remote, state=state)
        case "kfree_skb":
            _, says_why, reason = line.words.partition("reason: ")
            return Drop(at_ns=line.at_ns, reason=reason) if says_why else None
    return None


def _ends(fields: dict[str, str]) -> tuple[Address, Address]:
    """(local, remote), in either way of printing them."""
    if "src" in fields:
        return _written(fields["src"]), _written(fields["dest"])
    return (
        Address(_unmapped(fields["saddrv6"]), int(fields["sport"])),
        Address(_unmapped(fields["daddrv6"]), int(fields["dport"])),
    )


def _written(ends: str) -> Address:
    """`192.0.2.1:80` or `[2001:db8::1]:80`, the kernel's %pISpc."""
    ip, _, port = ends.rpartition(":")
    return Address(_unmapped(ip.strip("[]")), int(port))


def _unmapped(ip6: str) -> str:
    """An IPv4 address is printed as `::ffff:192.0.2.1` in the field that every family has."""
    mapped = ip6.removeprefix("::ffff:")
    return mapped if "." in mapped else ip6
