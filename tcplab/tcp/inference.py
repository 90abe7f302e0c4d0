"""What can be told about one end of a connection from the segments that it sends and gets.

The same checks as in `arrival`, on what a bystander knows: numbers as far as they were seen,
windows as far as they were announced.
"""

from dataclasses import dataclass

from tcplab.tcp.acceptability import (
    Verdict,
    acceptable,
    ack_verdict,
    rst_verdict,
    syn_sent_rst_verdict,
)
from tcplab.tcp.automaton import Event, after
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import WindowScale
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State

_UNKNOWN_SHIFT = 14  # its SYN was not seen: believe the largest window
_UNKNOWN_WINDOW_OCTETS = 0xFFFF  # it has announced none yet
_MAY_CLOSE = frozenset({State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT})
_RECEIVING = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})
_FIN_SENT = frozenset({State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK})


@dataclass(slots=True)
class InferredEnd:
    """One end as a bystander knows it. None is what was not seen.

    `fin` is the number of its FIN, `edge` the number after the window that it has announced,
    `shift` its window scale (None: its SYN offered none), `max_wnd_octets` its largest window.
    """

    state: State = State.CLOSED
    isn: Seq | None = None
    snd_una: Seq | None = None
    snd_nxt: Seq | None = None
    rcv_nxt: Seq | None = None
    fin: Seq | None = None
    edge: Seq | None = None
    shift: int | None = _UNKNOWN_SHIFT
    passive: bool = False
    max_wnd_octets: int = 0xFFFF << _UNKNOWN_SHIFT
    _syn_wnd_octets: int = _UNKNOWN_WINDOW_OCTETS

    @property
    def unknown(self) -> bool:
        """Is there nothing to go by yet?"""
        return self.state is State.CLOSED and self.snd_nxt is None

    def move(self, event: Event) -> None:
        """Follow the automaton."""
        self.state = after(self.state, event)

    def _forget(self) -> None:
        """Another connection begins between the same addresses."""
        self.isn = self.snd_una = self.snd_nxt = self.rcv_nxt = self.fin = self.edge = None
        self.shift = _UNKNOWN_SHIFT
        self.passive = False

    def _give_up(self) -> None:
        """Whatever it was, it is no more: it has timed out unseen, or crashed."""
        if self.state is not State.CLOSED:
            self.move(Event.ABORT)

    def establish(self) -> None:
        """It is in the middle of a connection whose beginning nobody saw."""
        for event in (Event.PASSIVE_OPEN, Event.RCV_SYN, Event.RCV_ACK_OF_SYN):
            self.move(event)

    def addressed(self, segment: Segment) -> None:
        """The first segment ever seen was sent to this end: what must it have been doing?"""
        if segment.flags & (Flags.ACK | Flags.RST) != Flags.ACK:
            return
        if segment.has(Flags.SYN):
            self.move(Event.ACTIVE_OPEN)
            self.isn = self.snd_una = segment.ack + -1
            self.snd_nxt = segment.ack
        else:
            self.establish()

    # ── what it sends ───────────────────────────────────────────────────────────────────────

    def sends(self, segment: Segment, peer: "InferredEnd") -> None:
        """`segment` has left this end."""
        if segment.has(Flags.RST):
            self._sends_rst(segment)
            return
        if not segment.flags & (Flags.SYN | Flags.ACK):
            return  # no state sends that, and whoever gets it drops it (§3.10.7.4, fifth)
        if segment.has(Flags.SYN):
            self._sends_syn(segment)
        elif self.state is State.SYN_SENT:
            self.move(Event.RCV_SYN_ACK)  # else it would not send this: an arrival was missed
        elif self.unknown:
            self.establish()
        self.snd_nxt = _later(self.snd_nxt, segment.next_seq)
        if segment.has(Flags.ACK):
            self._announces(segment, peer)
        if segment.has(Flags.FIN) and self.state in _MAY_CLOSE:
            self.fin = segment.next_seq + -1
            self.move(Event.CLOSE)

    def _sends_rst(self, segment: Segment) -> None:
        """An ABORT, unless it only turns away what belongs to no connection (§3.5.2)."""
        opening = self.state in (State.SYN_SENT, State.SYN_RECEIVED)
        if self.state.synchronized or (opening and segment.seq == self.snd_nxt):
            self.move(Event.ABORT)

    def _sends_syn(self, segment: Segment) -> None:
        if segment.seq != self.isn:
            self._begins(segment)
        elif segment.has(Flags.ACK) and self.state is State.SYN_SENT:
            self.move(Event.RCV_SYN)
        scales = [each.effective for each in segment.options if isinstance(each, WindowScale)]
        self.shift = scales[0] if scales else None
        self._syn_wnd_octets = self.max_wnd_octets = segment.wnd_octets

    def _begins(self, syn: Segment) -> None:
        """The first SYN of a connection, or of the next one between the same addresses."""
        if self.state is State.SYN_RECEIVED and self.isn is None:
            pass  # its first SYN,ACK, after the SYN was seen to arrive
        elif syn.has(Flags.ACK):
            if self.state not in (State.LISTEN, State.TIME_WAIT):
                self._give_up()
                self.move(Event.PASSIVE_OPEN)
            self._forget()
            self.move(Event.RCV_SYN)
            self.passive = True
        else:
            if self.state is not State.LISTEN:
                self._give_up()
            self._forget()
            self.move(Event.ACTIVE_OPEN)
        self.isn = self.snd_una = syn.seq

    def _announces(self, segment: Segment, peer: "InferredEnd") -> None:
        """What its ACK says of itself: how far it has received, and its window."""
        self.rcv_nxt = _later(self.rcv_nxt, segment.ack)
        wnd_octets = segment.wnd_octets
        if not segment.has(Flags.SYN) and self.shift is not None and peer.shift is not None:
            wnd_octets <<= self.shift
        self.edge = _later(self.edge, segment.ack + wnd_octets)
        self.max_wnd_octets = max(self.max_wnd_octets, wnd_octets)
        self._takes_fin(peer)

    # ── what it gets ────────────────────────────────────────────────────────────────────────

    def gets(self, segment: Segment, peer: "InferredEnd") -> None:
        """`segment` has reached this end."""
        match self.state:
            case State.CLOSED:
                pass
            case State.LISTEN:
                self._gets_in_listen(segment)
            case State.SYN_SENT:
                self._gets_in_syn_sent(segment, peer)
            case _:
                self._gets_otherwise(segment, peer)

    def _gets_in_listen(self, segment: Segment) -> None:
        if segment.flags & (Flags.SYN | Flags.ACK | Flags.RST) == Flags.SYN:
            self._forget()
            self.move(Event.RCV_SYN)
            self.passive = True
            self.rcv_nxt = segment.seq + 1

    def _gets_in_syn_sent(self, segment: Segment, peer: "InferredEnd") -> None:
        if self.isn is None or self.snd_nxt is None:
            raise RuntimeError("in SYN-SENT without having sent a SYN")
        ack = segment.ack if segment.has(Flags.ACK) else None
        if segment.has(Flags.RST):
            verdict = syn_sent_rst_verdict(ack=ack, snd_una=self.isn, snd_nxt=self.snd_nxt)
            if verdict is Verdict.RESET:
                self.move(Event.RCV_RST)
        elif segment.has(Flags.SYN) and (ack is None or self.isn < ack <= self.snd_nxt):
            self.rcv_nxt = segment.seq + 1
            self.edge = self.rcv_nxt + self._syn_wnd_octets
            if ack is None:
                self.move(Event.RCV_SYN)
            else:
                self.snd_una = ack
                self.move(Event.RCV_SYN_ACK)
                self._takes_text(segment.seq + 1, segment.next_seq, peer)

    def _gets_otherwise(self, segment: Segment, peer: "InferredEnd") -> None:
        if self.rcv_nxt is None:
            if segment.has(Flags.SYN):
                return  # of another connection than the one that nobody saw begin (RFC 5961 §4)
            self.rcv_nxt = segment.seq
        wnd_octets = self._wnd_octets(self.rcv_nxt)
        if segment.has(Flags.RST):
            self._gets_rst(segment.seq, self.rcv_nxt, wnd_octets)
            return
        seq, length, syn = segment.seq, segment.len_octets, segment.has(Flags.SYN)
        if syn and self.state is State.SYN_RECEIVED and seq + 1 == self.rcv_nxt:
            seq, length, syn = seq + 1, length - 1, False  # simultaneous open: known already
        if wnd_octets == 0 and seq == self.rcv_nxt:
            length = 0  # a closed window lets an ACK in
        if not acceptable(
            seq=seq, len_octets=length, rcv_nxt=self.rcv_nxt, rcv_wnd_octets=wnd_octets
        ):
            return
        if syn and self.state is State.SYN_RECEIVED and self.passive:
            self.move(Event.RCV_SYN)
        elif not syn and segment.has(Flags.ACK) and self._gets_ack(segment.ack, peer):
            self._takes_text(seq, seq + length, peer)

    def _wnd_octets(self, rcv_nxt: Seq) -> int:
        return _UNKNOWN_WINDOW_OCTETS if self.edge is None else max(self.edge - rcv_nxt, 0)

    def _gets_rst(self, seq: Seq, rcv_nxt: Seq, wnd_octets: int) -> None:
        verdict = rst_verdict(seq=seq, rcv_nxt=rcv_nxt, rcv_wnd_octets=wnd_octets)
        if verdict is not Verdict.RESET:
            return
        if self.state is State.SYN_RECEIVED and self.passive:
            self.move(Event.RCV_RST_AFTER_PASSIVE_OPEN)
        else:
            self.move(Event.RCV_RST)

    def _gets_ack(self, ack: Seq, peer: "InferredEnd") -> bool:
        """Take an acknowledgment, if it is one to be believed."""
        una = ack + -1 if self.snd_una is None else self.snd_una
        nxt = ack if self.snd_nxt is None else self.snd_nxt
        if self.state is State.SYN_RECEIVED:
            if not una < ack <= nxt:
                return False
            self.move(Event.RCV_ACK_OF_SYN)
        else:
            limit = peer.max_wnd_octets
            verdict = ack_verdict(ack=ack, snd_una=una, snd_nxt=nxt, max_snd_wnd_octets=limit)
            if verdict is not Verdict.ACCEPT:
                return False
        self.snd_una, self.snd_nxt = max(una, ack), nxt
        if self.fin is not None and ack > self.fin and self.state in _FIN_SENT:
            self.move(Event.RCV_ACK_OF_FIN)
        return True

    def _takes_text(self, seq: Seq, end: Seq, peer: "InferredEnd") -> None:
        """Numbers `seq` … `end` have come; in order they count, as far as the window goes."""
        if self.rcv_nxt is not None and self.state in _RECEIVING and seq <= self.rcv_nxt < end:
            self.rcv_nxt = end if self.edge is None else min(end, max(self.edge, self.rcv_nxt))
            self._takes_fin(peer)

    def _takes_fin(self, peer: "InferredEnd") -> None:
        """Has it all of what the peer sent, the FIN included?"""
        past = self.rcv_nxt is not None and peer.fin is not None and self.rcv_nxt > peer.fin
        if past and self.state in _RECEIVING:
            self.move(Event.RCV_FIN)


def _later(known: Seq | None, new: Seq) -> Seq:
    return new if known is None else max(known, new)
