"""A word on standard error while a real host lets one wait; on a terminal only, and taken back."""

import sys

from tcplab.tcp.flags import Flags
from tcplab.text import Say, Text
from tcplab.timeline.events import Event, SegmentEvent


class Progress:
    """Hears of the events of a run, and says how many SYNs are still without an answer."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._syns = 0
        self._shown = False

    def heed(self, event: Event) -> None:
        """Count the SYNs; from the second on, the wait is worth a word."""
        if not sys.stderr.isatty() or not isinstance(event, SegmentEvent):
            return
        if event.sender != "client" or event.segment.flags != Flags.SYN:
            self.clear()
            return
        self._syns += 1
        if self._syns > 1:
            line = self._say(Text("No answer yet: SYN {number} has been sent …", number=self._syns))
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
            self._shown = True

    def clear(self) -> None:
        """Take the word back."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
