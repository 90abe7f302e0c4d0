"""One port of a scan as a timeline: what passed the link, and what states that implies.

The scan itself keeps next to nothing of its segments. So somebody listens beside it to those of one
port, and afterwards works out what each of them meant. Nobody looks inside either end: the states
are inferred from the segments.
"""

import os
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tcplab import __version__
from tcplab.analysis.hindsight import in_hindsight
from tcplab.analysis.scanning.report import Method
from tcplab.analysis.steps import label
from tcplab.kernel.routes import route_to
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.states import State
from tcplab.tcp.tracker import Tracker
from tcplab.timeline.events import Event, Fate, IcmpEvent, Lane, SegmentEvent, Source
from tcplab.timeline.recorder import Recorder
from tcplab.timeline.timeline import HostInfo, Stack, Testbed, Timeline
from tcplab.wire.burst.own_ports import is_for_timing
from tcplab.wire.burst.path import Path
from tcplab.wire.filters import conversation
from tcplab.wire.frame import IcmpError, Link
from tcplab.wire.packet_socket import PacketSocket, Seen, link_of

_MOST_FRAMES = 500
"""That are kept: a host that is not ours may go on for ever."""
_LOOPBACK = 772  # ARPHRD_LOOPBACK


class Listening:
    """Hears, from when it is entered, what the scan along `path` and the host have to say to each
    other about `port`; `source_ports` (None: any) are those that the scan asks from.

    Every ICMP message gets in as well, so whoever scans many ports calls `take` now and then.
    Raises PermissionError without CAP_NET_RAW.
    """

    def __init__(self, path: Path, port: int, *, source_ports: range | None = None) -> None:
        self._path = path
        self._server = Address(path.destination, port)
        self._source_ports = source_ports
        self._heard: list[Seen] = []
        self._open = ExitStack()
        with path.inside():
            route = route_to(path.destination, interface=path.scope)
            # On loopback every packet is seen leaving and arriving: once is enough.
            self._capture = PacketSocket(
                path.interface,
                path.permit,
                link=link_of(route.link.hardware_type) or Link.ETHERNET,
                ignore_outgoing=route.link.hardware_type == _LOOPBACK,
                filter_=conversation(port),
            )
        self._open.callback(self._capture.close)
        self._gateway = route.gateway
        self._began_ns, self._began_realtime_ns = time.monotonic_ns(), time.time_ns()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hear no more; what was heard stays."""
        self._open.close()

    def fileno(self) -> int:
        """The descriptor, for select."""
        return self._capture.fileno()

    def take(self) -> None:
        """Keep what has come since the last call, as far as it is about the port."""
        while len(self._heard) < _MOST_FRAMES and (seen := self._capture.take()):
            self._heard += filter(self._is_about, seen)

    def _is_about(self, seen: Seen) -> bool:
        client = self._client_of(seen)
        return (
            client is not None
            and client.ip == self._path.source
            and (self._source_ports is None or client.port in self._source_ports)
        )

    def _client_of(self, seen: Seen) -> Address | None:
        """The scan's end of what the frame belongs to; None if it is about another port."""
        segment, error = seen.frame.segment, seen.frame.icmp
        if segment is not None:
            if segment.dst == self._server:
                return segment.src
            return segment.dst if segment.src == self._server else None
        if error is not None and error.quoted_dst == self._server:
            return error.quoted_src
        return None

    def timeline(
        self,
        method: Method,
        *,
        command: tuple[str, ...],
        facts: Testbed | None = None,
        interrupted: bool = False,
    ) -> Timeline:
        """What was heard until now. `facts` (None: this machine and the link) is where it ran."""
        self.take()
        self.take()  # the first one ends at the news of a lost link, which precedes what was heard
        story = _Story(self._server, method, self._began_ns)
        for seen in self._heard:
            client = self._client_of(seen)
            if client is None:
                continue
            if seen.frame.segment is not None:
                story.segment(seen, seen.frame.segment, client)
            elif seen.frame.icmp is not None:
                story.report(seen, seen.frame.icmp, client)
        client_port = story.first.port if story.first is not None else 0
        told = in_hindsight(
            Timeline(
                command=command,
                scenario=f"{method.value}-scan",
                testbed=facts or self._facts(),
                hosts=(
                    HostInfo(
                        name="client", ip=self._path.source, port=client_port, stack=Stack.KERNEL
                    ),
                    HostInfo(
                        name="server",
                        ip=self._server.ip,
                        port=self._server.port,
                        stack=Stack.KERNEL if facts is not None else Stack.REMOTE,
                    ),
                ),
                began_ns=self._began_realtime_ns,
                events=story.events(),
                drops=self._capture.lost(),
                interrupted=interrupted,
                tcplab=__version__,
            )
        )
        return label(told)

    def _facts(self) -> Testbed:
        return Testbed(
            kind="nic",
            kernel=os.uname().release,
            rootless=False,
            interface=self._path.interface,
            gateway=self._gateway,
        )


class _Story:
    """Turns frames into events; each source port is a connection: "round-1", … or, when all rounds
    of a SYN scan were over, "timing-1", ….
    """

    def __init__(self, server: Address, method: Method, began_ns: int) -> None:
        self._server = server
        self._method = method
        self._began_ns = began_ns
        self._recorder = Recorder(lambda _event: None)
        self._rounds: dict[Address, _Round] = {}

    @property
    def first(self) -> Address | None:
        """The scan's end of the first connection."""
        return next(iter(self._rounds), None)

    def events(self) -> tuple[Event, ...]:
        """All of them."""
        return self._recorder.events()

    def _round(self, client: Address) -> "_Round":
        if client not in self._rounds:
            timing = self._method is Method.SYN and is_for_timing(client.port)
            kind = "timing" if timing else "round"
            number = sum(each.conn.startswith(kind) for each in self._rounds.values()) + 1
            self._rounds[client] = _Round(f"{kind}-{number}", Tracker())
        return self._rounds[client]

    def segment(self, seen: Seen, segment: Segment, client: Address) -> None:
        """A segment passed; take it that it reached whom it was sent to."""
        here = self._round(client)
        sender, receiver = ("client", "server") if segment.src == client else ("server", "client")
        before = self._states(here, client)
        here.tracker.sent(segment)
        here.tracker.arrived(segment)
        after = self._states(here, client)
        lanes = tuple(
            Lane(host=host, before=before[host], after=after[host], source=Source.INFERRED)
            for host in before
        )
        at_ns = seen.at_ns - self._began_ns
        i = self._recorder.note(
            SegmentEvent(
                i=0,
                at_ns=at_ns,
                cause=self._cause(here, segment, sender, receiver),
                sender=sender,
                receiver=receiver,
                conn=here.conn,
                segment=segment,
                fate=Fate.CAPTURED,
                delivered_ns=at_ns,
                lanes=lanes,
                frame=seen.frame.octets,
                link_octets=seen.frame.link_octets,
                ttl=seen.frame.ttl,
            )
        )
        here.last[sender] = i
        self._recorder.changes(lanes, conn=here.conn, at_ns=at_ns, cause=i)

    def _states(self, here: "_Round", client: Address) -> dict[str, State]:
        """Of both ends. The probes of a SYN scan belong to no socket of the client's kernel."""
        connects = self._method is Method.CONNECT
        return {
            "client": here.tracker.state(client) if connects else State.CLOSED,
            "server": here.tracker.state(self._server),
        }

    def _cause(self, here: "_Round", segment: Segment, sender: str, receiver: str) -> int | None:
        """The segment that this one answers. A program's connect() and abort answer none."""
        if sender == "client":
            of_the_program = Flags.SYN | (Flags.RST if self._method is Method.CONNECT else Flags(0))
            if segment.flags & of_the_program:
                return None
        return here.last.get(receiver)

    def report(self, seen: Seen, error: IcmpError, client: Address) -> None:
        """Somebody reported an error about one of the probes."""
        self._recorder.note(
            IcmpEvent(
                i=0,
                at_ns=seen.at_ns - self._began_ns,
                cause=self._round(client).last.get("client"),
                version=error.version,
                reporter=seen.frame.src_ip,
                type=error.type,
                code=error.code,
                sport=error.quoted_src.port,
                dport=error.quoted_dst.port,
                frame=seen.frame.octets,
                link_octets=seen.frame.link_octets,
            )
        )


class _Round:
    """One connection, and the segment that either end sent last."""

    def __init__(self, conn: str, tracker: Tracker) -> None:
        self.conn = conn
        self.tracker = tracker
        self.last: dict[str, int] = {}
