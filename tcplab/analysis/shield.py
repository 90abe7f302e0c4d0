"""Did this machine's own kernel keep out of a crafted connection?

On a real NIC it sees the segments, too, knows nothing of the connection and would reset it, were
there no shield. An RST of the kernel's shows on the link: it leaves this machine while tcplab's own
TCP goes on, whereas tcplab's own RST leaves an end that is CLOSED (or still in SYN-SENT, answering
an old connection). The machine's counter of resets tells the rest.
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CounterEvent, SegmentEvent
from tcplab.timeline.timeline import Stack, lane

_OUT_RSTS = "TcpOutRsts"
_OWN_RST = frozenset({State.CLOSED, State.SYN_SENT, State.SYN_RECEIVED})


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding, if the client is crafted and behind a real NIC and the counter was read."""
    timeline = conversation.timeline
    if timeline.testbed.kind != "nic" or conversation.stack("client") is not Stack.CRAFTED:
        return
    counters = [
        event
        for event in timeline.events
        if isinstance(event, CounterEvent) and event.host == "client" and event.name == _OUT_RSTS
    ]
    if not counters:
        return
    foreign = [event for event in conversation.segments if _is_the_kernels(event)]
    sent = sum(event.delta for event in counters)
    verdict = Verdict.YES
    if foreign:
        verdict = Verdict.NO
        sentence = Text("This machine's own kernel reset the crafted connection.")
    elif sent == 0:
        sentence = Text(
            "This machine's kernel kept out of the crafted connection: it sent no reset ({counter} "
            "did not rise).",
            counter=_OUT_RSTS,
        )
    elif sent == _of_the_far_end_here(conversation):
        sentence = Text(
            "This machine's kernel kept out of the crafted client: what resets it sent ({counter} "
            "rose by {count}) came from the far end, which is this kernel as well.",
            count=sent,
            counter=_OUT_RSTS,
        )
    else:
        sentence = Text(
            "This machine's kernel kept out of the crafted connection; the resets that it sent "
            "meanwhile ({counter} rose by {count}) belong to others.",
            count=sent,
            counter=_OUT_RSTS,
        )
    events = tuple(sorted([event.i for event in foreign] + [event.i for event in counters]))
    yield Finding(id="open.shield", verdict=verdict, sentence=sentence, events=events)


def _of_the_far_end_here(conversation: Conversation) -> int:
    """On loopback the other end is this kernel as well, and its resets are counted with the
    rest.
    """
    if conversation.timeline.testbed.interface != "lo":
        return 0
    return sum(
        event.sender == "server" and event.segment.has(Flags.RST) for event in conversation.segments
    )


def _is_the_kernels(event: SegmentEvent) -> bool:
    own = lane(event, "client")
    return (
        event.sender == "client"
        and event.segment.has(Flags.RST)
        and own is not None
        and own.before not in _OWN_RST
    )
