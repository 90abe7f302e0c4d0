"""What a scan does not know, although it has ended."""

from tcplab.experiment.scanning import Scan
from tcplab.text import Text


def doubt(scan: Scan, unrecorded: int) -> Text | None:
    """Why the scan proves nothing of the ports without an answer; None if it does.

    `unrecorded` packets are missing in a recording that was asked for.
    """
    rounds = scan.rounds
    if scan.lost is not None:
        return scan.lost.what
    if unrecorded:
        return Text(
            "{count} packets of this scan are not in the recording: there was no room for them.",
            count=f"{unrecorded:,}",
        )
    if scan.interrupted or rounds.certain or not scan.there:
        return None
    if rounds.fallen_silent:
        return Text(
            "The host has fallen silent: ports that had answered do not answer any more, so nobody "
            "knows what the others are."
        )
    if rounds.icmp_still_coming:
        return Text(
            "After {rounds} rounds ICMP errors were still coming, a few in each: their sender "
            "limits them, and more of the ports without an answer may be rejected.",
            rounds=len(rounds.rounds),
        )
    return Text(
        "After {rounds} rounds answers were still being lost: about {missed} may be missing.",
        rounds=len(rounds.rounds),
        missed=max(1, round(rounds.expected_missed())),
    )


def caveat(scan: Scan) -> Text | None:
    """What silence may hide although nothing is in doubt; None if nothing."""
    if not scan.there or not scan.rounds.icmp_not_awaited:
        return None
    return Text(
        "At --rate max nobody waits for ICMP errors: a host that has just sent some (Linux: six, "
        "then one a second) says nothing where it would reject. With --rate N tcplab waits."
    )
