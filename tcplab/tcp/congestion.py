"""Congestion control (RFC 5681): how much the network, rather than the peer, may be asked to carry.

The plainest that the RFC allows: slow start, congestion avoidance, and after any loss slow start
again from one segment (fast recovery, which is a SHOULD, is left out).
"""

INITIAL_SEGMENTS = 10
"""The initial window (RFC 6928 §2)."""


class Congestion:
    """The congestion window `cwnd_octets` of one connection."""

    __slots__ = ("_mss_octets", "_ssthresh_octets", "cwnd_octets")

    def __init__(self, mss_octets: int) -> None:
        self._mss_octets = mss_octets
        self._ssthresh_octets = 1 << 30
        self.cwnd_octets = INITIAL_SEGMENTS * mss_octets

    def acknowledged(self, octets: int) -> None:
        """So much more arrived: grow by it in slow start, later by one segment a round trip."""
        mss = self._mss_octets
        if self.cwnd_octets < self._ssthresh_octets:
            self.cwnd_octets += min(octets, mss)
        else:
            self.cwnd_octets += max(1, mss * mss // self.cwnd_octets)

    def lost(self, flight_octets: int) -> None:
        """A segment was lost while `flight_octets` were on their way (equation 4, and §3.1)."""
        self._ssthresh_octets = max(flight_octets // 2, 2 * self._mss_octets)
        self.cwnd_octets = self._mss_octets
