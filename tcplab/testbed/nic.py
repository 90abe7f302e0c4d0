"""A real link: the crafted client on this machine, and a host that the user named at the far end.

Nothing is held up here. The kernel carries what the client sends, by its own route and neighbour; a
capture on the interface sees both directions, so frames are known after the fact only.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from select import select

from tcplab.errors import InconclusiveError
from tcplab.kernel.counters import Counters
from tcplab.kernel.routes import Route, RouteType, link_at
from tcplab.scenario.steps import Connection
from tcplab.tcp.segment import Address
from tcplab.testbed.crafted_host import CraftedHost
from tcplab.testbed.host import Flow
from tcplab.testbed.reach import down
from tcplab.testbed.remote_host import RemoteHost
from tcplab.text import Text
from tcplab.timeline import timeline
from tcplab.wire.filters import conversation
from tcplab.wire.frame import Frame, IcmpError, Link
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.permit import HostPermit
from tcplab.wire.pump import Arrival

_MOST_FRAMES = 1000
"""That a run takes in: a host that is not ours may go on for ever."""
_LOOPBACK = 772  # ARPHRD_LOOPBACK
_UNREACHABLE = {4: 3, 6: 1}  # the ICMP type, by version
_ABOUT_SIZE = frozenset({(4, 3, 4), (6, 2, 0)})  # "too big": the path's, not the host's, answer


class CraftedHere(CraftedHost):
    """The crafted client in this machine's own network namespace, whose counters tell if it kept
    out.
    """

    def __init__(self, ip: str, route: Route, permit: HostPermit) -> None:
        super().__init__(
            "client",
            ip,
            inside=contextlib.nullcontext,
            permit=permit,
            interface=None if route.type is RouteType.LOCAL else route.link.name,
            mtu_octets=min(route.mtu_octets, 65535),
        )
        self._counters = Counters()
        self._open.callback(self._counters.close)

    def close(self) -> None:
        """Leave no connection behind at a host that is not ours: reset what is open still.

        A run does so itself, and tells it; here that is only for one that broke off.
        """
        self.abort_all()
        super().close()

    def counters(self) -> Mapping[str, int]:
        """OutRsts of this machine's kernel: it rises if the shield fails."""
        return {"TcpOutRsts": self._counters.read()["TcpOutRsts"]}


class NicTestbed:
    """This machine, a link, and one host. Needs CAP_NET_RAW; raises PermissionError without."""

    stepped = False
    settings: tuple[timeline.Setting, ...] = ()

    def __init__(self, *, route: Route, link: Link, server: Address, scope: int = 0) -> None:
        self._open = contextlib.ExitStack()
        self._way_out = route.link
        permit = HostPermit(destination=server.ip, interface=route.link.name)
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._client = CraftedHere(route.source, route, permit)
            self._open.callback(self._client.close)
            port = self._client.reserve(link=scope or route.link.index)
            self._flow = Flow(client=Address(route.source, port), server=server)
            # On loopback every packet is seen leaving and arriving: once is enough.
            self._capture = PacketSocket(
                route.link.name,
                permit,
                link=link,
                ignore_outgoing=route.link.hardware_type == _LOOPBACK,
                filter_=conversation(port),
            )
            self._open.callback(self._capture.close)
            undo.pop_all()
        self._server = RemoteHost(self._flow)
        self._taken = 0
        self.hosts: Mapping[str, CraftedHost | RemoteHost] = {
            "client": self._client,
            "server": self._server,
        }
        self.facts = timeline.Testbed(
            kind="nic",
            kernel=os.uname().release,
            rootless=False,
            interface=route.link.name,
            gateway=route.gateway,
        )

    def reserve(self, server_port: int) -> Flow:
        """The one flow that there is."""
        if server_port != self._flow.server.port:
            raise ValueError(f"port {server_port} is not the one this was made for")
        return self._flow

    def flow(self, conn: Connection, like: Flow | None = None) -> Flow:
        """The one flow that there is."""
        return self.reserve(conn.server_port)

    def ip(self, host: str) -> str:
        """The address of either end."""
        return self.hosts[host].ip

    def look(self) -> None:
        """A real link is everybody's."""

    def arrivals(self, timeout_s: float) -> list[Arrival]:
        """Segments of the flow, and ICMP errors about it, that passed the interface."""
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            timer_ns = self._client.tick()
            found = self._seen() + self._reported()
            now_ns = time.monotonic_ns()
            self._taken += len(found)
            if self._taken > _MOST_FRAMES:
                raise InconclusiveError(
                    Text(
                        "{host} sent more than {count} segments, and the run was left.",
                        host=self._flow.server.ip,
                        count=_MOST_FRAMES,
                    ),
                    remedy=Text("A host that talks this much is better watched with a capture."),
                )
            if found or now_ns >= deadline_ns:
                return found
            wake_ns = deadline_ns if timer_ns is None else min(deadline_ns, timer_ns)
            select([self._capture], [], [], max(wake_ns - now_ns, 0) / 1e9)

    def _seen(self) -> list[Arrival]:
        found: list[Arrival] = []
        for seen in self._capture.take():
            segment, icmp = seen.frame.segment, seen.frame.icmp
            ends = segment and (segment.src, segment.dst)
            if ends == (self._flow.client, self._flow.server):
                found.append(Arrival(sender="client", at_ns=seen.at_ns, frame=seen.frame))
            elif ends == (self._flow.server, self._flow.client) or (
                icmp is not None and self._is_ours(icmp)
            ):
                found.append(Arrival(sender="server", at_ns=seen.at_ns, frame=seen.frame))
        return found

    def _reported(self) -> list[Arrival]:
        """What this machine's kernel says itself: nobody answers for the next hop's address.

        Raises UnavailableError where that is because the link is down.
        """
        reported = [
            Arrival(
                sender="client",
                at_ns=time.monotonic_ns(),
                frame=Frame(octets=b"", src_ip=self._client.ip, icmp=icmp),
            )
            for icmp in self._client.own_errors()
            if self._is_ours(icmp)
        ]
        if reported:
            self._check_link()
        return reported

    def _check_link(self) -> None:
        try:
            works = link_at(self._way_out.index).works
        except OSError:  # it is gone
            works = False
        if not works:
            raise down(self._flow.server.ip, self._way_out)

    def _is_ours(self, icmp: IcmpError) -> bool:
        """Is it about a segment that is under way? Anybody may claim so (RFC 5927 §4.1)."""
        quoted = (icmp.quoted_src, icmp.quoted_dst) == (self._flow.client, self._flow.server)
        return quoted and self._client.is_under_way(self._flow, icmp.quoted_seq)

    def deliver(self, arrival: Arrival) -> bool:
        """It is delivered already; here the client's TCP hears of it, and of errors.

        As Linux does, any "destination unreachable" ends an attempt to open (net/ipv4/tcp_ipv4.c,
        tcp_v4_err), and none of them ends a connection.
        """
        frame = arrival.frame
        if frame.segment is not None:
            if arrival.sender == "server":
                self._client.receive(frame.segment)
            self._server.saw(frame.segment)
        elif frame.icmp is not None:
            icmp = frame.icmp
            about = (icmp.version, icmp.type, icmp.code)
            if icmp.type == _UNREACHABLE[icmp.version] and about not in _ABOUT_SIZE:
                self._client.refuse(self._flow, "EHOSTUNREACH")
        return True

    def overhear(self, arrival: Arrival) -> None:
        """Nobody eavesdrops on a real link."""

    def eavesdropper(self, host: str) -> None:
        """As with `overhear`."""

    def cut(self, host: str) -> None:
        """Cables and hosts that are not ours are left alone: see also the next three."""
        raise TypeError(f"cut {host} on a real link")

    def restore(self, host: str) -> None:
        """See `cut`."""
        raise TypeError(f"restore {host} on a real link")

    def reboot(self, host: str) -> None:
        """See `cut`."""
        raise TypeError(f"reboot {host} on a real link")

    def readdress(self, host: str, number: int) -> None:
        """See `cut`."""
        raise TypeError(f"readdress {host} to {number} on a real link")

    def drops(self) -> int:
        """Frames that the capture had no room for."""
        return self._capture.lost()

    def close(self) -> None:
        """Give every socket back."""
        self._open.close()
