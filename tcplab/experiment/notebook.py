"""What the conductor writes down: looks at both ends, acts, their effects, and what is left."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from tcplab import __version__
from tcplab.analysis.hindsight import in_hindsight
from tcplab.analysis.steps import label
from tcplab.analysis.tally import Tally
from tcplab.experiment.connections import STRAY, Connections
from tcplab.testbed.host import Host, Look, Testbed
from tcplab.timeline import timeline
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Event,
    ExpectEvent,
    Fate,
    IcmpEvent,
    Lane,
    SampleEvent,
    SegmentEvent,
    Source,
    WireEvent,
)
from tcplab.timeline.recorder import Recorder
from tcplab.timeline.timeline import Stack
from tcplab.wire.frame import IcmpError
from tcplab.wire.pump import Arrival

ENDS = ("client", "server")
"""The hosts that have lanes."""
_RETRANSMISSION = ("rto", "rtt", "rttvar", "backoff", "retransmits", "snd_cwnd")
"""What a kernel is asked when it has sent something again."""

Looks = dict[str, dict[str, Look]]
"""By connection, by host."""


class Notebook:
    """The record of one run on one testbed. `heed` hears of every event as it is noted."""

    def __init__(
        self, testbed: Testbed, connections: Connections, heed: Callable[[Event], None]
    ) -> None:
        self._testbed = testbed
        self._connections = connections
        self._recorder = Recorder(heed)
        self._looks: Looks = {}
        self._began_counters: dict[str, Mapping[str, int]] = {}
        self.tally = Tally()
        self.results: dict[tuple[str, str, str], str] = {}
        """The last result of each call, by host, connection and the call's name."""
        self.began_ns = 0
        """The monotonic time of `at_ns` 0."""
        self._began_realtime_ns = 0

    def begin(self) -> None:
        """Look at everything once, and start the clock."""
        self._began_counters = {name: host.counters() for name, host in self._hosts()}
        self.began_ns, self._began_realtime_ns = time.monotonic_ns(), time.time_ns()

    def now_ns(self) -> int:
        """The time since the run began."""
        return time.monotonic_ns() - self.began_ns

    def _hosts(self) -> list[tuple[str, Host]]:
        return [(name, host) for name, host in self._testbed.hosts.items() if name in ENDS]

    # --- looks ------------------------------------------------------------------------------

    def begin_connection(self, conn: str) -> None:
        """From now on that connection is looked at, too."""
        if self._connections.begin(conn):
            self._looks[conn] = self._look(conn)

    def _look(self, conn: str) -> dict[str, Look]:
        flow = self._connections.flow(conn)
        return {name: host.look(flow) for name, host in self._hosts()}

    def refreshed(self) -> Looks:
        """The states now. What changed since the last act was a timer's doing, and is noted so."""
        self.effects(self._looks, cause=None)
        return self._looks

    def effects(self, before: Looks, *, cause: int | None) -> None:
        """Look again, and note what an act that no lane shows has changed."""
        self._look_again()
        self._note_changes(before, cause=cause)

    def _look_again(self) -> None:
        self._looks = {conn: self._look(conn) for conn in self._connections.watched}

    def _note_changes(self, before: Looks, *, cause: int | None) -> None:
        """How the last look differs from the one before it."""
        for conn in self._looks:
            lanes = self._lanes(conn, before)
            self._recorder.changes(lanes, conn=conn, at_ns=self.now_ns(), cause=cause)

    def _lanes(self, conn: str, before: Looks) -> tuple[Lane, ...]:
        """That connection's states before an act, and at the last look."""
        if conn not in before or conn not in self._looks:
            return ()
        now = self._looks[conn]
        return tuple(
            Lane(host=name, before=old.state, after=now[name].state, source=old.source)
            for name, old in before[conn].items()
        )

    # --- acts -------------------------------------------------------------------------------

    def call(self, event: CallEvent, before: Looks) -> int:
        """An application's call, and what it changed."""
        self._look_again()
        lanes = self._lanes(event.conn, before)
        self.results[event.host, event.conn, event.name] = event.result
        i = self._recorder.note(replace(event, lanes=lanes))
        self._note_changes(before, cause=i)
        return i

    def sent(self, arrival: Arrival, conn: str, receiver: str, *, cause: int | None) -> int:
        """A segment has left its sender. Its fate is open, unless it is a real link that carries
        it.
        """
        segment = arrival.frame.segment
        if segment is None:
            raise TypeError("only segments are steps")
        at_ns = arrival.at_ns - self.began_ns
        event = SegmentEvent(
            i=0,
            at_ns=at_ns,
            cause=cause,
            sender=arrival.sender,
            receiver=receiver,
            conn=conn,
            segment=segment,
            fate=Fate.HELD if self._testbed.stepped else Fate.CAPTURED,
            delivered_ns=None if self._testbed.stepped else at_ns,
            frame=arrival.frame.octets,
            link_octets=arrival.frame.link_octets,
            ttl=arrival.frame.ttl,
        )
        i = self._recorder.note(event)
        self.tally.sent(replace(event, i=i))
        if self.tally.is_repeated(i):
            self._sample(arrival.sender, conn, _RETRANSMISSION, cause=i)
        return i

    def passed(
        self, i: int, *, fate: Fate, delivered_ns: int | None, before: Looks, spoiled: bool
    ) -> None:
        """What became of segment `i`, and what that changed."""
        event = self._recorder.segment(i)
        self._look_again()
        known = event.conn != STRAY
        lanes = self._lanes(self._connections.heir(event.conn), before) if known else ()
        self._recorder.settle(i, fate=fate, delivered_ns=delivered_ns, lanes=lanes)
        if delivered_ns is not None and not spoiled:
            self.tally.arrived(event)
        self._note_changes(before, cause=i)

    def wire(self, rule: str, segment: int | None) -> None:
        """A rule of the wire acted on a segment, or a step on the wire (None)."""
        self._recorder.note(
            WireEvent(i=0, at_ns=self.now_ns(), cause=segment, rule=rule, segment=segment)
        )

    def expectation(
        self, conn: str, predicate: str, found: Mapping[str, str], *, met: bool
    ) -> None:
        """What the scenario expects, and whether it is so."""
        self._recorder.note(
            ExpectEvent(
                i=0,
                at_ns=self.now_ns(),
                conn=conn,
                predicate=predicate,
                met=met,
                found=tuple(found.items()),
            )
        )

    def segment(self, i: int) -> SegmentEvent:
        """The segment that was noted as `i`."""
        return self._recorder.segment(i)

    def icmp(self, arrival: Arrival, error: IcmpError) -> int:
        """Somebody reported an error."""
        return self._recorder.note(
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
        for conn in self._connections.watched:
            for name, host in self._hosts():
                detail = host.detail(self._connections.flow(conn))
                self._note_sample(name, conn, detail, cause=None)

    def _sample(self, name: str, conn: str, wanted: tuple[str, ...], *, cause: int) -> None:
        """Some of the numbers that a kernel host's socket has now."""
        host = self._testbed.hosts.get(name)
        if host is None or host.stack is not Stack.KERNEL:
            return
        if name not in self._looks.get(conn, {}):  # no end of it: an attacker's segment
            return
        info = host.info(self._connections.flow(conn))
        fields = tuple((key, info[key]) for key in wanted if key in info)
        look = Look(state=self._looks[conn][name].state, source=Source.SOCK_DIAG, fields=fields)
        self._note_sample(name, conn, look, cause=cause)

    def _note_sample(self, name: str, conn: str, detail: Look, *, cause: int | None) -> None:
        if detail.fields:
            self._recorder.note(
                SampleEvent(
                    i=0,
                    at_ns=self.now_ns(),
                    cause=cause,
                    host=name,
                    conn=conn,
                    source=detail.source,
                    fields=detail.fields,
                )
            )

    def growth_of(self, name: str) -> dict[str, int]:
        """By how much that host's counters grew since the run began."""
        before = self._began_counters.get(name, {})
        now = self._testbed.hosts[name].counters()
        return {counter: value - before.get(counter, 0) for counter, value in now.items()}

    def growth(self) -> None:
        """By how much the kernels' counters grew."""
        for name, _host in self._hosts():
            for counter, delta in self.growth_of(name).items():
                # On a real NIC one counter is read, and that it did not rise is the point.
                if (delta or not self._testbed.stepped) and counter.startswith("Tcp"):
                    self._recorder.note(
                        CounterEvent(i=0, at_ns=self.now_ns(), host=name, name=counter, delta=delta)
                    )

    def timeline(
        self, *, command: tuple[str, ...], scenario: str, lost: int, interrupted: bool
    ) -> timeline.Timeline:
        """The whole record, its segments labelled with their steps."""
        flow = self._connections.first
        return label(
            in_hindsight(
                timeline.Timeline(
                    command=command,
                    scenario=scenario,
                    testbed=self._testbed.facts,
                    hosts=tuple(
                        timeline.HostInfo(
                            name=name,
                            ip=flow.seen_from(name)[0].ip,
                            port=flow.seen_from(name)[0].port,
                            stack=host.stack,
                        )
                        for name, host in self._hosts()
                    ),
                    settings=self._testbed.settings,
                    began_ns=self._began_realtime_ns,
                    events=self._recorder.events(),
                    drops=self._testbed.drops() + lost,
                    interrupted=interrupted,
                    tcplab=__version__,
                )
            )
        )
