"""tcplab's own TCP: one end of one connection, without sockets, clocks or threads.

It takes calls (RFC 9293 §3.9.1), segments and the time, and hands out segments; whoever owns it
carries them. It can talk to any host across the Internet: it has retransmission (RFC 6298),
congestion control (RFC 5681), window scaling (RFC 7323) and the defences of RFC 5961. Where Linux
is cleverer it keeps to the text, so that a reader sees the textbook: whatever takes up numbers is
acknowledged at once, what is sent leaves at once (no Nagle), nothing is acknowledged selectively.
"""

import errno

from tcplab.tcp.arrival import arrives
from tcplab.tcp.automaton import Event
from tcplab.tcp.options import (
    EndOfList,
    MaximumSegmentSize,
    NoOperation,
    Option,
    SackPermitted,
    WindowScale,
)
from tcplab.tcp.retransmission import SECOND_NS
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.tcp.tcb import Tcb

_CAN_SEND = frozenset(
    {State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT}
)
_MAY_HEAR_MORE = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})
_MAY_OFFER = MaximumSegmentSize | WindowScale | SackPermitted | NoOperation | EndOfList


class Endpoint:
    """One end of one connection, from OPEN to CLOSED.

    A call that the state does not allow raises OSError with the errno that a socket would give.
    After a connection has failed, `error` says why: ECONNREFUSED, ECONNRESET, ETIMEDOUT, or what
    `hard_error` and `soft_error` reported.
    """

    def __init__(
        self,
        *,
        local: Address,
        remote: Address | None,
        isn: Seq,
        mss_octets: int,
        offer: tuple[Option, ...] | None = None,
        wnd_octets: int = 64240,
        rto_ns: int = SECOND_NS,
        rto_min_ns: int | None = None,
        syn_tries: int = 4,
        data_tries: int = 7,
        time_wait_ns: int = 60 * SECOND_NS,
    ) -> None:
        """`remote` None: a listening end takes whoever comes first.

        `mss_octets` is what the path carries in one segment; `offer` the options of the SYN (None:
        MSS and a window scale just large enough for `wnd_octets`). MSS and window scale are
        honoured, and SACK-permitted may be offered, since a peer's SACK blocks are advice; nothing
        else may.

        With the RTO of 1 s, 4 tries of a SYN leave at 0, 1, 3 and 7 s and are given up at 15 s (RFC
        9293 §3.8.3 asks for 3 minutes, which is more than a person waits), 7 tries of data after 2
        minutes. Once a round trip is known the RTO is never below `rto_min_ns` (None: `rto_ns`).
        """
        if offer is None:
            offer = _default_offer(mss_octets, wnd_octets)
        if not all(isinstance(option, _MAY_OFFER) for option in offer):
            raise ValueError(f"nothing here could keep the promise of {offer}")
        self._tcb = Tcb(
            local=local,
            remote=remote,
            isn=isn,
            mss_octets=mss_octets,
            offer=offer,
            wnd_octets=wnd_octets,
            rto_ns=rto_ns,
            rto_min_ns=rto_min_ns,
            syn_tries=syn_tries,
            data_tries=data_tries,
            time_wait_ns=time_wait_ns,
        )

    # ── what can be seen ────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._tcb.state

    @property
    def local(self) -> Address:
        """This end's address."""
        return self._tcb.local

    @property
    def remote(self) -> Address | None:
        """The peer's address; None while listening to anybody."""
        return self._tcb.remote

    @property
    def error(self) -> str | None:
        """Why the connection failed: the name of an errno."""
        return self._tcb.error

    @property
    def iss(self) -> Seq:
        """The initial sequence number that we chose."""
        return self._tcb.sending.iss

    @property
    def irs(self) -> Seq | None:
        """The peer's initial sequence number, once its SYN has come."""
        return self._tcb.receiving.irs

    @property
    def snd_una(self) -> Seq:
        """The oldest number that is not acknowledged."""
        return self._tcb.sending.una

    @property
    def snd_nxt(self) -> Seq:
        """The next number to be sent."""
        return self._tcb.sending.nxt

    @property
    def snd_wnd(self) -> int:
        """The peer's window, in octets."""
        return self._tcb.sending.wnd_octets

    @property
    def rcv_nxt(self) -> Seq:
        """The next number expected; 0 before the peer's SYN."""
        return self._tcb.receiving.nxt

    @property
    def unread_octets(self) -> int:
        """How much `read` could return now."""
        return self._tcb.receiving.unread_octets

    @property
    def eof(self) -> bool:
        """Has the peer's FIN come, and all before it been read?"""
        return self._tcb.receiving.fin and not self.unread_octets

    @property
    def next_timer_ns(self) -> int | None:
        """When `tick` will next have something to do."""
        timers = (self._tcb.timer.deadline_ns, self._tcb.time_wait_until_ns)
        return min((at_ns for at_ns in timers if at_ns is not None), default=None)

    # ── what its user may ask ───────────────────────────────────────────────────────────────

    def listen(self) -> None:
        """Passive OPEN (§3.10.1)."""
        if self.state is not State.CLOSED or self._used:
            raise _refused(errno.EINVAL)
        self._tcb.passive = True
        self._tcb.move(Event.PASSIVE_OPEN)

    def open(self, now_ns: int) -> None:
        """Active OPEN (§3.10.1); of a listening end too, if it knows its peer."""
        if self.state not in (State.CLOSED, State.LISTEN) or self._used:
            raise _refused(errno.EISCONN)
        self._open(Event.ACTIVE_OPEN, now_ns)

    @property
    def _used(self) -> bool:
        return self.snd_nxt != self.iss

    def _open(self, event: Event, now_ns: int) -> None:
        if self.remote is None:
            raise _refused(errno.EDESTADDRREQ)
        self._tcb.passive = False
        self._tcb.move(event)
        self._tcb.send_syn(now_ns)

    def send(self, data: bytes, now_ns: int) -> None:
        """SEND (§3.10.2): all of `data` is queued, and sent as soon as the windows allow."""
        if self.state not in _CAN_SEND or self._tcb.sending.fin:
            raise _refused(errno.EPIPE if self._used else errno.ENOTCONN)
        if self.state is State.LISTEN:
            self._open(Event.SEND, now_ns)
        self._tcb.sending.enqueue(data)
        self._tcb.transmit(now_ns)

    def read(self, octets: int) -> bytes:
        """RECEIVE (§3.10.3): at most so much of what is there; b"" for nothing (see `eof`,
        `error`).
        """
        data = self._tcb.receiving.read(octets)
        if data and self._tcb.receiving.update_due and self.state in _MAY_HEAR_MORE:
            self._tcb.acknowledge()
        return data

    def shutdown(self, now_ns: int) -> None:
        """CLOSE (§3.10.4): nothing more to send, still willing to read. Doing it twice is fine."""
        if self.state is State.CLOSED:
            raise _refused(errno.ENOTCONN)
        self._close(now_ns)

    def close(self, now_ns: int) -> None:
        """Done with both directions. Closing twice, or what was never open, is fine.

        Whoever closes without having read everything aborts instead, as RFC 2525 §2.17 wants and
        Linux does: the peer must learn that its data was lost.
        """
        if self.unread_octets and self.state.reset_by_abort:
            self.abort(now_ns)
            return
        self._tcb.deaf = True
        self._close(now_ns)

    def _close(self, now_ns: int) -> None:
        if self.state in (State.LISTEN, State.SYN_SENT):
            self._tcb.move(Event.CLOSE)
        elif self.state in _CAN_SEND and not self._tcb.sending.fin:
            queued = self.state is State.SYN_RECEIVED and self._tcb.sending.holds_data
            self._tcb.sending.fin = True
            if not queued:  # else the FIN waits for ESTABLISHED, behind the data
                self._tcb.move(Event.CLOSE)
                self._tcb.transmit(now_ns)

    def abort(self, now_ns: int) -> None:
        """ABORT (§3.10.5): a RST if the peer may still hold the connection, and CLOSED."""
        if self.state is State.CLOSED:
            return
        if self.state.reset_by_abort:
            self._tcb.reset_peer()
        self._tcb.move(Event.ABORT)

    # ── what happens to it ──────────────────────────────────────────────────────────────────

    def receive(self, segment: Segment, now_ns: int) -> None:
        """A segment has arrived (§3.10.7).

        Ignored is what is not of this connection, is damaged, or was not captured whole.
        """
        ours = segment.dst == self.local and self.remote in (None, segment.src)
        if ours and segment.checksum_ok is not False and not segment.missing_octets:
            arrives(self._tcb, segment, now_ns)

    def tick(self, now_ns: int) -> None:
        """Do what timers are due (§3.10.8)."""
        lingers_until_ns = self._tcb.time_wait_until_ns
        if lingers_until_ns is not None and lingers_until_ns <= now_ns:
            self._tcb.move(Event.TIME_OUT_2MSL)
        elif self._tcb.timer.due(now_ns):
            self._tcb.retransmit(now_ns)

    def soft_error(self, name: str) -> None:
        """The network reports trouble that may pass: the reason, should it time out (§3.9.2.2)."""
        if self.state is not State.CLOSED:
            self._tcb.soft_error = name

    def hard_error(self, name: str) -> None:
        """The network reports that there is no way.

        That ends an attempt to open. A connection that exists only takes note: such a report is too
        easily forged (RFC 5927 §5.2), and Linux does the same.
        """
        if self.state is State.SYN_SENT:
            self._tcb.fail(Event.ABORT, name)
        else:
            self.soft_error(name)

    def take(self) -> list[Segment]:
        """The segments to transmit now, oldest first; each is handed out once."""
        outgoing, self._tcb.outgoing = self._tcb.outgoing, []
        return outgoing


def _default_offer(mss_octets: int, wnd_octets: int) -> tuple[Option, ...]:
    shift = max(wnd_octets.bit_length() - 16, 0)
    return (MaximumSegmentSize(mss_octets), NoOperation(), WindowScale(shift))


def _refused(number: int) -> OSError:
    return OSError(number, errno.errorcode[number])
