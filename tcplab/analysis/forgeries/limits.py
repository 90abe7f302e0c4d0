"""What deserved a challenge ACK and got none: Linux sends at most one in tcp_invalid_ratelimit."""

from collections.abc import Iterator
from typing import Literal

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries.forged import Forged, proof, with_word
from tcplab.analysis.wording import end
from tcplab.text import Text

_SKIPPED = "TcpExtTCPACKSkippedChallenge"
_SENT = "TcpExtTCPChallengeACK"


def rate_limited(
    conversation: Conversation, several: list[Forged], *, kind: Literal["reset", "syn"]
) -> Iterator[Finding]:
    """One finding for all of them, if the victim's kernel has counted that it kept silent."""
    if not several:
        return
    victim = several[0].victim
    skipped, sent = (conversation.counted(victim, name) for name in (_SKIPPED, _SENT))
    if skipped is None:
        return
    yield Finding(
        id=f"{kind}.rate-limited",
        verdict=Verdict.YES,
        sentence=with_word(
            Text(
                "Forged segments that deserved a challenge ACK and got none: {count}. The {host} "
                "sends at most one on a connection in tcp_invalid_ratelimit (500 ms unless it is "
                "set otherwise), so that nobody can make it talk. Its kernel counted {sent} sent "
                "(TCPChallengeACK) and {skipped} kept back (TCPACKSkippedChallenge).",
                count=len(several),
                host=end(victim),
                sent=0 if sent is None else sent.delta,
                skipped=skipped.delta,
            ),
            several,
        ),
        events=proof(several, skipped.i, *(() if sent is None else (sent.i,))),
    )
