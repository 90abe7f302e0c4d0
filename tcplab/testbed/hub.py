"""What turns the wire into a hub for hosts that eavesdrop: they get every frame, too."""

from collections.abc import Callable, Container
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tcplab.testbed.home import Home
from tcplab.wire.burst.path import BatchPermit
from tcplab.wire.frame import Frame
from tcplab.wire.pump import Arrival

if TYPE_CHECKING:
    from tcplab.testbed.eavesdropper import Eavesdropper


class Hub:
    """Those who hear what is not for them. `put` puts a frame on the cable of a host."""

    def __init__(self, put: Callable[[Frame, str], object]) -> None:
        self._put = put
        self._listeners: dict[str, Eavesdropper] = {}

    def plug_in(self, home: Home, permit: BatchPermit, owner: ExitStack) -> None:
        """If that host eavesdrops, it does from now on; `owner` ends it."""
        if home.settings.eavesdrops:
            from tcplab.testbed.eavesdropper import Eavesdropper

            listener = Eavesdropper(home.namespace, permit)
            owner.callback(listener.close)
            self._listeners[home.settings.name] = listener

    def listener(self, host: str) -> "Eavesdropper | None":
        """That host's ear; None if it does not eavesdrop."""
        return self._listeners.get(host)

    def carry(self, arrival: Arrival, *, apart_from: Container[str]) -> None:
        """Let all who eavesdrop hear the frame, but its sender and those who get it anyway."""
        for name, listener in self._listeners.items():
            if name != arrival.sender:
                if name not in apart_from:
                    self._put(arrival.frame, name)
                listener.listen()

    def lost(self) -> int:
        """How many frames they missed."""
        return sum(listener.lost() for listener in self._listeners.values())
