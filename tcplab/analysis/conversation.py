"""One connection of a timeline, read once.

Every finding and every step label starts from here, so they cannot disagree about which segment did
what.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tcplab.analysis import roles
from tcplab.analysis.roles import Closing, Opening, arrived
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Fate,
    Lane,
    SampleEvent,
    SegmentEvent,
    Source,
    StateEvent,
)
from tcplab.timeline.timeline import Stack, Timeline, lane

Act = SegmentEvent | CallEvent
"""What can change a state at once: a segment that arrives, or a call."""


_GUESSED = Source.INFERRED
_FORGED = Fate.INJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One connection. `opening` is None where no SYN was seen, `closing` where no FIN was; `again`
    holds the indices of the segments that repeat what their sender had sent before.
    """

    timeline: Timeline
    conn: str
    segments: tuple[SegmentEvent, ...]
    opening: Opening | None
    closing: Closing | None
    again: frozenset[int]

    # --- what the segments say --------------------------------------------------------------

    @property
    def replies(self) -> tuple[SegmentEvent, ...]:
        """All that came from the peer since the first SYN was sent."""
        opening = self.opening
        if opening is None:
            return ()
        return tuple(
            event
            for event in self.segments
            if event.sender == opening.peer and event.i > opening.syns[0].i and arrived(event)
        )

    @property
    def challenge(self) -> SegmentEvent | None:
        """The plain ACK with which the peer answered the SYN, before any SYN of its own."""
        if self.opening is None or self.opening.crossing is not None:
            return None
        for event in self.replies:
            if event.segment.has(Flags.ACK):
                return None if event.segment.flags & (Flags.SYN | Flags.RST) else event
        return None

    @property
    def reset(self) -> SegmentEvent | None:
        """The first RST since both ends agreed to open; None if both had closed before it."""
        since = -1
        if self.opening is not None:
            agreed = self.opening.answer or self.opening.crossing
            if agreed is None:
                return None
            since = agreed.i
        for event in self.segments:
            if event.i > since and event.segment.has(Flags.RST) and arrived(event):
                return None if self._closed_before(event) else event
        return None

    def _closed_before(self, event: SegmentEvent) -> bool:
        closing = self.closing
        return closing is not None and closing.complete and closing.indices[-1] < event.i

    # --- what is known of the ends ----------------------------------------------------------

    def stack(self, host: str) -> Stack | None:
        """Whose TCP that host runs; None for a host that the timeline does not know."""
        return next((each.stack for each in self.timeline.hosts if each.name == host), None)

    def ip(self, host: str) -> str | None:
        """That host's address; None for a host that the timeline does not know."""
        return next((each.ip for each in self.timeline.hosts if each.name == host), None)

    def path(self, host: str, *, since: Act | None = None) -> tuple[State, ...]:
        """The states that the host went through (from an act on); empty where nobody looked."""
        path: list[State] = []
        for act, each in self._looks(host):
            if since is not None and act.i < since.i:
                continue
            for state in (each.before, each.after):
                if path[-1:] != [state]:
                    path.append(state)
        return tuple(path)

    def source(self, host: str) -> Source | None:
        """How its states are known: INFERRED if any of them is; None where nobody looked."""
        sources = [each.source for _act, each in self._looks(host)]
        return Source.INFERRED if Source.INFERRED in sources else next(iter(sources), None)

    def entered(self, host: str, state: State) -> Act | None:
        """What brought the host into `state`; None if nothing was seen to."""
        for act, each in self._looks(host):
            if each.after is state is not each.before:
                return act
        return None

    def left(self, host: str, state: State) -> Act | None:
        """What took the host out of `state` for the last time; None if nothing was seen to."""
        acts = [act for act, each in self._looks(host) if each.before is state is not each.after]
        return acts[-1] if acts else None

    def kept_nothing(self, host: str) -> bool:
        """Did its kernel say that this host was in LISTEN all the time, whatever came?"""
        source = self.source(host)
        states = set(self.path(host)) - {State.CLOSED}
        return source is not None and source.observed and states == {State.LISTEN}

    def final(self, host: str) -> State | None:
        """The state in which the run left that host's end; None unless it was looked into."""
        final = None
        for event in self.timeline.events:
            if isinstance(event, StateEvent):
                if (event.host, event.conn) == (host, self.conn) and event.source is not _GUESSED:
                    final = event.new
            elif isinstance(event, SegmentEvent | CallEvent) and event.conn == self.conn:
                found = lane(event, host)
                if found is not None and found.source is not _GUESSED:
                    final = found.after
        return final

    def counted(self, host: str, name: str) -> CounterEvent | None:
        """That counter of the host (`TcpExtTCPChallengeACK`), if it grew in the run."""
        for event in self.timeline.events:
            if isinstance(event, CounterEvent) and (event.host, event.name) == (host, name):
                return event if event.delta > 0 else None
        return None

    def _looks(self, host: str) -> Iterator[tuple[Act, Lane]]:
        for act in self.timeline.told():
            found = lane(act, host)
            if act.conn == self.conn and found is not None:
                yield act, found


def conversations(timeline: Timeline) -> tuple[Conversation, ...]:
    """The connections of a timeline in the order in which they began. An attempt of which no trace
    is left but an ICMP error still is one, without segments.
    """
    conns = dict.fromkeys(
        event.conn
        for event in timeline.events
        if isinstance(event, SegmentEvent | CallEvent | StateEvent | SampleEvent)
    )
    return tuple(_conversation(timeline, conn) for conn in conns or ("a",))


def _conversation(timeline: Timeline, conn: str) -> Conversation:
    segments = tuple(timeline.segments(conn))
    ends = {host.name for host in timeline.hosts}
    # A FIN that a third host forged closes nothing that its bearer has not closed.
    spoken = [event for event in segments if event.fate is not _FORGED or event.sender in ends]
    return Conversation(
        timeline=timeline,
        conn=conn,
        segments=segments,
        opening=roles.opening(segments),
        closing=roles.closing(spoken),
        again=roles.again(segments),
    )
