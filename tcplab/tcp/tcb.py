"""The transmission control block (RFC 9293 §3.3.1): all that one end remembers, and how it speaks.

What the end hears is in `arrival`; what its user may ask of it is in `endpoint`.
"""

from tcplab.tcp.automaton import Event, after
from tcplab.tcp.flags import NONE, Flags
from tcplab.tcp.options import (
    EndOfList,
    MaximumSegmentSize,
    NoOperation,
    Option,
    WindowScale,
)
from tcplab.tcp.receiving import Receiving
from tcplab.tcp.retransmission import SECOND_NS, RetransmissionTimer
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sending import Sending
from tcplab.tcp.sequence import ZERO, Seq
from tcplab.tcp.states import State

_NEXT_ISN_OCTETS = 64_000  # how far apart the ISNs of two attempts are
_LEAST_MSS_OCTETS = 48  # as Linux's tcp_min_snd_mss: no peer makes us send crumbs
_CHALLENGES = 10  # in 5 s, so that two confused ends never talk for ever (RFC 5961 §7)
_CHALLENGE_PERIOD_NS = 5 * SECOND_NS
_ALWAYS_OFFERED = MaximumSegmentSize | NoOperation | EndOfList
_MAY_SEND = frozenset(
    {
        State.ESTABLISHED,
        State.CLOSE_WAIT,
        State.FIN_WAIT_1,
        State.CLOSING,
        State.LAST_ACK,
    }
)


class Tcb:
    """One end of one connection. `outgoing` holds the segments that wait to be carried away."""

    def __init__(
        self,
        *,
        local: Address,
        remote: Address | None,
        isn: Seq,
        mss_octets: int,
        offer: tuple[Option, ...],
        wnd_octets: int,
        rto_ns: int,
        rto_min_ns: int | None,
        syn_tries: int,
        data_tries: int,
        time_wait_ns: int,
    ) -> None:
        self.local = local
        self.remote = remote
        self.state = State.CLOSED
        self.passive = False
        self.error: str | None = None
        self.soft_error: str | None = None
        self.deaf = False
        """The user has called CLOSE and will read no more."""
        self.outgoing: list[Segment] = []
        self.time_wait_until_ns: int | None = None
        self._any_remote = remote is None
        self._mss_octets = mss_octets
        self._offer = offer
        self._wnd_octets = wnd_octets
        self._rto_ns = rto_ns
        self._rto_min_ns = rto_min_ns
        self._tries = {True: syn_tries, False: data_tries}
        self._time_wait_ns = time_wait_ns
        self._challenges_ns: list[int] = []
        self._begin(isn)

    def _begin(self, isn: Seq) -> None:
        default = 1220 if ":" in self.local.ip else 536  # §3.7.1, MUST-15
        self.sending = Sending(isn, min(default, self._mss_octets))
        self.receiving = Receiving(capacity_octets=self._wnd_octets, mss_octets=self._mss_octets)
        self.timer = RetransmissionTimer(self._rto_ns, least_ns=self._rto_min_ns)
        self._syn_options = self._offer
        self._timed: tuple[Seq, int] | None = None

    # ── moving ──────────────────────────────────────────────────────────────────────────────

    def move(self, event: Event) -> None:
        """Follow the automaton, and give up what the new state has no use for."""
        before, self.state = self.state, after(self.state, event)
        if self.state is State.CLOSED:
            self.sending.forget()
            self.timer.stop()
            self.time_wait_until_ns = None
        elif self.state is State.LISTEN and before is State.SYN_RECEIVED:
            self._begin(self.sending.iss + _NEXT_ISN_OCTETS)  # never the same twice (§3.4.1)
            if self._any_remote:
                self.remote = None

    def linger(self, now_ns: int) -> None:
        """Begin to wait 2 MSL in TIME-WAIT, or begin again."""
        self.timer.stop()
        self.time_wait_until_ns = now_ns + self._time_wait_ns

    def fail(self, event: Event, error: str) -> None:
        """Be CLOSED by `event`, and tell the user why by the name of an errno."""
        self.error = error
        self.move(event)

    # ── what the SYNs agree on ──────────────────────────────────────────────────────────────

    def hear_syn(self, syn: Segment) -> None:
        """Take the peer's initial sequence number, options and window from its SYN."""
        self.receiving.synchronize(syn.seq)
        theirs = {type(option): option for option in reversed(syn.options)}
        mss = theirs.get(MaximumSegmentSize)
        if isinstance(mss, MaximumSegmentSize) and mss.octets:
            octets = max(mss.octets, _LEAST_MSS_OCTETS)
            self.sending.limit_segments_to(min(octets, self._mss_octets))
        ours = {type(option): option for option in self._offer}
        scale, our_scale = theirs.get(WindowScale), ours.get(WindowScale)
        if isinstance(scale, WindowScale) and isinstance(our_scale, WindowScale):
            self.sending.shift = scale.effective
            self.receiving.shift = our_scale.effective
        self._syn_options = tuple(
            each
            for each in self._offer
            if isinstance(each, _ALWAYS_OFFERED) or type(each) in theirs
        )
        if self._syn_options != self._offer:  # what was to be aligned is gone
            self._syn_options = tuple(
                each for each in self._syn_options if not isinstance(each, NoOperation | EndOfList)
            )
        self.sending.set_window(syn.seq, syn.ack, syn.wnd_octets)

    # ── speaking ────────────────────────────────────────────────────────────────────────────

    def send_syn(self, now_ns: int) -> None:
        """Send our SYN, with an ACK if the peer's has come; or send it again."""
        sending = self.sending
        if sending.nxt == sending.iss:
            sending.sent(1)
            self._timed = (sending.nxt, now_ns)
        sending.cursor = max(sending.cursor, sending.iss + 1)
        self.timer.start(now_ns)
        wnd_octets = self.receiving.syn_window_field()
        self._emit(Flags.SYN, seq=sending.iss, options=self._syn_options, wnd_octets=wnd_octets)

    def repeat_syn(self, now_ns: int) -> None:
        """Send our SYN again although its timer has not expired."""
        self._timed = None
        self.send_syn(now_ns)

    def synchronized(self, now_ns: int) -> None:
        """Our SYN is acknowledged: data may flow."""
        if self._timed is None:
            self.timer.distrust()
        self.acknowledged(now_ns)
        if self.sending.fin:  # the user called CLOSE with data queued: its time has come (§3.10.4)
            self.move(Event.CLOSE)

    def acknowledged(self, now_ns: int) -> None:
        """SND.UNA has moved on: measure the round trip, and wait for the next one or for none."""
        if self._timed is not None and self.sending.una >= self._timed[0]:
            self.timer.measure(now_ns - self._timed[1])
            self._timed = None
        if self.sending.pending:
            self.timer.restart(now_ns)
        else:
            self.timer.stop()

    def transmit(self, now_ns: int, *, forced: bool = False) -> bool:
        """Send what the windows allow. Was anything sent?"""
        if self.state not in _MAY_SEND:
            return False
        any_sent = False
        while (piece := self.sending.piece(forced=forced)) is not None:
            seq = self.sending.cursor
            new = self.sending.sent(piece.len_octets)
            if new and self._timed is None:
                self._timed = (self.sending.nxt, now_ns)
            flags = (Flags.PSH if piece.push else NONE) | (Flags.FIN if piece.fin else NONE)
            self._emit(flags, seq=seq, payload=piece.payload)
            any_sent = True
            forced = False
        if self.sending.pending:  # also where a closed window holds all back: it is probed then
            self.timer.start(now_ns)
        return any_sent

    def retransmit(self, now_ns: int) -> None:
        """The timer has expired: send the earliest again, or ask a closed window; or give up."""
        if self.timer.tries >= self._tries[self.sending.syn_unacknowledged]:
            self.fail(Event.USER_TIME_OUT, self.soft_error or "ETIMEDOUT")
            return
        self.timer.back_off(now_ns)
        self.send_again(now_ns)

    def send_again(self, now_ns: int) -> None:
        """Start over from SND.UNA, with as much as slow start allows."""
        self._timed = None  # nobody can tell which transmission an ACK answers (Karn)
        self.sending.go_back()
        if self.sending.syn_unacknowledged:
            self.send_syn(now_ns)
        elif not self.transmit(now_ns, forced=True):
            self._probe()

    def _probe(self) -> None:
        """Make the peer tell its window (§3.8.6.1).

        With a number that the peer has already, as Linux does (`tcp_xmit_probe_skb`): new data
        outside the window would put SND.NXT where a peer that is full too could not believe our
        ACKs.
        """
        self._emit(NONE, seq=self.sending.una + -1)

    def acknowledge(self) -> None:
        """<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>."""
        self._emit(NONE, seq=self.sending.nxt)

    def challenge(self, now_ns: int) -> None:
        """As `acknowledge`, for what may be forged or confused: not more often than is wise."""
        since_ns = now_ns - _CHALLENGE_PERIOD_NS
        self._challenges_ns = [at_ns for at_ns in self._challenges_ns if at_ns > since_ns]
        if len(self._challenges_ns) < _CHALLENGES:
            self._challenges_ns.append(now_ns)
            self.acknowledge()

    def reset_peer(self) -> None:
        """The RST of an ABORT: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK>."""
        self._emit(Flags.RST, seq=self.sending.nxt, wnd_octets=0)

    def refuse(self, segment: Segment) -> None:
        """The RST that answers a segment which belongs to no connection here (§3.5.2, group 1)."""
        if segment.has(Flags.RST):
            return
        if segment.has(Flags.ACK):
            seq, ack, flags = segment.ack, ZERO, Flags.RST
        else:
            seq, ack, flags = ZERO, segment.next_seq, Flags.RST | Flags.ACK
        self.outgoing.append(
            Segment(src=segment.dst, dst=segment.src, seq=seq, ack=ack, flags=flags)
        )

    def _emit(
        self,
        flags: Flags,
        *,
        seq: Seq,
        payload: bytes = b"",
        options: tuple[Option, ...] = (),
        wnd_octets: int | None = None,
    ) -> None:
        if self.remote is None:
            raise RuntimeError("nobody to speak to: the first SYN has not come")
        heard = self.receiving.irs is not None
        self.outgoing.append(
            Segment(
                src=self.local,
                dst=self.remote,
                seq=seq,
                ack=self.receiving.nxt if heard else ZERO,
                flags=flags | Flags.ACK if heard else flags,
                wnd_octets=self.receiving.window_field() if wnd_octets is None else wnd_octets,
                options=options,
                payload=payload,
            )
        )
