"""The receiving half of a connection: what has come in order, and the window that is offered.

Octets that arrive out of order are not kept; the acknowledgment that answers them makes the peer
send them again. That is slower, but right: to hold them is a SHOULD (RFC 9293 §3.10.7.4).
"""

from tcplab.tcp.sequence import ZERO, Seq

_MAX_FIELD = 0xFFFF


class Receiving:
    """The receive sequence variables and the octets that nobody has read yet.

    `irs` is None before the peer's SYN, and `nxt` then means nothing. `fin` says that the peer's
    FIN was taken in. `shift` is the scale of our windows.
    """

    __slots__ = (
        "_capacity_octets",
        "_edge",
        "_mss_octets",
        "_unread",
        "fin",
        "irs",
        "nxt",
        "shift",
    )

    def __init__(self, *, capacity_octets: int, mss_octets: int) -> None:
        self._capacity_octets = capacity_octets
        self._mss_octets = mss_octets
        self._unread = bytearray()
        self._edge = ZERO  # the number after the window, as far as the peer was ever told
        self.irs: Seq | None = None
        self.nxt = ZERO
        self.shift = 0
        self.fin = False

    def synchronize(self, irs: Seq) -> None:
        """The peer's SYN has come; it counts as one octet received."""
        self.irs = irs
        self.nxt = irs + 1
        self._edge = self.nxt + min(self._capacity_octets, _MAX_FIELD)

    @property
    def wnd_octets(self) -> int:
        """RCV.WND: what the peer may send from RCV.NXT on."""
        return max(self._edge - self.nxt, 0)

    @property
    def unread_octets(self) -> int:
        """How much could be read now."""
        return len(self._unread)

    def take_in(self, seq: Seq, payload: bytes, *, fin: bool) -> None:
        """Take in what is next in order and inside the window, and the FIN if it is next then."""
        known = self.nxt - seq
        if known < 0:
            return
        fresh = payload[known : known + self.wnd_octets]
        self._unread += fresh
        self.nxt += len(fresh)
        if fin and self.nxt == seq + len(payload) and self.wnd_octets > 0:
            self.fin = True
            self.nxt += 1

    def read(self, octets: int) -> bytes:
        """Take at most so many octets out of the buffer."""
        data = bytes(self._unread[:octets])
        del self._unread[:octets]
        return data

    @property
    def _growth_octets(self) -> int:
        """By how much the window may grow; 0 for an increase that would be silly (§3.8.6.2.2)."""
        limit = min(self._capacity_octets - len(self._unread), _MAX_FIELD << self.shift)
        growth = limit - self.wnd_octets
        return growth if growth >= min(self._mss_octets, self._capacity_octets // 2) else 0

    @property
    def update_due(self) -> bool:
        """Should the peer be told of a larger window at once: is it at least twice the known one?

        Linux's rule (`__tcp_cleanup_rbuf`, net/ipv4/tcp.c), which frees a peer that waits.
        """
        return self._growth_octets > 0 and self._growth_octets >= self.wnd_octets

    def window_field(self) -> int:
        """SEG.WND for a segment that leaves now. The right edge never moves back (§3.8.6)."""
        self._edge += self._growth_octets
        field = min(-(-self.wnd_octets >> self.shift), _MAX_FIELD)  # rounded up
        self._edge = max(self._edge, self.nxt + (field << self.shift))
        return field

    def syn_window_field(self) -> int:
        """SEG.WND for a SYN, which is never scaled (RFC 7323 §2.2)."""
        return min(self._capacity_octets, _MAX_FIELD)
