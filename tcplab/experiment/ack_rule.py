"""Asks the kernel which old ACK numbers it believes, by a segment that can do no harm.

RFC 5961 §5.2 takes those that are at most the largest window old. Linux since 6.7, and stable
kernels since December 2023, wants besides that so much was ever sent (net/ipv4/tcp_input.c,
tcp_ack, "do not accept ACK for bytes we never sent"). A version does not tell, so it is tried.
"""

from contextlib import closing

from tcplab.analysis.blind import AckRule
from tcplab.experiment.conversation import Conversation
from tcplab.kernel.counters import Counters, delta
from tcplab.tcp.flags import Flags
from tcplab.testbed.direct import DirectTestbed
from tcplab.wire.burst.flood import Flood
from tcplab.wire.burst.forging import forged
from tcplab.wire.burst.guessing import numbered

_PORT = 81
_OCTETS = 64
_QUESTIONED = ("TcpExtTCPChallengeACK", "TcpExtTCPACKSkippedChallenge")


def ack_rule(testbed: DirectTestbed) -> AckRule:
    """Which rule the server's kernel follows, tried on a connection of its own.

    That server has sent 64 octets. In the client's name comes an ACK with the right sequence number
    and nothing in it, which acknowledges less than the beginning of those. By the window it is
    merely old, and dropped without a word; else it is questioned.
    """
    with testbed.inside("server"):
        counters = Counters()
    with closing(counters), closing(Conversation(testbed, _PORT)) as conversation:
        conversation.exchange(_OCTETS)
        expected, sent = conversation.expected()
        path = testbed.path("attacker")
        template = forged(conversation.client.ip, path.destination, Flags.ACK)
        fields = numbered(
            template, conversation.client.port, _PORT, seq=expected, ack=sent - _OCTETS - 1
        )
        before = counters.read()
        with closing(Flood(path, template, lambda _first, _count: fields, frames=1)) as flood:
            flood.send()
        grown = delta(before, counters.read())
    questioned = any(name in grown for name in _QUESTIONED)
    return AckRule.SENT if questioned else AckRule.WINDOW
