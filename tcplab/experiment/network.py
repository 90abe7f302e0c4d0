"""The wire at work: what hosts send goes through the pump to whom it is for, one frame at a time,
and each delivery is noted with what it changed.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace

from tcplab.experiment.connections import STRAY, Connections
from tcplab.experiment.notebook import ENDS, Notebook
from tcplab.testbed.host import Testbed
from tcplab.timeline.events import CallEvent, Fate, SegmentEvent
from tcplab.wire.pump import Arrival, Passage, Pump

_PATIENCE_S = 0.05
"""How long at most to wait for a frame before the ends are looked at again."""


def never() -> bool:
    """Nothing stops the wire before it is quiet."""
    return False


class Network:
    """The pump between the hosts, and what a scenario does to it."""

    def __init__(self, testbed: Testbed, connections: Connections, notebook: Notebook) -> None:
        self._testbed = testbed
        self._connections = connections
        self._notebook = notebook
        self.pump = Pump(receiver_of=self._receiver)
        self._pending: dict[int, int] = {}
        self._acted_on: dict[str, int] = {}
        self._last_ns = time.monotonic_ns()

    def _receiver(self, arrival: Arrival) -> str | None:
        """The host that the frame is for; None if nobody has that address (any more)."""
        return self.owner(arrival.frame.dst_ip, apart_from=arrival.sender)

    def owner(self, ip: str, *, apart_from: str = "") -> str | None:
        """The host that has that address. Who talks to itself plays two hosts with the same one:
        then it is not the sender, `apart_from`.
        """
        owners = [name for name, host in self._testbed.hosts.items() if host.ip == ip]
        return next((name for name in owners if name != apart_from), next(iter(owners), None))

    def quiet_ns(self) -> int:
        """For how long nothing has been on the wire."""
        return time.monotonic_ns() - self._last_ns

    def delayed_s(self) -> float:
        """How long until the next frame that a rule delays is due; infinite if there is none."""
        if self.pump.next_ns is None:
            return math.inf
        return max((self.pump.next_ns - time.monotonic_ns()) / 1e9, 0)

    # --- frames -----------------------------------------------------------------------------

    def run(self, arrived: Callable[[], bool] = never, *, patient: bool = True) -> None:
        """Let frames go on, and applications in the background, until the wire is quiet, or until
        `arrived`. Only with `patient` are frames waited for that a rule delays.
        """
        while not arrived():
            passage = self.pump.due(time.monotonic_ns())
            if passage is not None:
                self._carry(passage)
            elif self.collect(0, cause=None, actor=None) or self._progress():
                continue
            elif patient and self.pump.next_ns is not None:
                self.collect(self.delayed_s(), cause=None, actor=None)
            else:
                return

    def wait(
        self,
        arrived: Callable[[], bool],
        within_s: float,
        *,
        at_once: bool = False,
        patient: bool = True,
    ) -> bool:
        """Run the wire until `arrived`, or until the deadline is over; did it arrive?

        With `at_once` frames that are still under way then stay so, for the next step to meet;
        without `patient` only those that a rule delays do. Without time to wait (`within_s` 0) what
        is under way arrives all the same.
        """
        deadline_ns = time.monotonic_ns() + int(within_s * 1e9)

        def stop() -> bool:
            late = within_s > 0 and time.monotonic_ns() >= deadline_ns
            return late or (at_once and arrived())

        self.run(stop, patient=patient)
        while not arrived():
            left_s = (deadline_ns - time.monotonic_ns()) / 1e9
            if left_s <= 0:
                return False
            pause_s = min(left_s, _PATIENCE_S, self.delayed_s())
            self.collect(pause_s, cause=None, actor=None)
            self.run(stop, patient=patient)
        return True

    def _progress(self) -> bool:
        """Let the applications in the background do what they can; did that send anything?"""
        told = False
        for name, host in self._testbed.hosts.items():
            if not host.busy:
                continue
            before = self._notebook.refreshed()
            at_ns = self._notebook.now_ns()
            for conn, call, outcome in host.progress():
                event = CallEvent(
                    i=0,
                    at_ns=at_ns,
                    host=name,
                    name=call,
                    conn=conn,
                    result=outcome.result,
                    arguments=outcome.arguments,
                )
                self._notebook.call(event, before)
                told = True
        return self.collect(0, cause=None, actor=None) > 0 or told

    def _carry(self, passage: Passage) -> None:
        """Deliver one frame (or not, as its fate has it), and see what that changes."""
        arrival = passage.arrival
        self._last_ns = time.monotonic_ns()
        if arrival.frame.segment is None:
            self._report(arrival)
            return
        i = self._pending.pop(id(arrival), None)
        if i is None:  # a copy, or a frame of the wire's own
            i = self._sent(arrival, cause=self._acted_on.get(passage.rule or ""))
        if passage.rule is not None and passage.fate is not Fate.INJECTED:
            self._acted_on[passage.rule] = i
        before = self._notebook.refreshed()
        fate, delivered_ns = self._deliver(passage)
        rule = self._why(passage, fate)
        if rule is not None:
            self._notebook.wire(rule, i)
        self._notebook.passed(
            i,
            fate=fate,
            delivered_ns=delivered_ns,
            before=before,
            spoiled=passage.spoiled is not None,
        )
        # On a real link it is luck whether an answer is here by now: nothing is made of that.
        caused = i if self._testbed.stepped else None
        self.collect(0, cause=caused, actor=self._receiver(arrival))

    def _why(self, passage: Passage, fate: Fate) -> str | None:
        """What had that fate come: a rule, or that nobody has the address (any more)."""
        if fate is Fate.DROPPED is not passage.fate:
            return f"nobody has {passage.arrival.frame.dst_ip}"
        return None if passage.fate is Fate.INJECTED else passage.rule

    def _deliver(self, passage: Passage) -> tuple[Fate, int | None]:
        """What became of it, and when it reached its receiver."""
        if not self._testbed.stepped:
            self._testbed.deliver(passage.arrival)
            return Fate.CAPTURED, passage.arrival.at_ns - self._notebook.began_ns
        if passage.fate is Fate.DROPPED:
            if self._is_unheeded(passage):
                self._testbed.overhear(passage.arrival)
            return Fate.DROPPED, None
        at_ns = self._notebook.now_ns()
        if not self._testbed.deliver(passage.carried):
            return Fate.DROPPED, None
        return passage.fate, at_ns

    def _is_unheeded(self, passage: Passage) -> bool:
        """Has the wire carried it, and only its receiver does not take it?"""
        receiver = self._receiver(passage.arrival)
        return passage.rule in (f"cut {receiver}", f"silence {receiver}")

    def _report(self, arrival: Arrival) -> None:
        """An ICMP error goes on to whom it is for; it may end a connection there."""
        error = arrival.frame.icmp
        before = self._notebook.refreshed()
        cause = None if error is None else self._notebook.icmp(arrival, error)
        self._testbed.deliver(arrival)
        self._notebook.effects(before, cause=cause)
        self.collect(0, cause=cause, actor=self._receiver(arrival))

    def collect(self, timeout_s: float, *, cause: int | None, actor: str | None) -> int:
        """Note the frames that have come; those sent by `actor` were sent because of `cause`."""
        arrivals = self._testbed.arrivals(timeout_s)
        for arrival in arrivals:
            self._last_ns = time.monotonic_ns()
            if arrival.frame.icmp is not None:
                self._report(arrival)
                continue
            forged = self._testbed.stepped and self._is_forged(arrival)
            self._take(
                replace(arrival, injected=True) if forged else arrival,
                cause=cause if arrival.sender == actor and not forged else None,
            )
        return len(arrivals)

    def _is_forged(self, arrival: Arrival) -> bool:
        """Did it come in by another host's cable than that of the owner of its source address?

        A host may still speak under an address that it has lost, and that is nobody's now.
        """
        owner = self.owner(arrival.frame.src_ip)
        return arrival.sender != owner and (owner is not None or arrival.sender not in ENDS)

    def _take(self, arrival: Arrival, *, cause: int | None) -> None:
        self._pending[id(arrival)] = self._sent(arrival, cause=cause)
        self.pump.take(arrival, time.monotonic_ns())

    def _sent(self, arrival: Arrival, *, cause: int | None) -> int:
        segment = arrival.frame.segment
        conn = STRAY if segment is None else self._connections.of(segment)
        if conn != STRAY:
            self._notebook.begin_connection(conn)
        receiver = self._receiver(arrival) or peer(arrival.sender)
        return self._notebook.sent(arrival, conn, receiver, cause=cause)

    def inject(self, arrival: Arrival) -> None:
        """Put a frame on the wire that was made by hand."""
        self._take(arrival, cause=None)

    def event(self, arrival: Arrival) -> SegmentEvent:
        """The event of a frame that is under way."""
        return self._notebook.segment(self._pending[id(arrival)])


def peer(host: str) -> str:
    """Who is spoken to, if nobody has the address."""
    return "server" if host == "client" else "client"
