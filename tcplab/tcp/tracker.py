"""Both ends' states, worked out from nothing but the segments between them.

A state is not on the wire, but what an end sends gives it away, and what reaches it moves it. So
the tracker is told twice of each segment: when it has left its sender, and when it has arrived
(never, if it is lost). Both ends move through the automaton's table.

What leaves no segment cannot be inferred: a time-out (TIME-WAIT stays TIME-WAIT), a close in
SYN-SENT, a FIN that waits for a window. An end of which nothing is known counts as CLOSED until it
sends something.
"""

from collections import defaultdict

from tcplab.tcp.automaton import Event
from tcplab.tcp.inference import InferredEnd
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State


class Tracker:
    """Follows a connection between two addresses, and the next ones between the same two.

    `listening` is an address at which somebody is known to wait in LISTEN, `connected` one that is
    known to be in the middle of a connection.
    """

    def __init__(
        self, *, listening: Address | None = None, connected: Address | None = None
    ) -> None:
        self._ends: defaultdict[Address, InferredEnd] = defaultdict(InferredEnd)
        if listening is not None:
            self._ends[listening].move(Event.PASSIVE_OPEN)
        if connected is not None:
            self._ends[connected].establish()

    def sent(self, segment: Segment) -> None:
        """`segment` has left its sender."""
        sender, receiver = self._ends[segment.src], self._ends[segment.dst]
        first = sender.unknown
        sender.sends(segment, receiver)
        if first and receiver.unknown:
            receiver.addressed(segment)

    def arrived(self, segment: Segment) -> None:
        """`segment` has reached its receiver, which ignores it if it is damaged."""
        if segment.checksum_ok is not False:
            self._ends[segment.dst].gets(segment, self._ends[segment.src])

    def state(self, address: Address) -> State:
        """The state of the end at `address`; CLOSED if no segment has told of it."""
        return self._ends[address].state

    def isn(self, address: Address) -> Seq | None:
        """Its initial sequence number, the origin of relative ones; None if its SYN was missed."""
        return self._ends[address].isn

    def snd_nxt(self, address: Address) -> Seq | None:
        """The next number that it will send for the first time: what is before it is repeated."""
        return self._ends[address].snd_nxt

    def rcv_nxt(self, address: Address) -> Seq | None:
        """The next number that it expects from its peer, as far as can be seen."""
        return self._ends[address].rcv_nxt
