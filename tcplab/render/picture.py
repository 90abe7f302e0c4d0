"""Arranges a timeline as the rows of a picture."""

from collections import Counter

from tcplab.render import flights
from tcplab.render.rows import (
    AsideRow,
    CallRow,
    ConnectionRow,
    GapRow,
    IcmpRow,
    Known,
    Picture,
    Row,
    SegmentRow,
    Side,
    Standing,
    StateRow,
)
from tcplab.tcp.options import Sack
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Event,
    IcmpEvent,
    ReasonEvent,
    SampleEvent,
    SegmentEvent,
    StateEvent,
    WireEvent,
)
from tcplab.timeline.relative import isns, relative
from tcplab.timeline.timeline import HostInfo, Stack, Timeline, effect_ns, lane, numbers

_GAP_NS = 500_000_000
"""A silence this long gets a row of its own."""

_TELLING = (
    *("Abort", "AttemptFails", "Challenge", "Cookie", "Drop", "Err", "KeepAlive", "LossProbe"),
    *("Overflow", "PAWS", "Reset", "Retrans", "Rst", "Timeout", "ZeroWindow"),
)
"""A counter that contains one of these words tells something that the segments may not show."""

_BY_STACK = {
    Stack.KERNEL: Known.OBSERVED,
    Stack.CRAFTED: Known.CRAFTED,
    Stack.REMOTE: Known.INFERRED,
}


def arranged(timeline: Timeline) -> Picture:
    """The rows of a timeline between the lifelines of its client (left) and its server."""
    hosts = _ends(timeline)
    return Picture(
        timeline=timeline,
        hosts=hosts,
        known=(_known(timeline, hosts[0]), _known(timeline, hosts[1])),
        begin_ns=min((event.at_ns for event in timeline.segments()), default=0),
        rows=tuple(_Arranger(timeline, hosts).rows),
    )


def _ends(timeline: Timeline) -> tuple[HostInfo, HostInfo]:
    left, right, *_ = sorted(timeline.hosts, key=lambda host: host.name not in ("client", "server"))
    return (right, left) if right.name == "client" else (left, right)


def _known(timeline: Timeline, host: HostInfo) -> tuple[Known, ...]:
    """How this host's states are known, the commonest way first."""
    looks = (lane(act, host.name) for act in timeline.told())
    ways = Counter(Known.by(look.source) for look in looks if look is not None)
    return tuple(way for way, _ in ways.most_common()) or (_BY_STACK[host.stack],)


class _Arranger:
    """Goes through the events in the order of their effect, and remembers every end's state."""

    def __init__(self, timeline: Timeline, hosts: tuple[HostInfo, HostInfo]) -> None:
        self.rows: list[Row] = []
        self._hosts = hosts
        self._acts = {event.i: event for event in timeline.told()}
        self._numbers = numbers(timeline)
        self._origins = isns(timeline)
        self._crossings = flights.crossings(timeline)
        self._repeats = flights.repeats(timeline)
        self._windows = flights.window_octets(timeline)
        self._rules: dict[int, list[str]] = {}
        self._effects: dict[tuple[int, str], StateEvent] = {}
        events = sorted(timeline.events, key=self._place)
        for event in events:
            if isinstance(event, WireEvent):
                self._rules.setdefault(event.segment, []).append(event.rule)
            elif isinstance(event, StateEvent) and event.cause in self._acts:
                self._effects[event.cause, event.host] = event
        self._several = len({act.conn for act in self._acts.values()}) > 1
        self._states = _first_states(events)
        self._conn: str | None = None
        self._then_ns: int | None = None
        for event in events:
            self._tell(event)

    def _place(self, event: Event) -> tuple[int, int, int]:
        """Where it is told: an act where it took effect, all else behind the act that caused it."""
        act = self._acts.get(event.i) or self._acts.get(-1 if event.cause is None else event.cause)
        if act is None:
            return event.at_ns, event.i, event.i
        return effect_ns(act), act.i, event.i

    def _tell(self, event: Event) -> None:
        match event:
            case SegmentEvent() | CallEvent():
                self._act(event)
            case StateEvent():
                self._timer(event)
            case IcmpEvent():
                self._begin(event)
                toward = Side.LEFT if event.sport == self._hosts[0].port else Side.RIGHT
                self.rows.append(IcmpRow(event=event, toward=toward))
            case CounterEvent() | SampleEvent() | ReasonEvent():
                if _tells_more(event):
                    self._aside(event)
            case WireEvent():
                pass  # told with its segment

    def _timer(self, event: StateEvent) -> None:
        """A change that no act caused; the others stand beside their acts."""
        known = self._states.get((event.conn, event.host), Standing())
        if event.cause not in self._acts and known.after is not event.new:
            self._begin(event, event.conn)
            move = Standing(event.old, event.new, Known.by(event.source))
            self._change({event.host: move}, event.conn)

    def _begin(self, event: Event, conn: str | None = None) -> None:
        """What has to be said before the row of `event`: a gap in time, another connection."""
        now_ns = self._place(event)[0]
        if self._then_ns is not None and now_ns - self._then_ns >= _GAP_NS:
            self.rows.append(GapRow(now_ns - self._then_ns))
        self._then_ns = now_ns
        if conn is not None and conn != self._conn:
            if self._several:
                self.rows.append(ConnectionRow(conn))
            self.rows.append(StateRow(ends=self._ends_of(conn), initial=True))
            self._conn = conn

    def _ends_of(self, conn: str) -> tuple[Standing, Standing]:
        """Both ends as they stand now."""
        left, right = (self._states.get((conn, host.name), Standing()) for host in self._hosts)
        return left, right

    def _change(self, moves: dict[str, Standing], conn: str) -> None:
        """A row for changes that neither a call nor a segment made."""
        left, right = self._hosts
        still = self._ends_of(conn)
        self.rows.append(
            StateRow(ends=(moves.get(left.name, still[0]), moves.get(right.name, still[1])))
        )
        self._settle(conn, moves)

    def _settle(self, conn: str, moves: dict[str, Standing]) -> None:
        for host, move in moves.items():
            self._states[conn, host] = Standing(move.after, move.after, move.known)

    def _act(self, event: SegmentEvent | CallEvent) -> None:
        self._begin(event, event.conn)
        actor = event.sender if isinstance(event, SegmentEvent) else event.host
        unseen: dict[str, Standing] = {}
        moves: dict[str, Standing] = {}
        for host in (each.name for each in self._hosts):
            was = self._states.get((event.conn, host), Standing())
            move = self._move(event, host, was)
            if host == actor and not move.changed:
                # A state that the sender took in order to send belongs to the segment's own row.
                move = Standing(was.after, move.after, move.known)
            elif move.before is not was.after:
                unseen[host] = Standing(was.after, move.before, move.known)
            moves[host] = move
        if unseen:
            self._change(unseen, event.conn)
        ends = (moves[self._hosts[0].name], moves[self._hosts[1].name])
        if isinstance(event, SegmentEvent):
            self.rows.append(self._segment(event, ends))
        else:
            self.rows.append(CallRow(event=event, side=self._side(event.host), ends=ends))
        self._settle(event.conn, moves)

    def _move(self, event: SegmentEvent | CallEvent, host: str, was: Standing) -> Standing:
        """A host's states around an act: as looked at, or else as the noted changes say."""
        looked = lane(event, host)
        if looked is not None:
            return Standing(looked.before, looked.after, Known.by(looked.source))
        noted = self._effects.get((event.i, host))
        if noted is not None:
            return Standing(noted.old, noted.new, Known.by(noted.source))
        return was

    def _segment(self, event: SegmentEvent, ends: tuple[Standing, Standing]) -> SegmentRow:
        seq, ack = relative(event, self._origins)
        # SACK blocks name what the receiver of this segment had sent (RFC 2018 §3).
        theirs = self._origins.get((event.conn, event.receiver))
        toward = self._side(event.receiver)
        if toward is None:
            toward = Side.RIGHT if self._side(event.sender) is Side.LEFT else Side.LEFT
        repeated = self._repeats.get(event.i)
        return SegmentRow(
            number=self._numbers[event.i],
            event=event,
            toward=toward,
            origin=event.sender if self._side(event.sender) is None else None,
            ends=ends,
            seq=seq,
            ack=ack,
            sack=tuple(
                (int(left), int(right)) if theirs is None else (left - theirs, right - theirs)
                for option in event.segment.options
                if isinstance(option, Sack)
                for left, right in option.blocks
            ),
            wnd_octets=self._windows[event.i],
            crosses=tuple(self._numbers[i] for i in self._crossings.get(event.i, ())),
            repeats=None if repeated is None else self._numbers[repeated],
            lost=flights.is_lost(event),
            rules=tuple(self._rules.get(event.i, ())),
        )

    def _side(self, host: str) -> Side | None:
        for side, each in zip(Side, self._hosts, strict=True):
            if each.name == host:
                return side
        return None

    def _aside(self, event: ReasonEvent | SampleEvent | CounterEvent) -> None:
        """Counters of one host with one cause share a row."""
        side = self._side(event.host)
        last = self.rows[-1] if self.rows else None
        if isinstance(event, CounterEvent) and isinstance(last, AsideRow) and last.side is side:
            previous = last.events[-1]
            if isinstance(previous, CounterEvent) and previous.cause == event.cause:
                self.rows[-1] = AsideRow(side=side, events=(*last.events, event))
                return
        self._begin(event)
        self.rows.append(AsideRow(side=side, events=(event,)))


def _tells_more(event: CounterEvent | SampleEvent | ReasonEvent) -> bool:
    """Is it worth a row? What was noted at the end of every run is, only if it is remarkable.

    Linux frees some segments that it has used as if it dropped them, and gives no reason.
    """
    if isinstance(event, ReasonEvent):
        return event.word != "NOT_SPECIFIED"
    if event.cause is not None:
        return True
    if isinstance(event, SampleEvent):
        return "expires_ms" in dict(event.fields)  # a timer is running
    return event.delta != 0 and any(word in event.name for word in _TELLING)


def _first_states(events: list[Event]) -> dict[tuple[str, str], Standing]:
    """What is known of each (connection, host) before anything happened to it."""
    states: dict[tuple[str, str], Standing] = {}
    for event in events:
        if isinstance(event, SegmentEvent | CallEvent):
            for each in event.lanes:
                still = Standing(each.before, each.before, Known.by(each.source))
                states.setdefault((event.conn, each.host), still)
        elif isinstance(event, StateEvent):
            still = Standing(event.old, event.old, Known.by(event.source))
            states.setdefault((event.conn, event.host), still)
    return states
