"""What the conductor writes down: looks at both ends, acts, their effects, and what is left."""

import time
from collections.abc import Callable, Mapping

from tcplab import __version__
from tcplab.analysis.steps import label
from tcplab.scenario.steps import At
from tcplab.testbed.host import Flow, Look, Outcome, Testbed
from tcplab.timeline import timeline
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Event,
    Fate,
    IcmpEvent,
    Lane,
    SampleEvent,
    SegmentEvent,
    WireEvent,
)
from tcplab.timeline.recorder import Recorder
from tcplab.wire.frame import IcmpError
from tcplab.wire.pump import Arrival

CONN = "a"
"""The one connection of a run."""


class Notebook:
    """The record of one run on one testbed. `heed` hears of every event as it is noted."""

    def __init__(self, testbed: Testbed, flow: Flow, heed: Callable[[Event], None]) -> None:
        self._testbed = testbed
        self._flow = flow
        self._recorder = Recorder(heed)
        self._looks: dict[str, Look] = {}
        self._counters: dict[str, Mapping[str, int]] = {}
        self.began_ns = 0
        """The monotonic time of `at_ns` 0."""
        self._began_realtime_ns = 0

    def begin(self) -> None:
        """Look at everything once, and start the clock."""
        self._looks = self._look()
        self._counters = {name: host.counters() for name, host in self._testbed.hosts.items()}
        self.began_ns, self._began_realtime_ns = time.monotonic_ns(), time.time_ns()

    def now_ns(self) -> int:
        """The time since the run began."""
        return time.monotonic_ns() - self.began_ns

    # --- looks ------------------------------------------------------------------------------

    def _look(self) -> dict[str, Look]:
        return {name: host.look(self._flow) for name, host in self._testbed.hosts.items()}

    def refreshed(self) -> dict[str, Look]:
        """The states now. What changed since the last act was a timer's doing, and is noted so."""
        before, self._looks = self._looks, self._look()
        lanes = self._compared(before)
        self._recorder.changes(lanes, conn=CONN, at_ns=self.now_ns(), cause=None)
        return self._looks

    def lanes(self, before: dict[str, Look]) -> tuple[Lane, ...]:
        """What an act changed, at every end: look again and compare."""
        self._looks = self._look()
        return self._compared(before)

    def _compared(self, before: dict[str, Look]) -> tuple[Lane, ...]:
        return tuple(
            Lane(host=name, before=old.state, after=self._looks[name].state, source=old.source)
            for name, old in before.items()
        )

    # --- acts -------------------------------------------------------------------------------

    def call(self, step: At, outcome: Outcome, at_ns: int, lanes: tuple[Lane, ...]) -> int:
        """An application's call, and what it changed."""
        i = self._recorder.note(
            CallEvent(
                i=0,
                at_ns=at_ns,
                host=step.host,
                name=type(step.call).__name__.lower(),
                conn=step.conn,
                result=outcome.result,
                lanes=lanes,
            )
        )
        self._recorder.changes(lanes, conn=step.conn, at_ns=self.now_ns(), cause=i)
        return i

    def sent(self, arrival: Arrival, receiver: str, *, cause: int | None) -> int:
        """A segment has left its sender. Its fate is open, unless it is a real link that carries
        it.
        """
        segment = arrival.frame.segment
        if segment is None:
            raise TypeError("only segments are steps")
        at_ns = arrival.at_ns - self.began_ns
        return self._recorder.note(
            SegmentEvent(
                i=0,
                at_ns=at_ns,
                cause=cause,
                sender=arrival.sender,
                receiver=receiver,
                conn=CONN,
                segment=segment,
                fate=Fate.HELD if self._testbed.stepped else Fate.CAPTURED,
                delivered_ns=None if self._testbed.stepped else at_ns,
                frame=arrival.frame.octets,
                link_octets=arrival.frame.link_octets,
                ttl=arrival.frame.ttl,
            )
        )

    def passed(
        self, i: int, *, fate: Fate, delivered_ns: int | None, lanes: tuple[Lane, ...]
    ) -> None:
        """What became of segment `i`, and what that changed."""
        self._recorder.settle(i, fate=fate, delivered_ns=delivered_ns, lanes=lanes)
        self._recorder.changes(lanes, conn=CONN, at_ns=self.now_ns(), cause=i)

    def rule(self, rule: str, i: int) -> None:
        """A rule of the wire acted on segment `i`."""
        self._recorder.note(WireEvent(i=0, at_ns=self.now_ns(), cause=i, rule=rule, segment=i))

    def icmp(self, arrival: Arrival, error: IcmpError) -> None:
        """Somebody reported an error."""
        self._recorder.note(
            IcmpEvent(
                i=0,
                at_ns=arrival.at_ns - self.began_ns,
                version=error.version,
                reporter=arrival.frame.src_ip,
                type=error.type,
                code=error.code,
                sport=error.quoted_src.port,
                dport=error.quoted_dst.port,
                frame=arrival.frame.octets,
                link_octets=arrival.frame.link_octets,
            )
        )

    # --- the end ----------------------------------------------------------------------------

    def events(self) -> tuple[Event, ...]:
        """Everything noted so far."""
        return self._recorder.events()

    def note(self, event: Event) -> None:
        """What somebody else has seen."""
        self._recorder.note(event)

    def details(self) -> None:
        """The timers and numbers that each end's socket still has."""
        self.refreshed()
        for name, host in self._testbed.hosts.items():
            detail = host.detail(self._flow)
            if detail.fields:
                self._recorder.note(
                    SampleEvent(
                        i=0,
                        at_ns=self.now_ns(),
                        host=name,
                        conn=CONN,
                        source=detail.source,
                        fields=detail.fields,
                    )
                )

    def growth(self) -> None:
        """By how much the kernels' counters grew."""
        for name, before in self._counters.items():
            for counter, value in self._testbed.hosts[name].counters().items():
                delta = value - before.get(counter, 0)
                # On a real NIC one counter is read, and that it did not rise is the point.
                if (delta or not self._testbed.stepped) and counter.startswith("Tcp"):
                    self._recorder.note(
                        CounterEvent(i=0, at_ns=self.now_ns(), host=name, name=counter, delta=delta)
                    )

    def timeline(
        self, *, command: tuple[str, ...], scenario: str, lost: int, interrupted: bool
    ) -> timeline.Timeline:
        """The whole record, its segments labelled with their steps."""
        return label(
            timeline.Timeline(
                command=command,
                scenario=scenario,
                testbed=self._testbed.facts,
                hosts=tuple(
                    timeline.HostInfo(
                        name=name,
                        ip=host.ip,
                        port=self._flow.seen_from(name)[0].port,
                        stack=host.stack,
                    )
                    for name, host in self._testbed.hosts.items()
                    if name in ("client", "server")
                ),
                began_ns=self._began_realtime_ns,
                events=self._recorder.events(),
                drops=self._testbed.drops() + lost,
                interrupted=interrupted,
                tcplab=__version__,
            )
        )
