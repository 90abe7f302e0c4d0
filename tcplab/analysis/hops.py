"""Who made a segment? Its TTL tells how far it has come.

Systems begin at a TTL of 64, 128 or 255, and each router takes one off, so the way to the next of
these numbers is the number of routers passed. The same is true of IPv6's hop limit.
"""

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import Stack, Testbed

_INITIAL = (64, 128, 255)


def hops(ttl: int) -> int:
    """How many routers a segment that arrives with this `ttl` has passed."""
    return next(initial for initial in _INITIAL if initial >= ttl) - ttl


def made_elsewhere(
    conversation: Conversation, event: SegmentEvent
) -> tuple[Text, tuple[int, ...]] | None:
    """What speaks against `event` being of the host whose address it bears, and the proving events.

    None where nothing speaks against that host.
    """
    if event.ttl is None:
        return None
    # The host's own segments tell better than the route, which knows nothing of odd hosts.
    for other in conversation.segments:
        if other.sender == event.sender and not other.segment.has(Flags.RST) and other.ttl:
            if hops(other.ttl) == hops(event.ttl):
                return None
            evidence = Text(
                "it came with {ttl_word} {ttl} (hops: {hops}), the {host}'s own {flags} with "
                "{own_ttl} (hops: {own_hops})",
                ttl_word=_ttl_word(event),
                ttl=event.ttl,
                hops=hops(event.ttl),
                host=end(event.sender),
                flags=other.segment.flags.written,
                own_ttl=other.ttl,
                own_hops=hops(other.ttl),
            )
            return _in_between(event, evidence), tuple(sorted((other.i, event.i)))
    against = _against_the_route(conversation, event, event.ttl)
    return None if against is None else (against, (event.i,))


def _against_the_route(conversation: Conversation, event: SegmentEvent, ttl: int) -> Text | None:
    testbed = conversation.timeline.testbed
    if testbed.kind != "nic" or conversation.stack(event.sender) is not Stack.REMOTE:
        return None
    if testbed.gateway is not None and hops(ttl) == 0:
        return Text(
            "The RST came with {ttl_word} {ttl}, so it passed no router: the gateway {gateway} "
            "made it, either for itself (if {ip} is one of its addresses) or for a host behind it.",
            ttl_word=_ttl_word(event),
            ttl=ttl,
            gateway=testbed.gateway,
            ip=event.segment.src.ip,
        )
    if _on_link(testbed, event) and hops(ttl) > 0:
        evidence = Text(
            "it came with {ttl_word} {ttl} (hops: {hops}), but the {host} is on the same link",
            ttl_word=_ttl_word(event),
            ttl=ttl,
            hops=hops(ttl),
            host=end(event.sender),
        )
        return _in_between(event, evidence)
    return None


def _in_between(event: SegmentEvent, evidence: Text) -> Text:
    return Text(
        "The {host} did not send this RST, a device in between did: {evidence}.",
        host=end(event.sender),
        evidence=evidence,
    )


def _on_link(testbed: Testbed, event: SegmentEvent) -> bool:
    """Is the host a neighbour? Behind a tunnel, without link header or gateway, nobody knows."""
    return testbed.gateway is None and testbed.interface != "lo" and event.link_octets > 0


def _ttl_word(event: SegmentEvent) -> Text:
    return Text("hop limit") if ":" in event.segment.src.ip else Text("TTL")
