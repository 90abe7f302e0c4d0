"""An endpoint in each state, and the segments that it and its peer exchange, for short tests."""

from tcplab.tcp.endpoint import Endpoint
from tcplab.tcp.flags import Flags, from_letters
from tcplab.tcp.options import MaximumSegmentSize
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import ZERO, Seq
from tcplab.tcp.states import State

A, B = Address("192.0.2.1", 40000), Address("192.0.2.2", 80)
ISS, IRS = Seq(1000), Seq(5000)
WND = 10_000
"""Both ends' windows."""
MSS = (MaximumSegmentSize(1460),)
SECOND = 1_000_000_000


def new(**options):
    """An endpoint at A whose peer is B."""
    settings = {
        "local": A,
        "remote": B,
        "isn": ISS,
        "mss_octets": 1460,
        "offer": MSS,
        "wnd_octets": WND,
    }
    return Endpoint(**settings | options)


def ours(letters, *, seq, ack=None, payload=b"", wnd=WND, options=()):
    """A segment from A to B; numbers are relative to the ISNs."""
    return _segment(A, B, letters, ISS + seq, ack and IRS + ack, payload, wnd, options)


def theirs(letters, *, seq, ack=None, payload=b"", wnd=WND, options=()):
    """A segment from B to A; numbers are relative to the ISNs."""
    return _segment(B, A, letters, IRS + seq, ack and ISS + ack, payload, wnd, options)


def reset(*, seq, ack=None):
    """A RST from A that answers a segment (RFC 9293 §3.5.2): absolute numbers, no window."""
    flags = Flags.RST if ack is None else Flags.RST | Flags.ACK
    return Segment(src=A, dst=B, seq=seq, ack=ack or ZERO, flags=flags)


def _segment(src, dst, letters, seq, ack, payload, wnd, options):
    return Segment(
        src=src,
        dst=dst,
        seq=seq,
        ack=ZERO if ack is None else ack,
        flags=from_letters(letters),
        payload=payload,
        wnd_octets=wnd,
        options=options,
    )


def answers(endpoint, segment, now_ns=0):
    """What the endpoint sends because `segment` has come."""
    endpoint.receive(segment, now_ns)
    return endpoint.take()


SYN = theirs("S", seq=0, options=MSS)
SYN_ACK = theirs("SA", seq=0, ack=1, options=MSS)
ACK_OF_SYN = theirs("A", seq=1, ack=1)
FIN = theirs("FA", seq=1, ack=1)
ACK_OF_FIN = theirs("A", seq=1, ack=2)


def _open(endpoint):
    endpoint.open(0)


def _listen(endpoint):
    endpoint.listen()


def _shutdown(endpoint):
    endpoint.shutdown(0)


WAYS = {
    State.CLOSED: (),
    State.LISTEN: (_listen,),
    State.SYN_SENT: (_open,),
    State.SYN_RECEIVED: (_listen, SYN),
    State.ESTABLISHED: (_open, SYN_ACK),
    State.FIN_WAIT_1: (_open, SYN_ACK, _shutdown),
    State.FIN_WAIT_2: (_open, SYN_ACK, _shutdown, ACK_OF_FIN),
    State.CLOSE_WAIT: (_open, SYN_ACK, FIN),
    State.CLOSING: (_open, SYN_ACK, _shutdown, FIN),
    State.LAST_ACK: (_open, SYN_ACK, FIN, _shutdown),
    State.TIME_WAIT: (_open, SYN_ACK, _shutdown, ACK_OF_FIN, theirs("FA", seq=1, ack=2)),
}
"""What has to happen to an endpoint to bring it to a state, at time 0."""


def in_state(state, **options):
    """An endpoint in `state`. After the handshake our next number is 1 (2 with a FIN), as is
    theirs.
    """
    endpoint = new(**options)
    for act in WAYS[state]:
        if isinstance(act, Segment):
            endpoint.receive(act, 0)
        else:
            act(endpoint)
    assert endpoint.state is state
    endpoint.take()
    return endpoint


def opened_at_once(**options):
    """An endpoint in SYN-RECEIVED after a simultaneous open."""
    endpoint = in_state(State.SYN_SENT, **options)
    endpoint.receive(SYN, 0)
    endpoint.take()
    return endpoint
