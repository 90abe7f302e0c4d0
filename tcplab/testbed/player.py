"""A video player, as far as TCP matters to it: what comes is buffered, and played from there.

Pure: octets and the time go in.
"""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Player:
    """Plays `rate_octets` a second, and begins once it holds `buffer_octets`.

    With an empty buffer it stalls; then it fills the buffer again before it goes on. At the end of
    the data it plays what it has and is done. Times are monotonic nanoseconds.
    """

    rate_octets: int
    buffer_octets: int
    stalls: int = 0
    playing: bool = False
    done: bool = False
    _buffered: float = 0.0  # octets, as of _at_ns
    _at_ns: int = 0
    _ended: bool = False

    def receives(self, octets: int, now_ns: int) -> None:
        """So many octets have come."""
        self.passes(now_ns)
        self._buffered += octets
        self._consider()

    def ends(self, now_ns: int) -> None:
        """No more will come."""
        self.passes(now_ns)
        self._ended = True
        self._consider()

    def passes(self, now_ns: int) -> None:
        """Play up to now: the buffer empties, and may be found empty."""
        elapsed_ns = now_ns - self._at_ns
        self._at_ns = now_ns
        if not self.playing:
            return
        self._buffered -= self.rate_octets * elapsed_ns / 1e9
        if self._buffered > 0:
            return
        self._buffered = 0.0
        self.playing = False
        if self._ended:
            self.done = True
        else:
            self.stalls += 1

    def _consider(self) -> None:
        """Begin, or go on, if there is enough."""
        if self._ended and not self._buffered:
            self.playing, self.done = False, True
        elif self._ended or self._buffered >= self.buffer_octets:
            self.playing = True

    def buffered_ms(self, now_ns: int) -> int:
        """For how long it can play on from `now_ns` with what it has, in whole milliseconds."""
        left = self._buffered
        if self.playing:
            left -= self.rate_octets * (now_ns - self._at_ns) / 1e9
        return max(int(left * 1000 / self.rate_octets), 0)

    @property
    def empty_ns(self) -> int | None:
        """When the buffer will be empty if nothing comes; None while it does not play."""
        if not self.playing:
            return None
        return self._at_ns + int(self._buffered * 1e9 / self.rate_octets) + 1
