"""What stands between two hosts and interferes: a firewall, a NAT that forgets, a router that knows
no way.

Pure: each is shown every frame and the time, and says whether the frame passes, and what the
middlebox itself answers to the frame's sender.
"""

from dataclasses import dataclass
from typing import assert_never

from tcplab.scenario.wire import Refusal
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import ZERO
from tcplab.wire.compose import answering, reporting
from tcplab.wire.frame import Frame
from tcplab.wire.icmp_error import NO_HOST, PROHIBITED
from tcplab.wire.judgement import Judgement
from tcplab.wire.passage import Arrival

_MOST_FLOWS = 4096

_ROUTER = {4: "192.0.2.254", 6: "2001:db8::fe"}


_PASSES = Judgement(passes=True)
_VANISHES = Judgement(passes=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """Before the host whose address is `ip`: refuses segments to its `port` (None: to every port).

    What the host itself sends passes.
    """

    name: str
    port: int | None
    refusal: Refusal
    ip: str

    def judge(self, arrival: Arrival, now_ns: int) -> Judgement:
        """Refuse segments to the port, as the firewall's `refusal` has it."""
        frame = arrival.frame
        segment = frame.segment
        if (
            segment is None
            or segment.dst.ip != self.ip
            or self.port not in (None, segment.dst.port)
        ):
            return _PASSES
        match self.refusal:
            case Refusal.DROP:
                return _VANISHES
            case Refusal.RST:
                return _refused_with_reset(frame, segment)
            case Refusal.ICMP:
                return _refused_with_report(frame, PROHIBITED, src_ip=self.ip)
            case _:
                assert_never(self.refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A router that cannot reach `ip`, and says so with ICMP to whoever sends a segment there."""

    name: str
    ip: str

    def judge(self, arrival: Arrival, now_ns: int) -> Judgement:
        """Let nothing pass to that address, and report what is TCP."""
        frame = arrival.frame
        if frame.dst_ip != self.ip:
            return _PASSES
        if frame.segment is None:
            return _VANISHES
        return _refused_with_report(frame, NO_HOST, src_ip=_ROUTER[6 if ":" in self.ip else 4])


class ForgetIdle:
    """A NAT or load balancer that forgets a flow in which nothing has passed for `after_ns`, either
    way.

    From then on it drops that flow's segments, or with `resets` answers them with RST, until a SYN
    opens the flow anew. A flow that it has never seen it takes for an old one, and learns it. It
    remembers 4096 flows: beyond those it has never seen the one that was idle longest.
    """

    def __init__(self, *, name: str, after_ns: int, resets: bool) -> None:
        self._name = name
        self._after_ns = after_ns
        self._resets = resets
        self._last_ns: dict[frozenset[Address], int] = {}  # the longest idle one first

    @property
    def name(self) -> str:
        """What ladders call it, and `Lift` ends it by."""
        return self._name

    def judge(self, arrival: Arrival, now_ns: int) -> Judgement:
        """Let segments of known flows pass, which keeps them known."""
        segment = arrival.frame.segment
        if segment is None:
            return _PASSES
        flow = frozenset((segment.src, segment.dst))
        last_ns = self._last_ns.get(flow)
        forgotten = last_ns is not None and now_ns - last_ns >= self._after_ns
        opens = segment.flags & (Flags.SYN | Flags.ACK) == Flags.SYN
        if forgotten and not opens:
            return _refused_with_reset(arrival.frame, segment) if self._resets else _VANISHES
        self._last_ns.pop(flow, None)  # so that it is put last
        self._last_ns[flow] = now_ns
        if len(self._last_ns) > _MOST_FLOWS:
            del self._last_ns[next(iter(self._last_ns))]
        return _PASSES


def _refused_with_reset(frame: Frame, segment: Segment) -> Judgement:
    """As a closed port answers, in its name (RFC 9293 §3.10.7.1): a RST never gets an answer."""
    if segment.has(Flags.RST):
        return _VANISHES
    acknowledges = segment.has(Flags.ACK)
    reset = Segment(
        src=segment.dst,
        dst=segment.src,
        seq=segment.ack if acknowledges else ZERO,
        ack=ZERO if acknowledges else segment.next_seq,
        flags=Flags.RST if acknowledges else Flags.RST | Flags.ACK,
    )
    return Judgement(passes=False, replies=(answering(frame, reset),))


def _refused_with_report(
    frame: Frame, codes: dict[int, tuple[int, int]], *, src_ip: str
) -> Judgement:
    kind, code = codes[6 if ":" in src_ip else 4]
    return Judgement(passes=False, replies=(reporting(frame, src_ip=src_ip, kind=kind, code=code),))
