"""The sending half of a connection: what is queued, what is on its way, what may be sent now.

    octets:  … acknowledged │ on the way │ may be sent │ must wait …
                         SND.UNA      SND.NXT     SND.UNA+SND.WND       (RFC 9293 §3.3.1, figure 3)

After a loss everything from SND.UNA on is sent again ("go back N"), the simplest way that is right
with every receiver. `cursor` is where the next transmission starts: SND.NXT, but for that.
"""

from dataclasses import dataclass

from tcplab.tcp.congestion import Congestion
from tcplab.tcp.sequence import ZERO, Seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one segment is to carry, from the cursor on."""

    payload: bytes
    push: bool
    fin: bool

    @property
    def len_octets(self) -> int:
        """SEG.LEN."""
        return len(self.payload) + self.fin


class Sending:
    """The send sequence variables and the queue of octets that are not yet acknowledged.

    `end` is the number after the last queued octet, and `fin` says that a FIN follows there.
    `shift` is the scale of the peer's windows, `mss_octets` what one segment may carry to it.
    """

    __slots__ = (
        "_queue",
        "congestion",
        "cursor",
        "duplicate_acks",
        "end",
        "fin",
        "iss",
        "max_wnd_octets",
        "mss_octets",
        "nxt",
        "shift",
        "una",
        "wl1",
        "wl2",
        "wnd_octets",
    )

    def __init__(self, iss: Seq, mss_octets: int) -> None:
        self.iss = iss
        self.una = self.nxt = self.cursor = iss
        self.wnd_octets = self.max_wnd_octets = 0
        self.wl1 = self.wl2 = ZERO
        self.shift = 0
        self.fin = False
        self.duplicate_acks = 0
        self.end = iss + 1
        self._queue = bytearray()
        self.limit_segments_to(mss_octets)

    def limit_segments_to(self, mss_octets: int) -> None:
        """From now on a segment carries at most so much."""
        self.mss_octets = mss_octets
        self.congestion = Congestion(mss_octets)

    def enqueue(self, octets: bytes) -> None:
        """To be sent when the windows allow."""
        self._queue += octets
        self.end += len(octets)

    def forget(self) -> None:
        """Nothing of the queue is to be sent any more."""
        self._queue.clear()
        self.fin = False

    @property
    def holds_data(self) -> bool:
        """Are there octets that the peer has not acknowledged?"""
        return bool(self._queue)

    @property
    def _first(self) -> Seq:
        return self.end + -len(self._queue)

    @property
    def syn_unacknowledged(self) -> bool:
        """Is our SYN not acknowledged yet?"""
        return self.una == self.iss

    @property
    def fin_acknowledged(self) -> bool:
        """Did the peer acknowledge our FIN?"""
        return self.fin and self.una > self.end

    @property
    def flight_octets(self) -> int:
        """How many numbers are sent and not acknowledged."""
        return self.nxt - self.una

    @property
    def pending(self) -> bool:
        """Is there anything queued, be it on its way or not, that is not acknowledged?"""
        return self.flight_octets > 0 or bool(self._queue) or (self.fin and self.una <= self.end)

    def piece(self, *, forced: bool = False) -> Piece | None:
        """What the next segment may carry now; None if there is nothing or the windows are full.

        `forced` sends what fits, however little, where silly window avoidance would wait for more
        (RFC 9293 §3.8.6.2.1).
        """
        room = min(self.wnd_octets, self.congestion.cwnd_octets) - (self.cursor - self.una)
        waiting = self.end - self.cursor
        if waiting < 0 or room <= 0:
            return None
        size = min(waiting, self.mss_octets, room)
        fin = self.fin and size == waiting and size < room
        silly = size < min(waiting, self.mss_octets, self.max_wnd_octets // 2)
        if (size == 0 and not fin) or (silly and not forced):
            return None
        start = self.cursor - self._first
        payload = bytes(self._queue[start : start + size])
        return Piece(payload=payload, push=0 < size == waiting, fin=fin)

    def sent(self, len_octets: int) -> bool:
        """So much was sent from the cursor on. Was it the first transmission of all of it?"""
        new = self.cursor == self.nxt
        self.cursor += len_octets
        self.nxt = max(self.nxt, self.cursor)
        return new

    def acknowledge(self, ack: Seq) -> int:
        """The peer has all before `ack`: how many numbers that is more than before."""
        if ack <= self.una:
            return 0
        octets = ack - self.una
        if not self.syn_unacknowledged:
            self.congestion.acknowledged(octets)
        del self._queue[: ack - self._first]
        self.una = ack
        self.cursor = max(self.cursor, ack)
        self.duplicate_acks = 0
        return octets

    def go_back(self) -> None:
        """Something was lost: start again from SND.UNA, gently."""
        if self.flight_octets:
            self.congestion.lost(self.flight_octets)
        self.cursor = self.una

    def set_window(self, seq: Seq, ack: Seq, wnd_octets: int) -> None:
        """A window that came with SEG.SEQ `seq` and SEG.ACK `ack`, already scaled."""
        self.wnd_octets = wnd_octets
        self.max_wnd_octets = max(self.max_wnd_octets, wnd_octets)
        self.wl1, self.wl2 = seq, ack

    def update_window(self, seq: Seq, ack: Seq, wnd_octets: int) -> None:
        """As `set_window`, unless the segment is older than the last that did (§3.10.7.4)."""
        if self.una <= ack and (self.wl1 < seq or (self.wl1 == seq and self.wl2 <= ack)):
            self.set_window(seq, ack, wnd_octets)
