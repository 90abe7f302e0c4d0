"""Segments made by hand, and how they get to the wire: every `Craft` of a scenario.

An attacker that eavesdrops is a host like the others: it knows what it has heard, and what it sends
leaves by its own NIC. In another host's place the segment is put on the wire as if from there, and
the numbers in it are those of the run itself.
"""

import time

from tcplab.experiment.connections import Connections
from tcplab.experiment.evidence import Evidence
from tcplab.experiment.hearsay import Hearsay
from tcplab.experiment.network import Network, peer
from tcplab.experiment.notebook import Notebook
from tcplab.scenario.predicate import Evidence as Knowledge
from tcplab.scenario.predicate import total
from tcplab.scenario.wire import Craft
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import NoOperation, Option, Timestamps
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import ZERO, Seq
from tcplab.testbed.eavesdropper import Eavesdropper
from tcplab.testbed.host import Testbed
from tcplab.testbed.plan import SEATS
from tcplab.wire.frame import Frame
from tcplab.wire.pump import Arrival

_HOPS = 64
"""The TTL that Linux gives, where none was heard."""


class Forger:
    """Makes and sends them, on the network of one run."""

    def __init__(
        self, testbed: Testbed, connections: Connections, notebook: Notebook, network: Network
    ) -> None:
        self._testbed = testbed
        self._connections = connections
        self._notebook = notebook
        self._network = network

    def craft(self, act: Craft) -> None:
        """Make the segment, and let it come in at the wire."""
        if act.shielded:
            bearer = self._testbed.hosts[act.as_host or act.host]
            bearer.keep_out(self._connections.flow(act.conn))
        self._notebook.begin_connection(act.conn)
        ear = self._testbed.eavesdropper(act.host)
        if ear is not None:
            ear.listen()
            ear.forge(self._forged(act, ear))
            self._network.collect(0, cause=None, actor=None)
            return
        evidence = Evidence(self._testbed, self._connections, self._notebook, act.conn)
        frame = self._frame(act, self._segment(act, evidence))
        self._network.inject(
            Arrival(sender=act.host, at_ns=time.monotonic_ns(), frame=frame, injected=True)
        )

    def _forged(self, act: Craft, ear: Eavesdropper) -> Frame:
        """As the host that it pretends to be would have sent it, as far as was heard."""
        hearsay = Hearsay(ear, self._connections, act.conn)
        plain = self._segment(act, hearsay)
        talk = ear.talk(plain.src, plain.dst)
        options: tuple[Option, ...] = ()
        if act.timestamps and not plain.flags & (Flags.SYN | Flags.RST):
            options = _option(talk.timestamps(plain.src, plain.dst))
        segment = self._segment(act, hearsay, options)
        return self._frame(act, segment, hops=talk.ttl(plain.src) or _HOPS)

    def _segment(self, act: Craft, known: Knowledge, options: tuple[Option, ...] = ()) -> Segment:
        src, dst = self._connections.flow(act.conn).seen_from(act.as_host or act.host)
        return Segment(
            src=src,
            dst=dst,
            seq=_number(total(act.seq, known)),
            ack=ZERO if act.ack is None else _number(total(act.ack, known)),
            flags=act.flags,
            wnd_octets=act.wnd_octets,
            urgent=act.urgent,
            options=act.options or options,
            payload=act.data,
        )

    def _frame(self, act: Craft, segment: Segment, *, hops: int = _HOPS) -> Frame:
        from tcplab.wire.compose import ethernet  # Scapy

        receiver = self._network.owner(segment.dst.ip) or peer(act.as_host or act.host)
        return ethernet(
            segment, src_mac=SEATS[act.host].mac, dst_mac=SEATS[receiver].mac, hops=hops
        )


def _option(timestamps: Timestamps | None) -> tuple[Option, ...]:
    """Aligned as Linux does it."""
    return () if timestamps is None else (NoOperation(), NoOperation(), timestamps)


def _number(value: object) -> Seq:
    """A sequence number, modulo 2^32; what is not known yet is 0."""
    return Seq(value % 2**32) if isinstance(value, int) else ZERO
