"""Arranges a timeline as the rows of a picture."""

from collections.abc import Container

from tcplab.render import acts, asides, delays, flights, payloads
from tcplab.render.ends import first_states, known, seated
from tcplab.render.folding import folded
from tcplab.render.predicates import names_no_connection
from tcplab.render.remarkable import shortened, tells_more
from tcplab.render.rows import (
    ActRow,
    AsideRow,
    CallRow,
    ConnectionRow,
    ExpectRow,
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
from tcplab.render.sieve import sifted
from tcplab.tcp.options import Sack
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Event,
    ExpectEvent,
    Fate,
    IcmpEvent,
    ReasonEvent,
    SampleEvent,
    SegmentEvent,
    StateEvent,
    WireEvent,
)
from tcplab.timeline.relative import isns, relative
from tcplab.timeline.timeline import HostInfo, Timeline, effect_ns, lane, numbers

_GAP_NS = 500_000_000
"""A silence this long gets a row of its own."""


def arranged(
    timeline: Timeline,
    *,
    verbose: bool = False,
    met: bool = True,
    shown: Container[int] | None = None,
) -> Picture:
    """The rows of a timeline between the lifelines of its client (left) and its server.

    Long runs of segments that are much alike are folded, and without `met` expectations that were
    met left out, unless it is to be `verbose`. Only the segments with these indices are `shown`;
    None shows everything.
    """
    hosts = seated(timeline)
    arranger = _Arranger(timeline, hosts, verbose=verbose, met=met or verbose)
    rows = arranger.rows if shown is None else list(sifted(arranger.rows, shown))
    return Picture(
        timeline=timeline,
        hosts=hosts,
        known=(known(timeline, hosts[0]), known(timeline, hosts[1])),
        begin_ns=min((event.at_ns for event in timeline.segments()), default=0),
        rows=tuple(rows if verbose else folded(rows)),
        delays=arranger.delays,
    )


class _Arranger:
    """Goes through the events in the order of their effect, and remembers every end's state."""

    def __init__(
        self, timeline: Timeline, hosts: tuple[HostInfo, HostInfo], *, verbose: bool, met: bool
    ) -> None:
        self.rows: list[Row] = []
        self._met = met
        self._timeline = timeline
        self._verbose = verbose
        self._hosts = hosts
        self._acts = {event.i: event for event in timeline.told()}
        self._numbers = numbers(timeline)
        self._origins = isns(timeline)
        self._crossings = flights.crossings(timeline)
        self._repeats = flights.repeats(timeline)
        self._windows = flights.window_octets(timeline)
        self._familiar = flights.familiar(timeline)
        self._ports = flights.ports(timeline, hosts[0].name, hosts[1].name)
        self._rules: dict[int, list[str]] = {}
        self._effects: dict[tuple[int, str], StateEvent] = {}
        events = sorted(timeline.events, key=self._place)
        for event in events:
            if isinstance(event, WireEvent) and event.segment is not None:
                self._rules.setdefault(event.segment, []).append(event.rule)
            elif isinstance(event, StateEvent) and event.cause in self._acts:
                self._effects[event.cause, event.host] = event
        self._plugged = acts.plugged(timeline)
        self._telling = payloads.telling(timeline)
        self.delays = () if verbose else tuple(delays.common(timeline, self._rules))
        self._several = len({act.conn for act in self._acts.values()}) > 1
        self._states = first_states(events)
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
                self._icmp(event)
            case CounterEvent() | SampleEvent() | ReasonEvent():
                if tells_more(event, verbose=self._verbose):
                    self._aside(event)
            case WireEvent(segment=None):
                self._begin(event)
                self.rows.append(ActRow(event=event, plugs=event.i in self._plugged))
            case ExpectEvent() if self._met or not event.met:
                self._begin(event)
                unclear = event.conn != self._conn and names_no_connection(event.predicate)
                conn = event.conn if self._several and unclear else None
                self.rows.append(ExpectRow(event=event, conn=conn))
            case WireEvent() | ExpectEvent():
                pass  # told with its segment; told in the count of those that were met

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
            ends = self._ends_of(conn)
            heading = ConnectionRow(conn=conn, ports=self._ports.get(conn), ends=ends)
            self.rows.append(heading if self._several else StateRow(ends=ends, initial=True))
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
        if event.conn != self._conn:
            # An old segment may meet the ends of a later connection between the same addresses.
            for each in event.lanes:
                now = Standing(each.before, each.before, Known.by(each.source))
                self._states[event.conn, each.host] = now
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
            self.rows.append(self._call(event, ends))
        self._settle(event.conn, moves)

    def _call(self, event: CallEvent, ends: tuple[Standing, Standing]) -> CallRow:
        told = None
        if event.name == "steal":
            from tcplab.render.loot import searched  # what it takes to read logins, seldom needed

            told = searched(self._timeline, event)
        return CallRow(event=event, side=self._side(event.host), ends=ends, told=told)

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
        target = event.receiver if toward is None else None
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
            target=target,
            familiar=event.i in self._familiar,
            telling=self._verbose or event.i in self._telling,
            delayed_as_all=self._delayed_as_all(event),
        )

    def _delayed_as_all(self, event: SegmentEvent) -> bool | None:
        """Is the segment delayed as the header says, or (False) not though it does?"""
        if any(event.i in delay.delayed for delay in self.delays):
            return True
        return False if any(event.i in delay.spared for delay in self.delays) else None

    def _icmp(self, event: IcmpEvent) -> None:
        """The report goes to the end, and belongs to the connection, of the segment it quotes."""
        toward = Side.LEFT if event.sport == self._hosts[0].port else Side.RIGHT
        conn = None
        for act in self._acts.values():
            if isinstance(act, SegmentEvent) and flights.is_quoted(act, event):
                toward, conn = self._side(act.sender) or toward, act.conn
        self._begin(event, conn)
        self.rows.append(IcmpRow(event=event, toward=toward))

    def _side(self, host: str) -> Side | None:
        for side, each in zip(Side, self._hosts, strict=True):
            if each.name == host:
                return side
        return None

    def _aside(self, event: ReasonEvent | SampleEvent | CounterEvent) -> None:
        """Counters of one host with one cause share a row; so do alike timers at the end."""
        side = self._side(event.host)
        if isinstance(event, SampleEvent) and not self._verbose:
            cause = self._acts.get(-1 if event.cause is None else event.cause)
            if isinstance(cause, SegmentEvent) and cause.fate is Fate.DUPLICATED:
                return  # the copy is the wire's: no kernel has sent anything again
            event = shortened(event)
        of_the_end = event.cause is None and isinstance(event, SampleEvent)
        conns: tuple[str, ...] = ()
        if isinstance(event, SampleEvent) and self._several:
            conns = (event.conn,) if of_the_end or event.conn != self._conn else ()
        for n in range(len(self.rows) - 1, -1, -1):
            row = self.rows[n]
            if not isinstance(row, AsideRow) or not (of_the_end or n == len(self.rows) - 1):
                break
            if row.side is side and (joined := asides.joined(row, event, conns)) is not None:
                self.rows[n] = joined
                return
        self._begin(event)
        self.rows.append(AsideRow(side=side, events=(event,), conns=conns))
