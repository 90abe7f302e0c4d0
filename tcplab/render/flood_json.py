"""A SYN flood for machines: `tcplab.flood/1` (docs/half-open.md has what each key means)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tcplab import __version__
from tcplab.analysis.flooding.report import FloodLook, FloodReport
from tcplab.text import Say

if TYPE_CHECKING:
    from tcplab.timeline.encoding import Json


def document(reports: Sequence[FloodReport], *, command: Sequence[str], say: Say) -> "Json":
    """One object; a row for each flood."""
    return {
        "schema": "tcplab.flood/1",
        "tcplab": __version__,
        "command": list(command),
        "rows": [_row(report, say) for report in reports],
    }


def _row(report: FloodReport, say: Say) -> "Json":
    settings = report.settings
    return {
        "cookies": settings.cookies.value,
        "backlog": settings.backlog,
        "max_syn_backlog": settings.max_syn_backlog,
        "rate_limit": settings.rate_limit_pps,
        "frames": settings.frames,
        "version": settings.version,
        "timestamps": settings.timestamps,
        "kernel": report.kernel,
        "rootless": report.rootless,
        "sent": report.sent,
        "drops": report.drops,
        "seconds": report.seconds,
        "served": report.served,
        "tries_served": report.tries_served,
        "served_after_ns": report.served_after_ns,
        "calm_ns": report.calm_ns,
        "tries": [{"at_ns": each.at_ns, "took_ns": each.took_ns} for each in report.tries],
        "syn_received_peak": report.syn_received_peak,
        "counters": dict(report.counters),
        "options_kept": None if report.options_kept is None else list(report.options_kept),
        "conditions": [
            {"id": each.id.value, "held": each.held, "sentence": say(each.sentence)}
            for each in report.conditions
        ],
        "looks": [_look(each) for each in report.looks],
        "partial": report.partial,
    }


def _look(look: FloodLook) -> "Json":
    return {
        "at_ns": look.at_ns,
        "sent": look.sent,
        "listen_queue": look.listen_queue,
        "syn_received": look.syn_received,
        "client_tries": look.client_tries,
        "client_served": look.client_served,
        "counters": dict(look.counters),
    }
