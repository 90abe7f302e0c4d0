"""A SYN that got two answers, RST and SYN, ACK: one TCP gives only one of them (RFC 9293 §3.10.7.1,
§3.10.7.2). So somebody in between has sent the RST in the other end's name.
"""

from typing import NamedTuple

from tcplab.analysis.conversation import Conversation
from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import ZERO
from tcplab.timeline.events import SegmentEvent


class TwoAnswers(NamedTuple):
    """Both acknowledge the same SYN."""

    reset: SegmentEvent
    answer: SegmentEvent

    @property
    def refused(self) -> bool:
        """Did the RST come first? Then the SYN, ACK found nobody any more."""
        return self.reset.i < self.answer.i


def two_answers(conversation: Conversation) -> TwoAnswers | None:
    """The two, whichever came first; None where there was one answer or none."""
    opening = conversation.opening
    if opening is None or opening.answer is None:
        return None
    answer = opening.answer
    for event in conversation.replies:
        segment = event.segment
        refuses = segment.has(Flags.RST) and segment.has(Flags.ACK)
        if not refuses or segment.ack != answer.segment.ack:
            continue
        # An abort of the connection bears its numbers, an answer to a SYN has none (§3.5.2).
        if event.i < answer.i or segment.seq == ZERO != answer.segment.next_seq:
            return TwoAnswers(event, answer)
    return None
