import pytest

from tcplab.tcp.acceptability import (
    Verdict,
    acceptable,
    ack_verdict,
    rst_verdict,
    syn_sent_rst_verdict,
)
from tcplab.tcp.sequence import MODULUS, Seq

NXT = Seq(MODULUS - 5)
"""RCV.NXT (or SND.UNA) just before the wrap."""


@pytest.mark.parametrize(
    ("offset", "length", "window", "inside"),
    [
        pytest.param(0, 0, 0, True, id="0 0: SEG.SEQ = RCV.NXT"),
        pytest.param(-1, 0, 0, False, id="0 0: before"),
        pytest.param(1, 0, 0, False, id="0 0: after"),
        pytest.param(0, 0, 10, True, id="0 >0: RCV.NXT =< SEG.SEQ"),
        pytest.param(9, 0, 10, True, id="0 >0: SEG.SEQ < RCV.NXT+RCV.WND, over the wrap"),
        pytest.param(10, 0, 10, False, id="0 >0: behind the window"),
        pytest.param(-1, 0, 10, False, id="0 >0: before the window"),
        pytest.param(0, 1, 0, False, id=">0 0: not acceptable"),
        pytest.param(0, 4, 10, True, id=">0 >0: begins in it"),
        pytest.param(9, 4, 10, True, id=">0 >0: begins with its last number"),
        pytest.param(-3, 4, 10, True, id=">0 >0: ends in it"),
        pytest.param(-4, 4, 10, False, id=">0 >0: ends before it"),
        pytest.param(10, 4, 10, False, id=">0 >0: begins behind it"),
    ],
)
def test_four_cases_of_segment_acceptability(offset, length, window, inside):
    """§3.10.7.4, "Segment Acceptability Tests"."""
    assert (
        acceptable(seq=NXT + offset, len_octets=length, rcv_nxt=NXT, rcv_wnd_octets=window)
        is inside
    )


@pytest.mark.parametrize(
    ("offset", "window", "verdict"),
    [
        (0, 10, Verdict.RESET),
        (0, 0, Verdict.RESET),
        (1, 10, Verdict.CHALLENGE),
        (9, 10, Verdict.CHALLENGE),
        (10, 10, Verdict.DROP),
        (-1, 10, Verdict.DROP),
        (1, 0, Verdict.DROP),
    ],
)
def test_rst_must_be_exact(offset, window, verdict):
    """RFC 5961 §3.2: exact -> reset, in the window -> challenge ACK, outside -> dropped."""
    assert rst_verdict(seq=NXT + offset, rcv_nxt=NXT, rcv_wnd_octets=window) is verdict


@pytest.mark.parametrize(
    ("ack", "verdict"),
    [
        (None, Verdict.DROP),
        (NXT, Verdict.DROP),
        (NXT + 1, Verdict.RESET),
        (NXT + 2, Verdict.DROP),
    ],
)
def test_rst_in_syn_sent_must_acknowledge_the_syn(ack, verdict):
    """§3.10.7.3, second: "If the ACK was acceptable, then signal to the user"."""
    assert syn_sent_rst_verdict(ack=ack, snd_una=NXT, snd_nxt=NXT + 1) is verdict


@pytest.mark.parametrize(
    ("offset", "verdict"),
    [
        (8, Verdict.CHALLENGE),
        (7, Verdict.ACCEPT),
        (0, Verdict.ACCEPT),
        (-100, Verdict.ACCEPT),
        (-101, Verdict.CHALLENGE),
    ],
)
def test_ack_range(offset, verdict):
    """RFC 5961 §5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT."""
    assert (
        ack_verdict(ack=NXT + offset, snd_una=NXT, snd_nxt=NXT + 7, max_snd_wnd_octets=100)
        is verdict
    )
