"""The connections of a run: which addresses each has, and which one a segment belongs to."""

from collections.abc import Mapping
from dataclasses import replace

from tcplab.tcp.segment import Address, Segment
from tcplab.testbed.host import Flow

STRAY = "?"
"""The connection of a segment that belongs to none that the scenario names."""


class Connections:
    """Connections by name, in the order of the scenario.

    One is `begun` once something was done with it; from then on its ends are looked at. Two may
    have the same addresses, one after the other: a segment belongs to the one begun last.
    """

    def __init__(self, flows: Mapping[str, Flow]) -> None:
        self._flows = dict(flows)
        self._begun: dict[str, None] = {}

    def flow(self, conn: str) -> Flow:
        """Its two ends; KeyError for a connection that the scenario does not name."""
        return self._flows[conn]

    @property
    def first(self) -> Flow:
        """The first one's ends."""
        return next(iter(self._flows.values()))

    @property
    def begun(self) -> tuple[str, ...]:
        """The names of the connections with which something was done, oldest first."""
        return tuple(self._begun)

    @property
    def watched(self) -> tuple[str, ...]:
        """Those of them whose addresses no later one has taken over."""
        latest = {self._flows[conn]: conn for conn in self._begun}
        return tuple(latest.values())

    def heir(self, conn: str) -> str:
        """The connection that has that one's addresses now, so that an old segment meets its
        sockets: itself, unless a later one has taken them over.
        """
        return {self._flows[each]: each for each in self._begun}.get(self._flows[conn], conn)

    def begin(self, conn: str) -> bool:
        """Something is done with it; True if that is the first time."""
        new = conn not in self._begun
        self._begun[conn] = None
        return new

    def bind(self, conn: str, host: str, local: Address) -> None:
        """That end has this address now: the kernel chose its port, or the host moved."""
        flow = self._flows[conn]
        if host == "client":
            self._flows[conn] = replace(flow, client=local)
        else:
            self._flows[conn] = replace(flow, server=local)

    def of(self, segment: Segment) -> str:
        """The connection that the segment belongs to; STRAY if to none."""
        ends = {segment.src, segment.dst}
        for conn in reversed(self._begun):
            flow = self._flows[conn]
            if {flow.client, flow.server} == ends:
                return conn
        for conn, flow in self._flows.items():
            if {flow.client, flow.server} == ends:
                return conn
        return STRAY
