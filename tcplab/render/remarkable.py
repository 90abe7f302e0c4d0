"""Which of a kernel's remarks are worth a row of their own, and what of them."""

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
    if event.cause is not None or verbose:
        return isinstance(event, SampleEvent) or event.delta != 0
    if isinstance(event, SampleEvent):
        return "expires_ms" in dict(event.fields)  # a timer is running
    return event.delta != 0 and event.name in _RANK


def rank(event: CounterEvent) -> tuple[int, str]:
    """Where a counter stands among those of its row."""
    return _RANK.get(event.name, len(_RANK)), event.name


def shortened(event: SampleEvent) -> SampleEvent:
    """The sample with those of its numbers that help; with all, where none of these is known."""
    fields = dict(event.fields)
    wanted = _TIMER if event.cause is None else _BACKED_OFF if fields.get("backoff") else _OPEN
    kept = tuple((name, value) for name, value in event.fields if name in wanted)
    return replace(event, fields=kept or event.fields)
