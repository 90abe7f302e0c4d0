"""Timelines of whole scenarios, written by hand: several connections, acts, expectations."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from tcplab.tcp.segment import Address
from tcplab.timeline.events import (
    CallEvent,
    Event,
    ExpectEvent,
    Fate,
    SampleEvent,
    SegmentEvent,
    Source,
    StateEvent,
    WireEvent,
)
from tcplab.timeline.timeline import HostInfo, Setting, Stack, Timeline

from .samples import ADDRESS, Story

SETTINGS = (
    Setting(host="server", name="net.ipv4.tcp_retries2", value="3", default="15"),
    Setting(host="client", name="net.ipv4.tcp_retries2", value="3", default="15"),
    Setting(host="client", name="net.ipv4.tcp_sack", value="1", default="1"),
    Setting(host="client", name="net.ipv4.tcp_syn_linear_timeouts", value="0", default=None),
)


class Play(Story):
    """A story with acts on the wire, and expectations. It opens at 0 µs."""

    def __init__(self) -> None:
        super().__init__(client=Stack.KERNEL)

    def amend(self, **changes: object) -> None:
        """The last event was otherwise."""
        self.events[-1] = replace(self.events[-1], **changes)  # type: ignore[arg-type]

    def act(self, us: int, rule: str) -> None:
        self.note(WireEvent(i=0, at_ns=us * 1000, rule=rule, segment=None))

    def drop(self, rule: str) -> None:
        """What was sent last was dropped by that rule."""
        last = self.events[-1]
        self.note(WireEvent(i=0, at_ns=last.at_ns, cause=last.i, rule=rule, segment=last.i))

    def delay(self, rule: str, us: int) -> None:
        """What was sent last was delayed so long by that rule."""
        last = self.events[-1]
        self.amend(delivered_ns=last.at_ns + us * 1000)
        self.note(WireEvent(i=0, at_ns=last.at_ns, cause=last.i, rule=rule, segment=last.i))

    def sample(self, **fields: int) -> None:
        """The server was asked for these numbers, for it had sent its last segment again."""
        cause = max(event.i for event in self.events if isinstance(event, SegmentEvent))
        self.note(
            SampleEvent(
                i=0,
                at_ns=self.events[-1].at_ns,
                cause=cause,
                host="server",
                conn="a",
                source=Source.SOCK_DIAG,
                fields=tuple(fields.items()),
            )
        )

    def expect(self, us: int, predicate: str, met: bool = True, **found: str) -> None:
        self.note(
            ExpectEvent(
                i=0,
                at_ns=us * 1000,
                conn="a",
                predicate=predicate,
                met=met,
                found=tuple((name.replace("_", "."), value) for name, value in found.items()),
            )
        )


def renamed(events: Iterable[Event], conn: str, *, port: int, later_us: int) -> list[Event]:
    """The same events once more, in another connection and later."""

    def moved(address: Address) -> Address:
        return replace(address, port=port) if address == ADDRESS["client"] else address

    copies: list[Event] = []
    for event in events:
        at_ns = event.at_ns + later_us * 1000
        if isinstance(event, SegmentEvent):
            delivered_ns = None
            if event.delivered_ns is not None:
                delivered_ns = event.delivered_ns + later_us * 1000
            segment = replace(
                event.segment, src=moved(event.segment.src), dst=moved(event.segment.dst)
            )
            copies.append(
                replace(event, at_ns=at_ns, delivered_ns=delivered_ns, segment=segment, conn=conn)
            )
        elif isinstance(event, CallEvent | StateEvent | SampleEvent):
            copies.append(replace(event, at_ns=at_ns, conn=conn))
    return copies


def pulled_cable() -> Timeline:
    """The cable is pulled, data is lost and sent again; one expectation is not met."""
    play = Play()
    play.open()
    play.call(450, "client", "set")
    play.amend(arguments="TCP_NODELAY, 1")
    play.act(470, "cut server")
    play.call(500, "client", "send", result="5")
    play.segment(520, "client", "PA", 1, 1, payload=b"hello", fate=Fate.DROPPED)
    play.drop("cut server")
    play.expect(900_000, "client.retransmitted.data >= 1")
    play.act(1_000_000, "restore server")
    play.segment(1_040_520, "client", "PA", 1, 1, payload=b"hello")
    play.segment(1_040_560, "server", "A", 1, 6)
    play.call(1_050_000, "client", "error")
    play.act(1_050_500, "the moon: full")
    play.expect(
        1_051_000,
        "server.state == CLOSE-WAIT and client.call.send == ETIMEDOUT",
        False,
        server_state="ESTABLISHED",
        client_call_send="",
    )
    play.expect(1_052_000, "client.state == ESTABLISHED", client_state="ESTABLISHED")
    return play.timeline(settings=SETTINGS, scenario="pulled-cable", command=("run", "x"))


def ten_connections() -> Timeline:
    """Ten connections, one after the other; the timers of two still run at the end."""
    play = Play()
    play.open()
    first, play.events = play.events, []
    for n in range(1, 11):
        for event in renamed(first, f"c{n}", port=40122 + n, later_us=(n - 1) * 1000):
            play.note(event)
    for conn in ("c1", "c3"):
        fields = (("timer", "timewait"), ("expires_ms", 59990))
        at_ns, source = 20_000_000, Source.SOCK_DIAG
        play.note(
            SampleEvent(i=0, at_ns=at_ns, host="client", conn=conn, source=source, fields=fields)
        )
    return play.timeline(command=("run", "isns"), scenario="isns")


def two_connections() -> Timeline:
    """Two connections, one after the other; then three expectations, of which one is met."""
    play = Play()
    play.open()
    first, play.events = play.events, []
    for n in (1, 2):
        for event in renamed(first, f"c{n}", port=40122 + n, later_us=(n - 1) * 1000):
            play.note(event)
    play.expect(3000, "client.state == CLOSED", False, client_state="ESTABLISHED")
    play.amend(conn="c1")
    play.note(
        ExpectEvent(
            i=0,
            at_ns=3_100_000,
            conn="c1",
            predicate="client[c2].state == CLOSED",
            met=False,
            found=(("client[c2].state", "ESTABLISHED"),),
        )
    )
    play.expect(3200, "server.count.ESTABLISHED == 2")
    play.amend(conn="c1")
    return play.timeline(command=("run", "two"), scenario="two")


def far_away() -> Timeline:
    """The wire delays every segment but one; data is lost, and its repetition arrives."""
    play = Play()
    play.open()
    at = 1000
    for n in range(10):
        play.segment(at, "server", "A", 1 + 600 * n, 1, payload=bytes(600), fate=Fate.DELAYED)
        play.delay("a long way", 20_000)
        at += 20
    play.segment(at, "server", "PA", 6001, 1, payload=b"the rest", fate=Fate.DROPPED)
    play.drop("lose the rest")
    play.segment(at + 30_000, "client", "A", 1, 6001, to=at + 30_010)
    play.segment(at + 250_000, "server", "PA", 6001, 1, payload=b"the rest", fate=Fate.DELAYED)
    play.delay("a long way", 20_000)
    play.sample(rto=464_000, backoff=1, retransmits=1, snd_cwnd=1)
    play.segment(at + 290_000, "client", "A", 1, 6009, fate=Fate.DELAYED)
    play.delay("a long way", 21_000)
    return play.timeline(command=("run", "far-away"), scenario="far-away")


def download(segments: int = 64, octets: int = 1000) -> Timeline:
    """The server sends so many segments; the client acknowledges every second one."""
    play = Play()
    play.open()
    for n in range(segments):
        at = 500 + 20 * n
        play.segment(at, "server", "A", 1 + n * octets, 1, payload=bytes(octets), to=at + 2)
        if n % 2:
            play.segment(at + 4, "client", "A", 1, 1 + (n + 1) * octets, to=at + 6)
    play.call(500 + 20 * segments, "client", "close", "FIN-WAIT-1")
    return play.timeline(command=("run", "download"), scenario="download")


def strangers() -> Timeline:
    """A firewall resets both ends in the other's name, and an attacker knocks by itself."""
    play = Play()
    play.open()
    play.segment(600, "server", "RA", 1, 1, fate=Fate.INJECTED, client="CLOSED")
    play.amend(sender="firewall 1")
    play.segment(700, "client", "RA", 1, 1, fate=Fate.INJECTED, server="CLOSED")
    play.amend(sender="firewall 1")
    play.segment(800, "server", "A", 1, 1)
    play.amend(receiver="attacker")
    timeline = play.timeline(command=("run", "strangers"), scenario="strangers")
    attacker = HostInfo(name="attacker", ip="192.0.2.66", port=0, stack=Stack.KERNEL)
    return replace(timeline, hosts=(*timeline.hosts, attacker))


ALL: dict[str, Callable[[], Timeline]] = {
    "pulled-cable": pulled_cable,
    "ten-connections": ten_connections,
    "two-connections": two_connections,
    "far-away": far_away,
    "download": download,
    "strangers": strangers,
}
