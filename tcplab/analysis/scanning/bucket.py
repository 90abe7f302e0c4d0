"""A token bucket: at most so many packets a second, however unevenly it is asked."""

SECOND_NS = 1_000_000_000
_BUCKETS_A_SECOND = 100
_WAKES_A_SECOND = 1000


class TokenBucket:
    """At most `pps` packets go out in any second, from a bucket that holds the tokens of 10 ms, and
    at least one.

    In w seconds what flows in goes out, and a bucket that was full: so what flows into one that
    holds several is less by as many. It is counted in tokens times nanoseconds, without a
    remainder. It starts empty.
    """

    __slots__ = ("_at_ns", "_credit", "pps")

    def __init__(self, pps: int, now_ns: int) -> None:
        self.pps = pps
        self._at_ns = now_ns
        self._credit = 0

    def _most(self) -> int:
        return max(1, self.pps // _BUCKETS_A_SECOND)

    def _flow(self) -> int:
        """Tokens a second."""
        return self.pps - self._most() + 1

    def _worthwhile(self) -> int:
        """A thousand wake-ups a second are enough: tokens are given out in lots of this size."""
        return max(1, self.pps // _WAKES_A_SECOND)

    def _fill(self, now_ns: int) -> None:
        passed_ns = max(0, now_ns - self._at_ns)
        self._at_ns += passed_ns
        self._credit = min(self._credit + passed_ns * self._flow(), self._most() * SECOND_NS)

    def change(self, pps: int, now_ns: int) -> None:
        """Another rate from now on; what is in the bucket stays, as far as there is room."""
        self._fill(now_ns)
        self.pps = pps
        self._credit = min(self._credit, self._most() * SECOND_NS)

    def fill_up(self) -> None:
        """Start with a full bucket."""
        self._credit = self._most() * SECOND_NS

    def begin_at_once(self) -> None:
        """Start with one lot: no more than the rate, from the first packet on."""
        self._credit = self._worthwhile() * SECOND_NS

    def allowance(self, now_ns: int) -> int:
        """So many packets may go now."""
        self._fill(now_ns)
        tokens = self._credit // SECOND_NS
        return tokens if tokens >= self._worthwhile() else 0

    def take(self, packets: int, now_ns: int) -> None:
        """So many went; more than there were tokens for are owed."""
        self._fill(now_ns)
        self._credit -= packets * SECOND_NS

    def next_ns(self) -> int | None:
        """When there will be an allowance; None: there is one."""
        lacking = self._worthwhile() * SECOND_NS - self._credit
        return None if lacking <= 0 else self._at_ns - (-lacking // self._flow())
