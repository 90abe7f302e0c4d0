"""The retransmission timer (RFC 6298): how long to wait for an acknowledgment, and how often."""

SECOND_NS = 1_000_000_000
MAX_RTO_NS = 60 * SECOND_NS
"""The least upper bound that RFC 6298 (2.5) allows."""
_CLOCK_NS = 1_000_000  # G of RFC 6298: no round trip is known better than to a millisecond


class RetransmissionTimer:
    """One timer for the earliest segment that is not acknowledged.

    `deadline_ns` is None while it is off; `tries` counts the transmissions of what it waits for.
    The RTO starts at `initial_ns`, which is also its least value: 1 s in RFC 6298 (2.1, 2.4).
    What is no TCP connection may have another least value, `least_ns`, and so may one that is to
    be patient: Linux has a setting for that, too (`rto_min` of a route).
    """

    __slots__ = (
        "_initial_ns", "_least_ns", "_rttvar_ns", "_srtt_ns", "deadline_ns", "rto_ns", "tries",
    )  # fmt: skip

    def __init__(self, initial_ns: int, *, least_ns: int | None = None) -> None:
        self._initial_ns = initial_ns
        self._least_ns = initial_ns if least_ns is None else least_ns
        self._srtt_ns: int | None = None
        self._rttvar_ns = 0
        self.rto_ns = initial_ns
        self.deadline_ns: int | None = None
        self.tries = 0

    def start(self, now_ns: int) -> None:
        """Run, if it does not yet (5.1)."""
        if self.deadline_ns is None:
            self.restart(now_ns)

    def restart(self, now_ns: int) -> None:
        """Something new was acknowledged: begin again for what is now the earliest (5.3)."""
        self.deadline_ns = now_ns + self.rto_ns
        self.tries = 1

    def stop(self) -> None:
        """All is acknowledged (5.2)."""
        self.deadline_ns = None

    def due(self, now_ns: int) -> bool:
        """Has it expired?"""
        return self.deadline_ns is not None and self.deadline_ns <= now_ns

    def back_off(self, now_ns: int) -> None:
        """It expired and there will be another try: twice as long (5.5, 5.6)."""
        self.rto_ns = min(2 * self.rto_ns, MAX_RTO_NS)
        self.deadline_ns = now_ns + self.rto_ns
        self.tries += 1

    def measure(self, rtt_ns: int) -> None:
        """A round trip of something that was sent once only (section 2; Karn's rule, section 3)."""
        if self._srtt_ns is None:
            self._srtt_ns, self._rttvar_ns = rtt_ns, rtt_ns // 2
        else:
            self._rttvar_ns = (3 * self._rttvar_ns + abs(self._srtt_ns - rtt_ns)) // 4
            self._srtt_ns = (7 * self._srtt_ns + rtt_ns) // 8
        rto_ns = self._srtt_ns + max(_CLOCK_NS, 4 * self._rttvar_ns)
        self.rto_ns = min(max(rto_ns, self._least_ns), MAX_RTO_NS)

    def distrust(self) -> None:
        """The SYN had to be sent again: three times the initial RTO when data begins (5.7)."""
        self.rto_ns = 3 * self._initial_ns
