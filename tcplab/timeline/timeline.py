"""A timeline: who took part, and what happened in which order."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, unique

from tcplab.timeline.events import CallEvent, Event, Lane, SegmentEvent


@unique
class Stack(Enum):
    """Whose TCP an end runs: a Linux kernel we can look into, tcplab's own, or a stranger's."""

    KERNEL = "kernel"
    CRAFTED = "crafted"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Testbed:
    """Where it ran. `kind` is "namespace", or "nic" for a host on a real link: the route to it
    leads through `interface` and, unless the host is on that link itself, through `gateway`.
    """

    __test__ = False  # no test class, whatever its name

    kind: str
    kernel: str
    rootless: bool
    interface: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInfo:
    """One host. `port` is its port in the (first) connection."""

    name: str
    ip: str
    port: int
    stack: Stack
    clock_error_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A sysctl of `host` that the scenario set. `default` is what it was before, None where this
    kernel has no such setting and does without.
    """

    host: str
    name: str
    value: str
    default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The whole of one run. `drops` counts frames that the capture lost: above 0, nothing is
    proved.

    `interrupted` says that the run was cut short, by its user or by an error, so what is missing
    means nothing.
    """

    command: tuple[str, ...]
    scenario: str | None = None
    testbed: Testbed
    hosts: tuple[HostInfo, ...]
    settings: tuple[Setting, ...] = ()
    began_ns: int = 0  # realtime, since the epoch: what the clock on the wall said at `at_ns` 0
    events: tuple[Event, ...]
    drops: int = 0
    interrupted: bool = False
    tcplab: str

    def host(self, name: str) -> HostInfo:
        """The host of that name; KeyError if there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    def segments(self, conn: str | None = None) -> Iterator[SegmentEvent]:
        """The segments (of one connection), in the order in which they were sent."""
        for event in self.events:
            if isinstance(event, SegmentEvent) and conn in (None, event.conn):
                yield event

    def told(self) -> tuple[SegmentEvent | CallEvent, ...]:
        """Calls and segments in the order of their effect: a segment counts when it arrives.

        Two segments that cross on the wire thus stand where they changed a state.
        """
        acts = (event for event in self.events if isinstance(event, SegmentEvent | CallEvent))
        return tuple(sorted(acts, key=lambda event: (effect_ns(event), event.i)))


def numbers(timeline: Timeline) -> dict[int, int]:
    """The number, from 1, that a reader knows each segment by; keyed by the index of its event.

    They count in the order of effect, as a ladder stands; findings and packet comments cite them.
    """
    segments = (event for event in timeline.told() if isinstance(event, SegmentEvent))
    return {event.i: number for number, event in enumerate(segments, 1)}


def effect_ns(event: SegmentEvent | CallEvent) -> int:
    """When the event could change the receiver's state."""
    if isinstance(event, SegmentEvent) and event.delivered_ns is not None:
        return event.delivered_ns
    return event.at_ns


def lane(event: SegmentEvent | CallEvent, host: str) -> Lane | None:
    """That host's states around the event, or None where they were not looked at."""
    for each in event.lanes:
        if each.host == host:
            return each
    return None
