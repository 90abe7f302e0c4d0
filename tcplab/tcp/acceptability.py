"""Is a segment to be believed? The tests of RFC 9293 §3.10.7.4, hardened by RFC 5961.

A receiver believes what lies in its window. But a number inside a large window is soon guessed by
somebody who sees nothing of the connection. So RFC 5961 asks for more from what can kill it: a RST
must name RCV.NXT exactly, and a SYN never resets. In doubt the receiver sends a *challenge ACK*: a
true peer that has lost the connection answers that with a RST which is exact.
"""

from enum import Enum, unique

from tcplab.tcp.sequence import Seq


@unique
class Verdict(Enum):
    """What the receiver does with a segment."""

    ACCEPT = "accept"
    """Believe it and go on."""
    RESET = "reset"
    """It is a RST, and it ends the connection."""
    CHALLENGE = "challenge ACK"
    """Drop it, and answer <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>."""
    DROP = "drop"
    """Drop it in silence."""


def acceptable(*, seq: Seq, len_octets: int, rcv_nxt: Seq, rcv_wnd_octets: int) -> bool:
    """Does a segment without RST lie, at least in part, in the receive window? The four cases.

    "If an incoming segment is not acceptable, an acknowledgment should be sent in reply"
    (§3.10.7.4), so that a peer that has lost its place finds it again.
    """
    match len_octets, rcv_wnd_octets:
        case 0, 0:
            return seq == rcv_nxt
        case 0, _:
            return seq.within(rcv_nxt, rcv_wnd_octets)
        case _, 0:
            return False
        case _:
            last = seq + (len_octets - 1)
            return seq.within(rcv_nxt, rcv_wnd_octets) or last.within(rcv_nxt, rcv_wnd_octets)


def rst_verdict(*, seq: Seq, rcv_nxt: Seq, rcv_wnd_octets: int) -> Verdict:
    """For a RST in any state but SYN-SENT: exact, in the window, or outside (RFC 5961 §3.2)."""
    if seq == rcv_nxt:  # also while the window is closed
        return Verdict.RESET
    return Verdict.CHALLENGE if seq.within(rcv_nxt, rcv_wnd_octets) else Verdict.DROP


def syn_sent_rst_verdict(*, ack: Seq | None, snd_una: Seq, snd_nxt: Seq) -> Verdict:
    """For a RST in SYN-SENT: it must acknowledge our SYN (§3.10.7.3). `ack` is None without ACK."""
    if ack is not None and snd_una < ack <= snd_nxt:
        return Verdict.RESET
    return Verdict.DROP


def ack_verdict(*, ack: Seq, snd_una: Seq, snd_nxt: Seq, max_snd_wnd_octets: int) -> Verdict:
    """For the ACK field in a synchronized state (RFC 5961 §5.2).

    Believed is SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT: neither octets that were never sent,
    nor an acknowledgment older than any that can still be under way.
    """
    if ack > snd_nxt or snd_una - ack > max_snd_wnd_octets:
        return Verdict.CHALLENGE
    return Verdict.ACCEPT
