"""The far end of a real link: nobody looks inside, its state is inferred from segments alone."""

from collections.abc import Mapping

from tcplab.scenario.calls import Call
from tcplab.tcp.segment import Segment
from tcplab.tcp.tracker import Tracker
from tcplab.testbed.host import Flow, Look, Outcome
from tcplab.testbed.player import Player
from tcplab.timeline.events import Source
from tcplab.timeline.timeline import Stack


class RemoteHost:
    """A host that was named by the user, as far as the segments on the link tell of it."""

    name = "server"
    stack = Stack.REMOTE

    def __init__(self, flow: Flow) -> None:
        self.ip = flow.server.ip
        self._address = flow.server
        self._tracker = Tracker()

    def saw(self, segment: Segment) -> None:
        """A segment passed the link; take it that it reached whom it was sent to."""
        self._tracker.sent(segment)
        self._tracker.arrived(segment)

    def call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        """Nobody can make calls on a stranger's host."""
        raise TypeError(f"{call} at a remote host")

    def keep_out(self, flow: Flow) -> None:
        """See `call`."""
        raise TypeError(f"no shield at a remote host: {flow}")

    def pending(self, conn: str) -> str | None:
        """See `call`."""
        raise TypeError(f"no connect() at a remote host: {conn}")

    def progress(self) -> list[tuple[str, str, Outcome]]:
        """Nothing that anybody here could see."""
        return []

    @property
    def busy(self) -> bool:
        """Not with anything of ours."""
        return False

    def next_ns(self) -> int | None:
        """Never."""
        return None

    def look(self, flow: Flow) -> Look:
        """What its segments imply."""
        return Look(state=self._tracker.state(self._address), source=Source.INFERRED)

    def detail(self, flow: Flow) -> Look:
        """No more than `look`."""
        return self.look(flow)

    def info(self, flow: Flow) -> Mapping[str, int | str]:
        """Nothing can be read."""
        return {}

    def acknowledged(self, flow: Flow) -> bool:
        """Not known, and nobody waits for it."""
        return True

    def octets(self, conn: str) -> tuple[int, int]:
        """Applications of ours there are none."""
        return 0, 0

    def descriptors(self) -> int:
        """See `octets`."""
        return 0

    def player(self, conn: str) -> Player | None:
        """See `octets`."""
        return None

    def counters(self) -> Mapping[str, int]:
        """None can be read."""
        return {}
