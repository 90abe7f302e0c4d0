"""Every name that a predicate may ask for: of the segment, and of a host."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, unique

from tcplab.scenario.predicate.expression import Kind
from tcplab.tcp.flags import from_letters
from tcplab.tcp.states import State


@unique
class Words(Enum):
    """Which words a name of Kind.WORD may have as its value."""

    FLAGS = "flags"  # letters in the order FSRPAUEC
    CONN = "conn"
    ADDRESS = "address"
    TIMER = "timer"
    RESULT = "result"  # an errno, or a number: octets, or 0 for no error


@unique
class Origin(Enum):
    """Where sequence numbers are counted from: what has none is a plain quantity."""

    ABSOLUTE = "absolute"  # as on the wire
    RELATIVE = "relative"  # from the ISN


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for."""

    kind: Kind
    words: Words | None = None
    origin: Origin | None = None


_NUMBER, _TRUTH, _HOST = Meaning(Kind.NUMBER), Meaning(Kind.TRUTH), Meaning(Kind.HOST)
_ABSOLUTE = Meaning(Kind.NUMBER, origin=Origin.ABSOLUTE)
_RELATIVE = Meaning(Kind.NUMBER, origin=Origin.RELATIVE)
_ADDRESS = Meaning(Kind.WORD, Words.ADDRESS)

SEGMENT: Mapping[str, Meaning] = {
    "from": _HOST,
    "to": _HOST,
    "conn": Meaning(Kind.WORD, Words.CONN),
    "flags": Meaning(Kind.WORD, Words.FLAGS),
    **dict.fromkeys(("syn", "ack", "fin", "rst", "psh", "urg", "ece", "cwr"), _TRUTH),
    "seq": _RELATIVE,
    "ackno": _RELATIVE,
    "seq_raw": _ABSOLUTE,
    "ack_raw": _ABSOLUTE,
    "len": _NUMBER,
    "wnd": _NUMBER,
    "data": _TRUTH,
    "retransmission": _TRUTH,
    "sport": _NUMBER,
    "dport": _NUMBER,
    "src": _ADDRESS,
    "dst": _ADDRESS,
}
"""What is asked of the segment: `seg.fin`."""

WIRESHARK: Mapping[str, str] = {
    "tcp.flags.syn": "syn",
    "tcp.flags.ack": "ack",
    "tcp.flags.fin": "fin",
    "tcp.flags.reset": "rst",
    "tcp.flags.push": "psh",
    "tcp.flags.urg": "urg",
    "tcp.flags.ece": "ece",
    "tcp.flags.cwr": "cwr",
    "tcp.seq": "seq",
    "tcp.ack": "ackno",
    "tcp.seq_raw": "seq_raw",
    "tcp.ack_raw": "ack_raw",
    "tcp.len": "len",
    "tcp.window_size_value": "wnd",
    "tcp.srcport": "sport",
    "tcp.dstport": "dport",
    "tcp.analysis.retransmission": "retransmission",
    "ip.src": "src",
    "ip.dst": "dst",
    "ipv6.src": "src",
    "ipv6.dst": "dst",
}
"""Wireshark's names of what is asked of the segment."""

HOST: Mapping[str, Meaning] = {
    "state": Meaning(Kind.STATE),
    "timer": Meaning(Kind.WORD, Words.TIMER),
    "expires_ms": _NUMBER,
    "send_queue": _NUMBER,
    "receive_queue": _NUMBER,
    "descriptors": _NUMBER,
    "icmp": _NUMBER,
    "port": _NUMBER,
    "snd_nxt": _ABSOLUTE,
    "rcv_nxt": _ABSOLUTE,
    "isn": _ABSOLUTE,
    "stalls": _NUMBER,
    "buffered_ms": _NUMBER,
}
"""What is asked of a host in one word: `server.state`."""

TIMERS = ("off", "retransmit", "keepalive", "timewait", "probe")
STATES: Mapping[str, State] = {state.value: state for state in State}
# `do` of a scenario's steps at a host.
CALLS = (
    *("listen", "connect", "accept", "send", "read", "shutdown", "close", "abort", "set", "error"),
    *("kill-socket", "forget", "stream", "drain", "play", "start-tls"),
)
_AMOUNTS = ("segments", "syn", "fin", "rst", "data", "ack", "octets")
# struct tcp_info (linux/tcp.h), as far as the newest kernel fills it.
_TCP_INFO = (
    "ca_state retransmits probes backoff options snd_wscale rcv_wscale rto ato snd_mss rcv_mss "
    "unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv last_ack_recv "
    "pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space "
    "total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in "
    "notsent_bytes min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited "
    "sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen "
    "rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time"
)

COUNTER = "counter"
"""HOST.counter.NAME: which counters there are is the kernel's affair."""

GROUPS: Mapping[str, Collection[str]] = {
    "sent": _AMOUNTS,
    "received": _AMOUNTS,
    "retransmitted": _AMOUNTS,
    "read": ("octets",),
    "wrote": ("octets",),
    "call": (*CALLS, "steal"),
    "info": _TCP_INFO.split(),
    "count": STATES,
}
"""What is asked of a host in two words: `server.retransmitted.fin`."""

SEG = "seg"


def meaning(subject: str, path: tuple[str, ...]) -> Meaning | None:
    """What is asked of the segment ("seg") or of a host; None if there is no such name."""
    match path:
        case (word,):
            return (SEGMENT if subject == SEG else HOST).get(word)
        case (group, member) if subject != SEG and member in GROUPS.get(group, ()):
            return Meaning(Kind.WORD, Words.RESULT) if group == "call" else _NUMBER
        case (group, member) if subject != SEG and group == COUNTER and looks_like_counter(member):
            return _NUMBER
        case _:
            return None


def looks_like_counter(word: str) -> bool:
    """Is it spelled like the kernel's counters, without their groups' prefixes: TCPTimeouts?"""
    return (
        len(word) > 1
        and word.isascii()
        and word.isalnum()
        and word[0].isupper()
        and not word.startswith(("TcpExt", "Tcp"))
    )


def errnos() -> Collection[str]:
    """The names of all errors that a call may end with: the system's, and those of TLS."""
    from errno import errorcode

    from tcplab.scenario.tls import FAILURES

    return (*errorcode.values(), *FAILURES)


def letters(word: str) -> str | None:
    """Flags as letters in the order FSRPAUEC; None if a letter stands for none, or comes twice."""
    try:
        ordered = from_letters(word).letters
    except ValueError:
        return None
    return ordered if len(ordered) == len(word) else None


def parts(written: str) -> tuple[str, str | None, tuple[str, ...]]:
    """Of a name: its subject, the connection in brackets, and the words behind the dots."""
    who, *path = written.split(".")
    subject, bracket, conn = who.partition("[")
    return subject, conn.rstrip("]") if bracket else None, tuple(path)
