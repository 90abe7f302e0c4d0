"""What a scan took: segments, rounds, time, and how its rate changed."""

from collections.abc import Iterator

from tcplab.analysis.scanning.report import Method, PaceCause, PaceChange, Round, ScanReport
from tcplab.text import Text

_CHANGES_SHOWN = 6
_ROUNDS_SHOWN = 8
_WORTH_A_RATE = 1000  # packets
_CAUSES = {
    PaceCause.DROPS: Text("receive drops"),
    PaceCause.ERRORS: Text("send errors"),
    PaceCause.SILENCE: Text("fewer answers"),
    PaceCause.RECOVERY: Text("no more trouble"),
    PaceCause.NO_HELP: Text("slowing did not help"),
}


def traffic(report: ScanReport) -> Iterator[Text]:
    """What was sent and received, how long it took, and what went wrong on the way."""
    yield Text(
        "Sent: {sent}. Received: {received}. Rounds: {rounds}. Time: {time}.",
        sent=f"{report.sent:,}",
        received=f"{report.received:,}",
        rounds=report.rounds_begun,
        time=_time(report),
    )
    if report.controls:
        yield Text(
            "{count} of them asked ports again that had answered, to learn how much is lost.",
            count=f"{report.controls:,}",
        )
    if timing := _timing(report):
        yield Text("{count} of them only timed the round trips of open ports.", count=timing)
    if report.drops and report.doubt is None and not report.partial:
        yield Text("Receive drops: {drops}, made good by asking again.", drops=f"{report.drops:,}")
    elif report.drops:
        yield Text("Receive drops: {drops}.", drops=f"{report.drops:,}")
    if report.send_errors:
        yield Text(
            "Send errors: {errors} (probes that the kernel did not take at once).",
            errors=f"{report.send_errors:,}",
        )
    if report.census.forged:
        yield Text(
            "Ignored: {count} segments that answer no probe of this scan.",
            count=f"{report.census.forged:,}",
        )


def rounds(report: ScanReport) -> list[Text]:
    """How many were answered of those asked in each round, controls aside; nothing if one round was
    enough.
    """
    if len(report.rounds) < 2:
        return []
    return _first([_answered(each) for each in report.rounds], _ROUNDS_SHOWN)


def _answered(done: Round) -> Text:
    asked = done.probes - done.controls
    if not asked:
        return Text("only ports asked again")
    return Text("{answers} of {probes}", answers=f"{done.answers:,}", probes=f"{asked:,}")


def _timing(report: ScanReport) -> int:
    """Probes that were sent when all rounds were over, to time a round trip each."""
    if report.method is not Method.SYN or report.partial:
        return 0
    return max(0, report.sent - sum(each.probes for each in report.rounds))


def pace(report: ScanReport) -> list[Text]:
    """How the rate changed, and why; of many changes the sum."""
    if len(report.pace) <= _CHANGES_SHOWN:
        return [_change(each) for each in report.pace]
    raised = sum(each.cause is PaceCause.RECOVERY for each in report.pace)
    least = min(each.pps for each in report.pace if each.pps is not None)
    return [
        Text(
            "lowered {lowered} times, raised {raised} times, at the lowest {least}/s "
            "(each change: --json)",
            lowered=len(report.pace) - raised,
            raised=raised,
            least=f"{least:,}",
        )
    ]


def _change(change: PaceChange) -> Text:
    at, cause = _seconds(change.at_ns / 1e9), _CAUSES[change.cause]
    if change.pps is None:
        return Text("from {at} s no limit ({cause})", at=at, cause=cause)
    return Text("from {at} s {pps}/s ({cause})", at=at, pps=f"{change.pps:,}", cause=cause)


def _first(told: list[Text], most: int) -> list[Text]:
    """The first of them, and how many more there are."""
    if len(told) <= most:
        return told
    return [*told[:most], Text("and {count} more (see --json)", count=len(told) - most)]


def _time(report: ScanReport) -> Text:
    """How long the rounds took; with a rate where enough was sent to speak of one."""
    seconds = _seconds(report.seconds)
    sent = report.sent - _timing(report)
    if sent < _WORTH_A_RATE or report.seconds <= 0:
        return Text("{seconds} s", seconds=seconds)
    pps = f"{round(sent / report.seconds):,}"
    return Text("{seconds} s ({pps} packets a second)", seconds=seconds, pps=pps)


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.3f}"
    return f"{seconds:.2f}" if seconds < 100 else f"{seconds:,.0f}"
