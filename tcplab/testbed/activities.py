"""What applications do in the background: write, read, and play what they read."""

import time
from collections.abc import Iterator
from enum import Enum, unique
from select import POLLIN, POLLOUT
from typing import Protocol

from tcplab.scenario.calls import alphabet
from tcplab.testbed.failures import word
from tcplab.testbed.host import Outcome
from tcplab.testbed.lingering import Lingering
from tcplab.testbed.player import Player
from tcplab.testbed.securing import Flushing, Handshaking

_CHUNK = 1 << 16
_LETTERS = 26
_ALPHABET = memoryview(alphabet(_LETTERS + _CHUNK))


class Channel(Protocol):
    """A connection as a program has it: its socket, or TLS over that. Neither blocks."""

    def send(self, data: bytes | memoryview, flags: int = 0, /) -> int:
        """Write; how many octets were taken."""

    def recv(self, most: int, /) -> bytes:
        """Read at most so many octets; none at the end of the data."""

    def fileno(self) -> int:
        """The descriptor to wait for."""


class Streaming:
    """Writes `octets` octets, the alphabet again and again."""

    name = "stream"
    wants = POLLOUT
    written = 0

    def __init__(self, over: Channel, octets: int) -> None:
        self.socket = over
        self._octets = octets
        self.ended = False

    def progress(self) -> tuple[int, int, Outcome | None]:
        """Write what the socket takes; (octets read, octets written, what to tell of it)."""
        before = self.written
        told: Outcome | None = None
        try:
            while self.written < self._octets:
                letter = self.written % _LETTERS
                octets = min(self._octets - self.written, _CHUNK)
                self.written += self.socket.send(_ALPHABET[letter : letter + octets])
            told = Outcome(result=str(self.written))
        except BlockingIOError:
            pass
        except OSError as failure:
            arguments = f"{self.written} of {self._octets} octets"
            told = Outcome(result=word(failure), arguments=arguments)
        self.ended = told is not None
        return 0, self.written - before, told

    def next_ns(self) -> int | None:
        """Never: it waits for its socket alone."""
        return None


class Draining:
    """Reads to the end of the data; with a `player`, plays it."""

    wants = POLLIN
    read = 0

    def __init__(self, over: Channel, player: Player | None = None) -> None:
        self.socket = over
        self.name = "drain" if player is None else "play"
        self.ended = False
        self._player = player
        self._end: Outcome | None = None

    def progress(self) -> tuple[int, int, Outcome | None]:
        """Read what has come; (octets read, octets written, what to tell of it)."""
        before = self.read
        if self._end is None:
            self._read()
        told = self._end if self._player is None else self._play(self._player, self.read - before)
        self.ended = self._end is not None and (
            self._player is None or self._player.done or self._end.result != "0"
        )
        return self.read - before, 0, told

    def _read(self) -> None:
        try:
            while octets := len(self.socket.recv(_CHUNK)):
                self.read += octets
            self._end = Outcome(result="0", arguments=f"{self.read} octets")
        except BlockingIOError:
            pass
        except OSError as failure:
            self._end = Outcome(result=word(failure), arguments=f"{self.read} octets")

    def _play(self, player: Player, octets: int) -> Outcome | None:
        """Feed the player; what it then does otherwise than before."""
        now_ns = time.monotonic_ns()
        playing, stalls = player.playing, player.stalls
        player.receives(octets, now_ns)
        if self._end is not None:
            if self._end.result != "0":
                return self._end
            player.ends(now_ns)
        if player.done:
            return self._end
        if player.playing and (not playing or player.stalls > stalls):
            return Outcome(result="play")
        return Outcome(result="stall") if player.stalls > stalls else None

    def next_ns(self) -> int | None:
        """When the player's buffer runs empty."""
        return self._player.empty_ns if self._player is not None else None

    @property
    def reads(self) -> bool:
        """Is there anything left to read?"""
        return self._end is None


Activity = Streaming | Draining | Lingering | Handshaking | Flushing


@unique
class _Kind(Enum):
    """Of each kind there is one at a time on a connection."""

    WRITES = "writes"
    READS = "reads"
    SECURES = "secures"


def _kind(activity: Activity) -> _Kind:
    match activity:
        case Streaming() | Flushing():
            return _Kind.WRITES
        case Draining() | Lingering():
            return _Kind.READS
        case Handshaking():
            return _Kind.SECURES


class Activities:
    """The activities of one host: on a connection one that writes, one that reads, and a handshake
    of TLS.
    """

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, _Kind], Activity] = {}
        self.players: dict[str, Player] = {}

    def begin(self, conn: str, activity: Activity) -> None:
        """Start it, in the place of one of its kind that is under way there."""
        self._under_way[conn, _kind(activity)] = activity

    def writes(self, conn: str) -> bool:
        """Is one that writes under way there?"""
        return (conn, _Kind.WRITES) in self._under_way

    def cancel(self, conn: str) -> None:
        """The socket is closed: nothing goes on with it."""
        for key in [key for key in self._under_way if key[0] == conn]:
            del self._under_way[key]

    def progress(self) -> Iterator[tuple[str, str, int, int, Outcome | None]]:
        """Let each do what it can: (conn, name, octets read, octets written, what to tell)."""
        for key, activity in list(self._under_way.items()):
            read, written, told = activity.progress()
            if activity.ended:
                del self._under_way[key]
            yield key[0], activity.name, read, written, told

    @property
    def busy(self) -> bool:
        """Is one under way?"""
        return bool(self._under_way)

    def next_ns(self) -> int | None:
        """When one of them has something to do though nothing comes."""
        times = [activity.next_ns() for activity in self._under_way.values()]
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def watched(self) -> Iterator[tuple[int, int]]:
        """(descriptor, poll events) that let one of them go on."""
        for activity in self._under_way.values():
            if isinstance(activity, Streaming | Flushing) or activity.reads:
                yield activity.socket.fileno(), activity.wants
