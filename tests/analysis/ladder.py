"""Timelines written down as ladders, one event a line, the two states after it on the right:

    client connect() 0   | SYN-SENT     LISTEN
    client S             | SYN-SENT     SYN-RECEIVED
    server SA            | ESTABLISHED  SYN-RECEIVED
    client A             | ESTABLISHED  ESTABLISHED

A line without states is an event at which nobody looked, so its segment counts as captured, else
as delivered. A segment may say more: `data=6` octets, `seq=`, `ack=` (both relative; else they
follow from what was sent and what arrived), `ttl=`, `fate=dropped`, `by=5`: the event that caused
it, `forged`: an attacker sent it in that name, and `late`: its receiver does not know of it when it
sends its next segment. `@1000` puts the event at 1000 ms. Other events: `icmp 3/13 198.51.100.1`,
`count client TcpOutRsts 1`, `sample client timewait 60000`, `reason server by=7 drop TCP_RESET`.
"""

from collections.abc import Mapping

from tcplab.analysis.explain import explain
from tcplab.tcp.flags import Flags, from_letters
from tcplab.tcp.options import Option, Sack
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
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
)
from tcplab.timeline.timeline import HostInfo, Stack, Testbed, Timeline

CLIENT, SERVER = Address("192.0.2.1", 40123), Address("192.0.2.2", 80)
CLIENT_IP6, SERVER_IP6 = Address("2001:db8::1", 40123), Address("2001:db8::2", 80)

# The client's numbers wrap within its first line of data, so every test is one of the wrap as well.
ISN = {"client": Seq(4294967290), "server": Seq(100)}

NAMESPACE = Testbed(kind="namespace", kernel="6.18.44", rootless=True)
NIC = Testbed(kind="nic", kernel="6.18.44", rootless=False, interface="eth0")

OPEN = """
    server listen() 0    | CLOSED       LISTEN
    client connect() 0   | SYN-SENT     LISTEN
    client S             | SYN-SENT     SYN-RECEIVED
    server SA            | ESTABLISHED  SYN-RECEIVED
    client A             | ESTABLISHED  ESTABLISHED
"""
DATA = """
    client PA data=20    | ESTABLISHED  ESTABLISHED
    server A             | ESTABLISHED  ESTABLISHED
"""
CLOSE = """
    client close() 0     | FIN-WAIT-1   ESTABLISHED
    client FA            | FIN-WAIT-1   CLOSE-WAIT
    server A             | FIN-WAIT-2   CLOSE-WAIT
    server close() 0     | FIN-WAIT-2   LAST-ACK
    server FA            | TIME-WAIT    LAST-ACK
    client A             | TIME-WAIT    CLOSED
"""
SEEN = {
    Stack.KERNEL: Source.SOCK_DIAG,
    Stack.CRAFTED: Source.CRAFTED,
    Stack.REMOTE: Source.INFERRED,
}
PEER = {"client": "server", "server": "client"}


def ladder(
    text: str,
    *,
    client: Stack = Stack.CRAFTED,
    server: Stack = Stack.KERNEL,
    testbed: Testbed = NAMESPACE,
    options: Mapping[str, tuple[Option, ...]] | None = None,
    ip6: bool = False,
    link_octets: int = 14,
    drops: int = 0,
    interrupted: bool = False,
) -> Timeline:
    """The timeline that `text` draws."""
    stacks = {"client": client, "server": server}
    addresses = (CLIENT_IP6, SERVER_IP6) if ip6 else (CLIENT, SERVER)
    ends = dict(zip(PEER, addresses, strict=True))
    draft = _Draft(stacks, ends, dict(options or {}), link_octets)
    for line in filter(None, map(str.strip, text.splitlines())):
        draft.add(line)
    return Timeline(
        command=("handshake",),
        testbed=testbed,
        hosts=tuple(
            HostInfo(name=name, ip=end.ip, port=end.port, stack=stacks[name])
            for name, end in ends.items()
        ),
        events=tuple(draft.events),
        drops=drops,
        interrupted=interrupted,
        tcplab="0.1.0",
    )


class _Draft:
    def __init__(
        self,
        stacks: dict[str, Stack],
        ends: dict[str, Address],
        options: dict[str, tuple[Option, ...]],
        link_octets: int,
    ) -> None:
        self.events: list[Event] = []
        self._stacks, self._ends, self._options = stacks, ends, options
        self._link_octets = link_octets
        self._states = {"client": State.CLOSED, "server": State.CLOSED}
        self._sent = dict(ISN)
        self._heard: dict[str, Seq | None] = {"client": None, "server": None}
        self._late: dict[str, Seq | None] = {"client": None, "server": None}
        self._at_ns = 0

    def add(self, line: str) -> None:
        act, _, states = line.partition("|")
        words = act.split()
        self._at_ns += 1_000_000
        if words[0].startswith("@"):
            self._at_ns = int(words.pop(0)[1:]) * 1_000_000
        self.events.append(self._event(words, self._lanes(states.split())))

    def _lanes(self, after: list[str]) -> tuple[Lane, ...]:
        if not after:
            return ()
        before, self._states = self._states, dict(zip(PEER, map(State, after), strict=True))
        return tuple(
            Lane(
                host=host,
                before=before[host],
                after=self._states[host],
                source=SEEN[self._stacks[host]],
            )
            for host in PEER
        )

    def _event(self, words: list[str], lanes: tuple[Lane, ...]) -> Event:
        i, at_ns = len(self.events), self._at_ns
        match words:
            case ["icmp", kind, reporter]:
                type_, code = map(int, kind.split("/"))
                version = 6 if ":" in self._ends["client"].ip else 4
                return IcmpEvent(
                    i=i,
                    at_ns=at_ns,
                    version=version,
                    reporter=reporter,
                    type=type_,
                    code=code,
                    sport=CLIENT.port,
                    dport=SERVER.port,
                )
            case ["count", host, name, delta]:
                return CounterEvent(i=i, at_ns=at_ns, host=host, name=name, delta=int(delta))
            case ["reason", host, by, kind, word]:
                return ReasonEvent(
                    i=i,
                    at_ns=at_ns,
                    cause=int(by.removeprefix("by=")),
                    host=host,
                    kind=kind,
                    word=word,
                )
            case ["sample", host, timer, expires_ms]:
                return SampleEvent(
                    i=i,
                    at_ns=at_ns,
                    host=host,
                    conn="a",
                    source=Source.SOCK_DIAG,
                    fields=(("timer", timer), ("expires_ms", int(expires_ms))),
                )
            case ["tell", host, by, *told]:
                return SampleEvent(
                    i=i,
                    at_ns=at_ns,
                    cause=int(by.removeprefix("by=")),
                    host=host,
                    conn="a",
                    source=Source.SOCK_DIAG,
                    fields=tuple(
                        (name, int(value))
                        for name, _, value in (word.partition("=") for word in told)
                    ),
                )
            case [host, call, result] if call.endswith("()"):
                return CallEvent(
                    i=i,
                    at_ns=at_ns,
                    host=host,
                    name=call[:-2],
                    conn="a",
                    result=result,
                    lanes=lanes,
                )
            case [sender, letters, *more]:
                facts = dict(word.partition("=")[::2] for word in more)
                return self._segment(sender, from_letters(letters.replace(".", "")), facts, lanes)
        raise ValueError(words)

    def _segment(
        self, sender: str, flags: Flags, facts: dict[str, str], lanes: tuple[Lane, ...]
    ) -> SegmentEvent:
        receiver = PEER[sender]
        forged = "forged" in facts
        fate = Fate(facts.get("fate", "delivered" if lanes else "captured"))
        segment = Segment(
            src=self._ends[sender],
            dst=self._ends[receiver],
            seq=ISN[sender] + int(facts["seq"]) if "seq" in facts else self._sent[sender],
            ack=self._ack(sender, flags, facts),
            flags=flags,
            wnd_octets=int(facts.get("wnd", 64240)),
            options=self._segment_options(sender, flags, facts),
            payload=b"x" * int(facts.get("data", 0)),
        )
        if not forged:
            self._sent[sender] = max(self._sent[sender], segment.next_seq)
        if self._late[sender] is not None:
            self._heard[sender], self._late[sender] = self._late[sender], None
        if fate not in (Fate.DROPPED, Fate.HELD):
            ears = self._late if "late" in facts else self._heard
            ears[receiver] = self._sent[sender]
        way_ns = int(facts["ms"]) * 1_000_000 if "ms" in facts else 10_000
        return SegmentEvent(
            i=len(self.events),
            at_ns=self._at_ns,
            cause=int(facts["by"]) if "by" in facts else None,
            sender="attacker" if forged else sender,
            receiver=receiver,
            conn="a",
            segment=segment,
            fate=Fate.INJECTED if forged else fate,
            delivered_ns=None if fate in (Fate.DROPPED, Fate.HELD) else self._at_ns + way_ns,
            lanes=lanes,
            link_octets=self._link_octets,
            ttl=int(facts["ttl"]) if "ttl" in facts else None,
        )

    def _segment_options(
        self, sender: str, flags: Flags, facts: dict[str, str]
    ) -> tuple[Option, ...]:
        if "sack" in facts:
            edges = [ISN[PEER[sender]] + int(edge) for edge in facts["sack"].split("-")]
            return (Sack((tuple(edges),)),)
        return self._options.get(sender, ()) if flags & Flags.SYN else ()

    def _ack(self, sender: str, flags: Flags, facts: dict[str, str]) -> Seq:
        if not flags & Flags.ACK:
            return Seq(0)
        if "ack" in facts:
            return ISN[PEER[sender]] + int(facts["ack"])
        heard = self._heard[sender]
        return Seq(0) if heard is None else heard


def finding(timeline: Timeline, id_: str) -> tuple[str, str, tuple[int, ...]] | None:
    """(verdict, sentence, events) of the finding with that id; None if there is none."""
    found = [each for each in explain(timeline) if each.id == id_]
    assert len(found) < 2
    if not found:
        return None
    return found[0].verdict.value, str(found[0].sentence), found[0].events


def ids(timeline: Timeline) -> list[str]:
    """The ids of all findings, in their order."""
    return [each.id for each in explain(timeline)]
