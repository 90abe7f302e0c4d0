"""The SYN scan's prober: bursts of probes out, the ring's answers in."""

import select
import socket
import time
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from struct import pack
from typing import TYPE_CHECKING, cast

from tcplab.analysis.scanning.census import Census, Proof, Rejection
from tcplab.wire.burst import template
from tcplab.wire.burst.answers import Answers
from tcplab.wire.burst.asked import Asked
from tcplab.wire.burst.cookies import Cookies
from tcplab.wire.burst.link import LinkWatch
from tcplab.wire.burst.own_ports import PORTS, TIMING, OwnPorts
from tcplab.wire.burst.path import Path
from tcplab.wire.burst.ring import Ring
from tcplab.wire.burst.sender import Sender
from tcplab.wire.burst.stamping import FEW, Probes, Stamp
from tcplab.wire.filters import scan

if TYPE_CHECKING:
    from tcplab.wire.burst.recording import Recording, Sink
    from tcplab.wire.permit import Permit
    from tcplab.wire.raw_socket import RawSocket

RING_SLOTS = 65536
_TIMED_AT_ONCE = 8
_TIMING_S = 0.05
"""How long an answer that is timed is waited for, where a round trip is shorter."""
_TURN_S = 0.01
"""While probes leave, answers are taken in no more often than this: fewer and longer runs."""


class SynProber:
    """Fulfils `tcplab.wire.prober.Prober` by SYNs that the own kernel knows nothing of.

    `record` gets everything that passes, both ways, as pcapng. With `rate_pps` `time_open` keeps to
    that rate; `send` does as it is told. Raises PermissionError without CAP_NET_RAW, RefusedError
    if the permit forbids the sockets, UnavailableError if no ports are to be had, and the kernel's
    OSError.
    """

    def __init__(
        self,
        path: Path,
        census: Census,
        *,
        ring_slots: int = RING_SLOTS,
        threads: int | None = None,
        record: "Sink | None" = None,
        rate_pps: int | None = None,
    ) -> None:
        self._path = path
        self._census = census
        # Longer than the rate asks for: what the rounds have sent in this second counts, too.
        self._gap_s = 1.25 / rate_pps if rate_pps else 0.0
        self._own_errors: RawSocket | None = None
        self._recording: Recording | None = None
        made = template.syn(path.source, path.destination)
        with ExitStack() as undo:
            with path.inside():
                self._own = OwnPorts(path)
                undo.callback(self._own.close)
                self._ring = Ring(
                    slots=ring_slots,
                    program=self._filter(record),
                    outgoing=self._hears_itself(record),
                )
                undo.callback(self._ring.close)
            cookies = Cookies(made.source + made.destination + pack("!H", self._own.block.start))
            self._probes = Probes(made, cookies)
            asked = Asked(path.source, path.destination, cookies, census)
            self._asked = asked
            self._answers = Answers(asked, outgoing=self._hears_itself(record))
            with path.inside():
                self._sender = Sender(
                    path,
                    made.octets,
                    self._answers.sample,
                    threads=threads,
                    tapped=record is not None,
                )
            undo.callback(self._sender.close)
            if record is not None:
                self._recording = _recording(record, path.interface, asked.version)
            self._stamp = self._leave_from(0)
            if census.ports() > FEW:
                self._stamp.prepare()  # while the ring is being made
            self._ring.open(path.interface)
            self._poll = select.poll()
            self._poll.register(self._ring, select.POLLIN)
            self._link = LinkWatch(path, self._ring)
            undo.pop_all()

    def _hears_itself(self, record: "Sink | None") -> bool:
        # On loopback all that is sent comes in, too: once is enough.
        return record is not None and not self._path.local

    def _filter(self, record: "Sink | None") -> bytes:
        family = socket.AF_INET6 if ":" in self._path.destination else socket.AF_INET
        return scan(
            source=socket.inet_pton(family, self._path.source),
            destination=socket.inet_pton(family, self._path.destination),
            first_port=self._own.block.start,
            ports=PORTS,
            probes=record is not None,
        )

    # --- sending ----------------------------------------------------------------------------

    def begin_round(self, number: int) -> None:
        """A SYN that repeats an earlier one is answered sparingly: each round has its own port."""
        if number:
            self._stamp = self._leave_from(number)

    def _leave_from(self, number: int) -> Stamp:
        own_port = self._own.block[number % (PORTS - TIMING)]
        self._asked.own_ports.add(own_port)
        self._answers.expect()
        return Stamp(self._probes, own_port)

    def send(self, ports: "array[int]") -> None:
        """One probe to each of these."""
        if len(ports) > FEW:
            self._stamp.prepare()
        self._sender.send(self._stamp, ports)

    @property
    def busy(self) -> int:
        """Probes handed over that have not left yet."""
        return self._sender.busy

    @property
    def sent(self) -> int:
        """Probes that have left, in all rounds."""
        return self._sender.sent

    @property
    def send_errors(self) -> int:
        """How often the kernel did not take a probe at once."""
        return self._sender.errors

    # --- hearing ----------------------------------------------------------------------------

    def collect(self, wait_s: float) -> int:
        """Deal with the answers that are here, and wait at most so long for the first of them.

        Raises LinkLostError when the way out is gone, and RefusedError.
        """
        self._check()
        if self._sender.busy:
            self._sender.wait(min(wait_s, _TURN_S))
            new = self._drain()
            self._check()
            return new
        new = self._drain()
        if new or wait_s <= 0:
            return new
        if self._poll.poll(max(wait_s * 1000, 1)):
            new = self._drain()
        if not new:
            self._link.check()
            if not self._answers.received and self._own_errors is None:
                self._hear_own_errors()
        return new

    def _drain(self) -> int:
        new = left = 0
        while left < self._ring.slots:  # somebody may send faster than this reads
            run = self._ring.take()
            if run is None:
                break
            if self._recording is not None:
                self._recording.write(run)
            new += self._answers.read(run)
            run.give_back()
            left += run.count
        return new

    @property
    def received(self) -> int:
        """Segments and ICMP errors taken in."""
        return self._answers.received

    def drops(self) -> int:
        """Packets for which the ring had no room."""
        return self._ring.drops()

    def rtt_ns(self) -> int | None:
        """The latest round trip that was measured, of the first probe of a batch."""
        return self._answers.rtt_ns

    # --- timing -----------------------------------------------------------------------------

    def time_open(self, ports: Sequence[int], within_s: float) -> None:
        """Measure the round trip of each of these, a few at a time, by a SYN from an own port that
        was not in use yet: from departure to the kernel's stamp of the answer.
        """
        census = self._census
        until_s = time.monotonic() + within_s
        for own_port in self._own.block[-TIMING:]:
            self._asked.timing_ports.add(own_port)
            self._answers.expect()
            stamp = Stamp(self._probes, own_port)
            left = [
                port
                for port in ports
                if census.proofs[port] == Proof.SYN_ACK and port not in census.rtts_ns
            ]
            for at in range(0, len(left), _TIMED_AT_ONCE):
                if time.monotonic() >= until_s:
                    return
                self._time(stamp, left[at : at + _TIMED_AT_ONCE], until_s)

    def _time(self, stamp: Stamp, ports: Sequence[int], until_s: float) -> None:
        for port in ports:
            if self._gap_s:
                time.sleep(self._gap_s)
            self._sender.send(stamp, array("H", [port]))
        patience_s = max(_TIMING_S, 3e-9 * (self._answers.rtt_ns or 0))
        until_s = min(until_s, time.monotonic() + patience_s)
        while True:
            self._drain()
            self._check()
            if all(port in self._census.rtts_ns for port in ports):
                return
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            self._poll.poll(max(left_s * 1000, 1))

    # --- trouble ----------------------------------------------------------------------------

    def own_errors(self) -> list[Rejection]:
        """What the own kernel reports of the probes: that nobody answers for the address.

        It is listened for from the first time on that `collect` has waited in vain.
        """
        if self._own_errors is None:
            return []
        from tcplab.wire.burst.odd_answers import quotes_probe

        source = self._asked.source
        return [
            Rejection(version=error.version, type=error.type, code=error.code, reporter=source)
            for error in self._own_errors.own_errors(source)
            if quotes_probe(self._asked, error)
        ]

    def _hear_own_errors(self) -> None:
        from tcplab.wire.raw_socket import RawSocket

        family = socket.AF_INET6 if self._asked.version == 6 else socket.AF_INET
        with self._path.inside():
            self._own_errors = RawSocket(family, cast("Permit", self._path.permit))

    def _check(self) -> None:
        try:
            self._sender.check()
        except OSError as failure:
            raise self._link.lost(failure.strerror or str(failure)) from failure

    def close(self) -> None:
        """Give everything back."""
        self._sender.close()
        self._ring.close()
        self._own.close()
        if self._own_errors is not None:
            self._own_errors.close()
        if self._recording is not None:
            self._recording.close()


def _recording(file: "Sink", interface: str, version: int) -> "Recording":
    from tcplab.wire.burst.recording import Recording  # only for who wants one

    return Recording(file, interface=interface, version=version)
