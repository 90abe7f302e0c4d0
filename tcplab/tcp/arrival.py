"""SEGMENT ARRIVES (RFC 9293 §3.10.7): what an end makes of a segment, check by check."""

from dataclasses import replace

from tcplab.tcp.acceptability import (
    Verdict,
    acceptable,
    ack_verdict,
    rst_verdict,
    syn_sent_rst_verdict,
)
from tcplab.tcp.automaton import Event
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.states import State
from tcplab.tcp.tcb import Tcb

_RECEIVING = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})
_FIN_SENT = frozenset({State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK})
_ENDING = frozenset({State.CLOSING, State.LAST_ACK, State.TIME_WAIT})
_THIRD_DUPLICATE = 3


def arrives(tcb: Tcb, segment: Segment, now_ns: int) -> None:
    """Let `segment` act on the connection. Its replies join `tcb.outgoing`."""
    match tcb.state:
        case State.CLOSED:
            tcb.refuse(segment)  # §3.10.7.1
        case State.LISTEN:
            _in_listen(tcb, segment, now_ns)
        case State.SYN_SENT:
            _in_syn_sent(tcb, segment, now_ns)
        case _:
            _otherwise(tcb, segment, now_ns)


def _in_listen(tcb: Tcb, segment: Segment, now_ns: int) -> None:
    """§3.10.7.2."""
    if segment.has(Flags.RST):
        return
    if segment.has(Flags.ACK):
        tcb.refuse(segment)
    elif segment.has(Flags.SYN):
        tcb.remote = segment.src
        tcb.hear_syn(segment)  # its data, if any, is not acknowledged: it will come again
        tcb.move(Event.RCV_SYN)
        tcb.send_syn(now_ns)


def _in_syn_sent(tcb: Tcb, segment: Segment, now_ns: int) -> None:
    """§3.10.7.3."""
    sending = tcb.sending
    ack = segment.ack if segment.has(Flags.ACK) else None
    if segment.has(Flags.RST):
        verdict = syn_sent_rst_verdict(ack=ack, snd_una=sending.una, snd_nxt=sending.nxt)
        if verdict is Verdict.RESET:
            tcb.fail(Event.RCV_RST, "ECONNREFUSED")
        return
    if ack is not None and not sending.iss < ack <= sending.nxt:
        tcb.refuse(segment)  # the peer remembers an older connection; the RST makes it forget
        return
    if not segment.has(Flags.SYN):
        return
    tcb.hear_syn(segment)
    if ack is None:
        tcb.move(Event.RCV_SYN)  # both ends open at once
        tcb.send_syn(now_ns)
        return
    sending.acknowledge(ack)
    tcb.move(Event.RCV_SYN_ACK)
    tcb.synchronized(now_ns)
    _text(tcb, _without_syn(segment), now_ns)
    _reply(tcb, segment, now_ns)


def _otherwise(tcb: Tcb, segment: Segment, now_ns: int) -> None:
    """§3.10.7.4."""
    if segment.has(Flags.RST):
        _rst(tcb, segment, now_ns)
        return
    if tcb.state is State.SYN_RECEIVED and _repeats_syn(tcb, segment):
        if not segment.has(Flags.ACK):
            tcb.repeat_syn(now_ns)  # ours was lost, it seems; Linux does the same (`tcp_check_req`)
            return
        segment = _without_syn(segment)  # simultaneous open: its ACK is news (§3.5, figure 7)
    if not _in_window(tcb, segment, now_ns):
        if segment.has(Flags.SYN) or not _at_closed_window(tcb, segment):
            return
        segment = _without_text(segment)  # "special allowance should be made to accept valid ACKs"
    if segment.has(Flags.SYN):
        _syn(tcb, now_ns)
    elif segment.has(Flags.ACK) and _ack(tcb, segment, now_ns):
        _text(tcb, segment, now_ns)
        _reply(tcb, segment, now_ns)


def _repeats_syn(tcb: Tcb, segment: Segment) -> bool:
    return segment.has(Flags.SYN) and segment.seq == tcb.receiving.irs


def _at_closed_window(tcb: Tcb, segment: Segment) -> bool:
    return tcb.receiving.wnd_octets == 0 and segment.seq == tcb.receiving.nxt


def _without_syn(segment: Segment) -> Segment:
    return replace(segment, seq=segment.seq + 1, flags=segment.flags & ~Flags.SYN)


def _without_text(segment: Segment) -> Segment:
    return replace(segment, payload=b"", flags=segment.flags & ~Flags.FIN)


def _rst(tcb: Tcb, segment: Segment, now_ns: int) -> None:
    receiving = tcb.receiving
    verdict = rst_verdict(
        seq=segment.seq, rcv_nxt=receiving.nxt, rcv_wnd_octets=receiving.wnd_octets
    )
    if verdict is Verdict.CHALLENGE:
        tcb.challenge(now_ns)
    if verdict is not Verdict.RESET:
        return
    if tcb.state is State.SYN_RECEIVED and tcb.passive:
        tcb.move(Event.RCV_RST_AFTER_PASSIVE_OPEN)
    elif tcb.state is State.SYN_RECEIVED:
        tcb.fail(Event.RCV_RST, "ECONNREFUSED")
    elif tcb.state in _ENDING:
        tcb.move(Event.RCV_RST)  # both users were done: nobody to tell
    else:
        tcb.fail(Event.RCV_RST, "ECONNRESET")


def _in_window(tcb: Tcb, segment: Segment, now_ns: int) -> bool:
    """First check: the sequence number. What fails it is answered here."""
    receiving = tcb.receiving
    if acceptable(
        seq=segment.seq,
        len_octets=segment.len_octets,
        rcv_nxt=receiving.nxt,
        rcv_wnd_octets=receiving.wnd_octets,
    ):
        return True
    if tcb.state is State.TIME_WAIT and segment.has(Flags.FIN):
        tcb.linger(now_ns)  # our last ACK was lost
    if segment.has(Flags.SYN) or not segment.len_octets:
        tcb.challenge(now_ns)
    else:
        tcb.acknowledge()  # a peer that repeats data needs every one of these
    return False


def _syn(tcb: Tcb, now_ns: int) -> None:
    """Fourth check: a SYN in the window."""
    if tcb.state is State.SYN_RECEIVED and tcb.passive:
        tcb.move(Event.RCV_SYN)
    else:
        tcb.challenge(now_ns)  # in TIME-WAIT too: a new connection is another end's affair


def _ack(tcb: Tcb, segment: Segment, now_ns: int) -> bool:
    """Fifth check: the ACK field. Is there a reason to read on?"""
    sending = tcb.sending
    if tcb.state is State.SYN_RECEIVED:
        return _ack_of_syn(tcb, segment, now_ns)
    verdict = ack_verdict(
        ack=segment.ack,
        snd_una=sending.una,
        snd_nxt=sending.nxt,
        max_snd_wnd_octets=sending.max_wnd_octets,
    )
    if verdict is not Verdict.ACCEPT:
        tcb.challenge(now_ns)
        return False
    wnd_octets = segment.wnd_octets << sending.shift
    if sending.acknowledge(segment.ack):
        tcb.acknowledged(now_ns)
    elif _is_duplicate(tcb, segment, wnd_octets):
        sending.duplicate_acks += 1
        if sending.duplicate_acks == _THIRD_DUPLICATE:
            tcb.send_again(now_ns)  # fast retransmit (RFC 5681 §3.2)
    sending.update_window(segment.seq, segment.ack, wnd_octets)
    if sending.wnd_octets == 0:
        tcb.timer.tries = 1  # a peer that is full, but answers, is alive (§3.8.6.1, MUST-37)
    if tcb.state in _FIN_SENT and sending.fin_acknowledged:
        tcb.move(Event.RCV_ACK_OF_FIN)
        if tcb.state is State.TIME_WAIT:
            tcb.linger(now_ns)
    return tcb.state is not State.CLOSED


def _ack_of_syn(tcb: Tcb, segment: Segment, now_ns: int) -> bool:
    sending = tcb.sending
    if not sending.una < segment.ack <= sending.nxt:
        tcb.refuse(segment)
        return False
    sending.acknowledge(segment.ack)
    sending.set_window(segment.seq, segment.ack, segment.wnd_octets << sending.shift)
    tcb.move(Event.RCV_ACK_OF_SYN)
    tcb.synchronized(now_ns)
    return True


def _is_duplicate(tcb: Tcb, segment: Segment, wnd_octets: int) -> bool:
    """A duplicate ACK in the sense of RFC 5681 §2."""
    return (
        tcb.sending.flight_octets > 0
        and segment.ack == tcb.sending.una
        and segment.len_octets == 0
        and wnd_octets == tcb.sending.wnd_octets
    )


def _text(tcb: Tcb, segment: Segment, now_ns: int) -> None:
    """Seventh and eighth: the octets, then the FIN."""
    receiving = tcb.receiving
    if tcb.state not in _RECEIVING:
        return  # the peer has sent its FIN: there can be nothing after it
    if tcb.deaf and segment.seq + segment.data_octets > receiving.nxt:
        tcb.refuse(segment)  # nobody will read it, and the peer must know (§3.6.1, RFC 2525 §2.17)
        tcb.move(Event.ABORT)
        return
    receiving.take_in(segment.seq, segment.payload, fin=segment.has(Flags.FIN))
    if receiving.fin:
        tcb.move(Event.RCV_FIN)
        if tcb.state is State.TIME_WAIT:
            tcb.linger(now_ns)


def _reply(tcb: Tcb, segment: Segment, now_ns: int) -> None:
    """Send what may be sent now; whatever took up numbers is acknowledged at once."""
    if tcb.state is State.CLOSED:
        return
    if not tcb.transmit(now_ns) and segment.len_octets:
        tcb.acknowledge()
