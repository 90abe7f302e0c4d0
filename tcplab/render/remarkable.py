"""Which of a kernel's remarks are worth a row of their own, and what of them."""

from collections.abc import Mapping
from dataclasses import replace

from tcplab.timeline.events import CounterEvent, ReasonEvent, SampleEvent

_TELLING = (
    *("TcpOutRsts", "TcpEstabResets", "TcpAttemptFails", "TcpRetransSegs"),
    *("TcpInErrs", "TcpInCsumErrors"),
    *("TcpExtTCPTimeouts", "TcpExtTCPSpuriousRTOs", "TcpExtTCPFastRetrans"),
    *("TcpExtTCPLossProbes", "TcpExtTCPLossProbeRecovery"),
    *("TcpExtTCPAbortOnTimeout", "TcpExtTCPAbortOnData", "TcpExtTCPAbortOnClose"),
    *("TcpExtTCPAbortOnLinger", "TcpExtTCPAbortOnMemory", "TcpExtTCPAbortFailed"),
    *("TcpExtTCPChallengeACK", "TcpExtTCPSYNChallenge", "TcpExtTCPACKSkippedChallenge"),
    *("TcpExtListenOverflows", "TcpExtListenDrops", "TcpExtTCPDeferAcceptDrop"),
    *("TcpExtTCPReqQFullDrop", "TcpExtTCPReqQFullDoCookies", "TcpExtTCPBacklogDrop"),
    *("TcpExtSyncookiesSent", "TcpExtSyncookiesRecv", "TcpExtSyncookiesFailed"),
    *("TcpExtTCPToZeroWindowAdv", "TcpExtTCPFromZeroWindowAdv", "TcpExtTCPZeroWindowDrop"),
    *("TcpExtTCPWinProbe", "TcpExtTCPKeepAlive"),
    *("TcpExtPAWSActive", "TcpExtPAWSEstab", "TcpExtPAWSOldAck", "TcpExtPAWSTimewait"),
    *("TcpExtBeyondWindow", "TcpExtEmbryonicRsts"),
    *("TcpExtTCPSACKReorder", "TcpExtTCPRenoReorder", "TcpExtTCPTSReorder"),
    *("TcpExtTCPOFOQueue", "TcpExtTCPOFODrop", "TcpExtTCPRcvQDrop"),
    *("TcpExtTCPDSACKOldSent", "TcpExtTCPDSACKOfoSent", "TcpExtTCPDSACKRecv"),
    *("TcpExtTWRecycled", "TcpExtTWKilled", "TcpExtTCPTimeWaitOverflow"),
)
"""The counters that tell what the segments may not show, the most telling ones first. Others count
every segment, or tell once more what one of these does.
"""
_RANK = {name: rank for rank, name in enumerate(_TELLING)}
_RTO_MIN_US = 200_000
_FAR = 4
"""RTTVAR falls more slowly than what tcp_info tells of it: only far above is it none of its."""
_TIMER = ("timer", "expires_ms")
_BACKED_OFF, _OPEN = ("rto", "backoff"), ("snd_cwnd",)
"""What helps with a retransmission: how long the next one has to wait, if a time-out brought it; or
else how much may be sent at once.
"""


def tells_more(event: CounterEvent | SampleEvent | ReasonEvent, *, verbose: bool = False) -> bool:
    """Is it worth a row? What was noted at the end of every run is, only if it is remarkable.

    Linux frees some segments that it has used as if it dropped them, and gives no reason.
    """
    if isinstance(event, ReasonEvent):
        return event.word != "NOT_SPECIFIED"
    if isinstance(event, SampleEvent):
        return _says_more(event, verbose=verbose)
    if event.cause is not None or verbose:
        return event.delta != 0
    return event.delta != 0 and event.name in _RANK


def _says_more(event: SampleEvent, *, verbose: bool) -> bool:
    """Who answers from a listener (a SYN cookie) has no timer that could have sent anything again:
    its 0 retransmissions beside a repeated SYN, ACK would be a riddle.
    """
    fields = dict(event.fields)
    if event.cause is not None:
        return fields != {"retransmits": 0}
    return verbose or ("expires_ms" in fields and not _unhurried(fields))


def _unhurried(fields: Mapping[str, int | str]) -> bool:
    """Is the retransmission timer that slow because the route's rto_min says so? A testbed sets
    that, lest anything be sent again by chance, and it tells nothing of the connection.

    Unless backed off, RTO is SRTT + max(rto_min, 4 RTTVAR), and rto_min 200 ms by default.
    """
    rto, rtt, rttvar = (fields.get(name) for name in ("rto", "rtt", "rttvar"))
    if not (isinstance(rto, int) and isinstance(rtt, int) and isinstance(rttvar, int)):
        return False
    if fields.get("timer") != "retransmit" or fields.get("backoff"):
        return False
    return rto - rtt > _FAR * max(_RTO_MIN_US, 4 * rttvar)


def rank(event: CounterEvent) -> tuple[int, str]:
    """Where a counter stands among those of its row."""
    return _RANK.get(event.name, len(_RANK)), event.name


def shortened(event: SampleEvent) -> SampleEvent:
    """The sample with those of its numbers that help; with all, where none of these is known."""
    fields = dict(event.fields)
    wanted = _TIMER if event.cause is None else _BACKED_OFF if fields.get("backoff") else _OPEN
    kept = tuple((name, value) for name, value in event.fields if name in wanted)
    return replace(event, fields=kept or event.fields)
