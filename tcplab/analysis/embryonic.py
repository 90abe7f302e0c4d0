"""A connection that was never more than half-open: the SYN, ACK got no answer, and the server gave
it up.

Until then it is a request socket in Linux, SYN-RECEIVED in RFC 9293. Its end leaves no segment and
counts as no failure: AttemptFails and EmbryonicRsts count only those that a segment ended.
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.roles import Opening
from tcplab.analysis.wording import end, seconds, told
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CounterEvent, SegmentEvent, StateEvent

_RETRIES = "net.ipv4.tcp_synack_retries"
_TIMEOUTS = "TcpExtTCPTimeouts"


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding, if an end left SYN-RECEIVED for CLOSED of its own accord."""
    opening = conversation.opening
    if opening is None or opening.answer is None or opening.third is not None:
        return
    given_up = _given_up(conversation, opening.peer)
    if given_up is not None:
        yield _finding(conversation, opening, given_up)


def _given_up(conversation: Conversation, host: str) -> StateEvent | None:
    for event in conversation.timeline.events:
        if (
            isinstance(event, StateEvent)
            and (event.host, event.conn) == (host, conversation.conn)
            and (event.old, event.new) == (State.SYN_RECEIVED, State.CLOSED)
            and event.cause is None
            and event.source.observed
        ):
            return event
    return None


def _finding(conversation: Conversation, opening: Opening, given_up: StateEvent) -> Finding:
    answers = [
        event
        for event in conversation.segments
        if event.sender == opening.peer and event.segment.has(Flags.SYN)
    ]
    began_ns = answers[0].at_ns
    waited = seconds(given_up.at_ns - began_ns)
    if len(answers) == 1:
        began = Text(
            "The {host} waited {waited} s for the ACK in SYN-RECEIVED (observed), and did not send "
            "its SYN, ACK again. Then it removed the request socket, and told nobody: no segment "
            "says so.",
            host=end(opening.peer),
            waited=waited,
        )
    else:
        began = Text(
            "The {host} waited {waited} s for the ACK in SYN-RECEIVED (observed), and sent its "
            "SYN, ACK after {times} s. {last} s after the last one it removed the request socket, "
            "and told nobody: no segment says so.",
            host=end(opening.peer),
            waited=waited,
            times=", ".join(seconds(each.at_ns - began_ns) for each in answers),
            last=seconds(given_up.at_ns - answers[-1].at_ns),
        )
    parts = [began]
    parts += _retries(conversation, opening.peer)
    counted = _timeouts(conversation, opening.peer)
    if counted is not None:
        parts.append(Text("TCPTimeouts counted {count}.", count=counted.delta))
    return Finding(
        id="open.given-up",
        verdict=Verdict.YES,
        sentence=told(parts),
        events=_cited(answers, given_up, counted),
    )


def _retries(conversation: Conversation, host: str) -> list[Text]:
    """How often it may repeat, where the run has set that."""
    for setting in conversation.timeline.settings:
        if (setting.host, setting.name) == (host, _RETRIES):
            return [
                Text(
                    "tcp_synack_retries is {value} here, and {default} by default.",
                    value=setting.value,
                    default=setting.default or "-",
                )
            ]
    return []


def _timeouts(conversation: Conversation, host: str) -> CounterEvent | None:
    for event in conversation.timeline.events:
        if isinstance(event, CounterEvent) and (event.host, event.name) == (host, _TIMEOUTS):
            return event
    return None


def _cited(
    answers: list[SegmentEvent], given_up: StateEvent, counted: CounterEvent | None
) -> tuple[int, ...]:
    found = {given_up.i, *(each.i for each in answers)}
    if counted is not None:
        found.add(counted.i)
    return tuple(sorted(found))
