"""A forged SYN in the middle of a connection: never believed, whatever its number.

In a synchronized state it gets a challenge ACK, to which a true peer that has lost the connection
answers with an exact RST (RFC 5961 §4.2, RFC 9293 §3.10.7.4). RFC 793 reset the connection.
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries.forged import Forged, forged, proof, third_party, with_word
from tcplab.analysis.forgeries.limits import rate_limited
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.text import Text


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One for each that was challenged, and one for those that were not for being too many."""
    limited: list[Forged] = []
    for each in forged(
        conversation,
        lambda event: event.segment.has(Flags.SYN) and third_party(conversation, event),
    ):
        if each.without_effect and each.answer is not None and each.last is not None:
            yield _challenged(each)
        elif each.without_effect:
            limited.append(each)
    yield from rate_limited(conversation, limited, kind="syn")


def _challenged(each: Forged) -> Finding:
    return Finding(
        id="syn.challenged",
        verdict=Verdict.YES,
        sentence=with_word(
            Text(
                "The SYN in the {bearer}'s name changed nothing, and would not with any number "
                "(it has {seq}; the next that the {host} expects is {expected}): in {state} a SYN "
                "only gets a challenge ACK (RFC 5961 §4.2), to which the real {bearer} would send "
                "an exact RST if it were gone.",
                bearer=end(each.bearer),
                host=end(each.victim),
                seq=int(each.event.segment.seq),
                expected=0 if each.expected is None else int(each.expected),
                state=str(each.lane.before),
            ),
            [each],
        ),
        events=proof([each]),
    )
