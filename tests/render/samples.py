"""Timelines written by hand, as the testbed would make them: what the golden ladders show."""

from collections.abc import Iterable
from dataclasses import replace

from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.hindsight import in_hindsight
from tcplab.tcp.flags import from_letters
from tcplab.tcp.options import (
    MaximumSegmentSize,
    NoOperation,
    Option,
    SackPermitted,
    Timestamps,
    WindowScale,
)
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Event,
    Fate,
    IcmpEvent,
    Lane,
    ReasonEvent,
    SampleEvent,
    SegmentEvent,
    Source,
    StateEvent,
)
from tcplab.timeline.timeline import HostInfo, Stack, Testbed, Timeline

ISN = {"client": 3021554771, "server": 998877661}
ADDRESS = {"client": Address("192.0.2.1", 40123), "server": Address("192.0.2.2", 80)}
SYN_OPTIONS: tuple[Option, ...] = (
    MaximumSegmentSize(1460),
    SackPermitted(),
    Timestamps(2021, 0),
    NoOperation(),
    WindowScale(10),
)
SOURCES = {
    Stack.KERNEL: Source.SOCK_DIAG,
    Stack.CRAFTED: Source.CRAFTED,
    Stack.REMOTE: Source.INFERRED,
}


class Story:
    """Collects the events of a run between a client and a server, and keeps their states."""

    def __init__(self, client: Stack = Stack.CRAFTED, server: Stack = Stack.KERNEL) -> None:
        self.stacks = {"client": client, "server": server}
        self.states = {"client": State.CLOSED, "server": State.LISTEN}
        self.events: list[Event] = []

    def call(self, us: int, host: str, name: str, state: str = "", result: str = "0") -> None:
        lanes = self.lanes({host: state})
        self.note(
            CallEvent(
                i=0, at_ns=us * 1000, host=host, name=name, conn="a", result=result, lanes=lanes
            )
        )

    def segment(
        self,
        us: int,
        sender: str,
        flags: str,
        seq: int,
        ack: int = 0,
        *,
        payload: bytes = b"",
        options: tuple[Option, ...] = (),
        to: int | None = None,
        fate: Fate = Fate.DELIVERED,
        wnd_octets: int = 502,
        **states: str,
    ) -> None:
        """A segment sent at `us` and delivered at `to`; `seq` and `ack` are relative."""
        receiver = "server" if sender == "client" else "client"
        arrived_us = us + 20 if to is None else to
        self.note(
            SegmentEvent(
                i=0,
                at_ns=us * 1000,
                sender=sender,
                receiver=receiver,
                conn="a",
                segment=Segment(
                    src=ADDRESS[sender],
                    dst=ADDRESS[receiver],
                    seq=Seq(ISN[sender]) + seq,
                    ack=Seq(ISN[receiver]) + ack if "A" in flags else Seq(0),
                    flags=from_letters(flags),
                    wnd_octets=wnd_octets,
                    options=options,
                    payload=payload,
                ),
                fate=fate,
                delivered_ns=None if fate in (Fate.DROPPED, Fate.CAPTURED) else arrived_us * 1000,
                lanes=self.lanes(states),
            )
        )

    def lanes(self, changes: dict[str, str]) -> tuple[Lane, ...]:
        before, self.states = (
            self.states,
            self.states | {host: State(state) for host, state in changes.items() if state},
        )
        return tuple(
            Lane(
                host=host,
                before=before[host],
                after=self.states[host],
                source=SOURCES[self.stacks[host]],
            )
            for host in before
        )

    def note(self, event: Event) -> None:
        self.events.append(replace(event, i=len(self.events)))

    def open(self) -> None:
        self.call(0, "client", "connect", "SYN-SENT", "EINPROGRESS")
        self.segment(
            40, "client", "S", 0, options=SYN_OPTIONS, wnd_octets=64240, server="SYN-RECEIVED"
        )
        self.segment(
            230, "server", "SA", 0, 1, options=SYN_OPTIONS, wnd_octets=65160, client="ESTABLISHED"
        )
        self.segment(350, "client", "A", 1, 1, server="ESTABLISHED")
        self.call(400, "server", "accept")

    def timeline(self, *, command: Iterable[str] = ("handshake",), **more: object) -> Timeline:
        remote = Stack.REMOTE in self.stacks.values()
        return Timeline(
            command=tuple(command),
            testbed=Testbed(
                kind="nic" if remote else "namespace", kernel="6.18.44-generic", rootless=True
            ),
            hosts=tuple(
                HostInfo(name=name, ip=ADDRESS[name].ip, port=ADDRESS[name].port, stack=stack)
                for name, stack in self.stacks.items()
            ),
            events=tuple(self.events),
            tcplab="0.1.0",
            **more,  # type: ignore[arg-type]
        )


def four_way() -> Timeline:
    """The main job: open, one line of data, and the client closes first."""
    story = Story()
    story.open()
    story.call(500, "client", "send", result="16")
    story.segment(520, "client", "PA", 1, 1, payload=b"GET / HTTP/1.0\r\n")
    story.segment(560, "server", "A", 1, 17)
    story.call(600, "server", "read", result="16")
    story.call(700, "client", "close", "FIN-WAIT-1")
    story.segment(720, "client", "FA", 17, 1, server="CLOSE-WAIT")
    story.segment(760, "server", "A", 1, 18, client="FIN-WAIT-2")
    story.call(800, "server", "read", result="0")
    story.call(830, "server", "close", "LAST-ACK")
    story.segment(850, "server", "FA", 1, 18, client="TIME-WAIT")
    story.segment(890, "client", "A", 18, 2, server="CLOSED")
    return story.timeline()


def four_way_findings() -> tuple[Finding, ...]:
    return (
        Finding(
            id="open.three-way",
            verdict=Verdict.YES,
            sentence=Text(
                "Three-way handshake: each ACK is the other side's ISN + 1 ({isn} → {ack}).",
                isn=3021554771,
                ack=3021554772,
            ),
            events=(1, 2, 3),
        ),
        Finding(
            id="close.time-wait",
            verdict=Verdict.NO,
            sentence=Text("The client closed first, so the client now holds TIME-WAIT."),
            events=(10, 14),
        ),
        Finding(
            id="close.quiet",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text("Nobody looked long enough to see the end of TIME-WAIT."),
        ),
    )


def simultaneous_close() -> Timeline:
    """Both ends close before either hears of it; the wire held the first FIN."""
    story = Story(client=Stack.KERNEL)
    story.open()
    story.call(1000, "client", "close", "FIN-WAIT-1")
    story.call(1100, "server", "close", "FIN-WAIT-1")
    story.segment(1020, "client", "FA", 1, 1, to=1300, fate=Fate.HELD, server="CLOSING")
    story.segment(1120, "server", "FA", 1, 1, to=1400, fate=Fate.HELD, client="CLOSING")
    story.segment(1310, "server", "A", 2, 2, to=1450, client="TIME-WAIT")
    story.segment(1410, "client", "A", 2, 2, to=1500, server="TIME-WAIT")
    story.note(
        SampleEvent(
            i=0,
            at_ns=2_000_000,
            host="client",
            conn="a",
            source=Source.SOCK_DIAG,
            fields=(("timer", "timewait"), ("expires_ms", 59990)),
        )
    )
    story.note(
        StateEvent(
            i=0,
            at_ns=60_000_000_000,
            host="client",
            conn="a",
            old=State.TIME_WAIT,
            new=State.CLOSED,
            source=Source.SOCK_DIAG,
        )
    )
    return story.timeline(command=("teardown", "--how", "simultaneous"))


def retransmission() -> Timeline:
    """The wire drops a data segment; the kernel sends it again after its retransmission timeout."""
    story = Story(client=Stack.KERNEL)
    story.open()
    story.call(500, "client", "send", result="5")
    story.segment(520, "client", "PA", 1, 1, payload=b"hello", fate=Fate.DROPPED)
    story.segment(1_040_520, "client", "PA", 1, 1, payload=b"hello")
    story.note(
        ReasonEvent(i=0, at_ns=1_040_521_000, cause=7, host="client", kind="retransmit", word="RTO")
    )
    story.note(
        CounterEvent(
            i=0, at_ns=1_040_530_000, cause=7, host="client", name="TcpRetransSegs", delta=1
        )
    )
    story.segment(1_040_560, "server", "A", 1, 6)
    return story.timeline()


def reset() -> Timeline:
    """A closed port on a host nobody can look into, captured on a real link."""
    story = Story(server=Stack.REMOTE)
    story.states["server"] = State.CLOSED
    story.call(0, "client", "connect", "SYN-SENT")
    story.segment(40, "client", "S", 0, options=SYN_OPTIONS, fate=Fate.CAPTURED)
    story.segment(690, "server", "RA", -ISN["server"], 1, fate=Fate.CAPTURED, client="CLOSED")
    return story.timeline(interrupted=True, drops=3)


def prohibited() -> Timeline:
    """SYNs that a router refuses to carry, to a host of which nobody knows anything."""
    story = Story(server=Stack.REMOTE)
    story.states["server"] = State.CLOSED
    story.call(0, "client", "connect", "SYN-SENT")
    story.segment(40, "client", "S", 0, options=SYN_OPTIONS, fate=Fate.CAPTURED)
    story.segment(1_000_040, "client", "S", 0, options=SYN_OPTIONS, fate=Fate.CAPTURED)
    story.note(
        IcmpEvent(
            i=0,
            at_ns=1_000_900_000,
            version=4,
            reporter="192.0.2.254",
            type=3,
            code=13,
            sport=40123,
            dport=80,
        )
    )
    story.note(
        StateEvent(
            i=0,
            at_ns=1_000_950_000,
            host="client",
            conn="a",
            old=State.SYN_SENT,
            new=State.CLOSED,
            source=Source.CRAFTED,
        )
    )
    return in_hindsight(story.timeline())


HOSTILE = (
    b"\x1b[2J\x1b]0;owned\x07[bold]markup[/bold]\r\n"
    b"\xe2\x80\xaeevil\xff\xfe<script>&amp;\x00]]>\x9b31m"
)


def hostile() -> Timeline:
    """A peer that sends what terminals, markup and XML parsers would obey."""
    story = Story(server=Stack.REMOTE)
    story.open()
    story.segment(500, "server", "PA", 1, 1, payload=HOSTILE)
    story.segment(600, "server", "PA", 64, 1, payload=HOSTILE[10:])
    return story.timeline(command=("handshake", "\x1b[31m<b>&"))


ALL = {
    "four-way": four_way,
    "simultaneous-close": simultaneous_close,
    "retransmission": retransmission,
    "reset": reset,
    "prohibited": prohibited,
    "hostile": hostile,
}


def with_source(timeline: Timeline, *, host: str, i: int) -> Timeline:
    """The same, but that host's state around event `i` was only inferred."""
    events = list(timeline.events)
    event = events[i]
    assert isinstance(event, SegmentEvent | CallEvent)
    events[i] = replace(
        event,
        lanes=tuple(
            replace(lane, source=Source.INFERRED) if lane.host == host else lane
            for lane in event.lanes
        ),
    )
    return replace(timeline, events=tuple(events))


_KOREAN = {
    "crafted with Scapy": "Scapy로 만든 TCP",
    "states observed": "관찰한 상태",
    "states crafted": "직접 만든 상태",
    "states inferred": "추론한 상태",
    "a remote host": "원격 호스트",
    "crosses {numbers} on the wire": "{numbers}번과 회선에서 엇갈림",
    "retransmission of {number}": "{number}번의 재전송",
    "dropped by the wire": "회선이 버림",
    "held by the wire for {time}": "회선이 {time} 동안 붙잡음",
    "{seconds} s later": "{seconds}초 뒤",
    "{call} (end of file)": "{call} (파일 끝)",
    "{timer} timer: {seconds} s left": "{timer} 타이머: {seconds}초 남음",
    "The client closed first, so the client now holds TIME-WAIT.": (
        "클라이언트가 먼저 닫았으므로 이제 클라이언트가 TIME-WAIT 상태에 머무릅니다."
    ),
    "Three-way handshake: each ACK is the other side's ISN + 1 ({isn} → {ack}).": (
        "3방향 핸드셰이크: 각 ACK는 상대의 ISN + 1입니다({isn} → {ack})."
    ),
    "Nobody looked long enough to see the end of TIME-WAIT.": (
        "TIME-WAIT이 끝나는 것을 볼 만큼 오래 지켜보지 않았습니다."
    ),
}


def korean(text: Text) -> str:
    """A stub of the Korean catalogue, so that these tests do not move with its wording."""
    return text.said_by(lambda msgid: _KOREAN.get(msgid, msgid))
