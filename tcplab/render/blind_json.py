"""An attack from off the path, for machines: `tcplab.blind/1`."""

from typing import Any

from tcplab import __version__
from tcplab.analysis.blind import BlindReport, Effort


def document(report: BlindReport, *, command: tuple[str, ...], ports: int) -> dict[str, Any]:
    """One JSON object. `needs` is the arithmetic with the client's port known, and with it one of
    `ports`; null where no number of frames will do. `ack_rule` and `ack_reach` (octets) are null
    where nothing is believed for its ACK number.
    """
    return {
        "schema": "tcplab.blind/1",
        "tcplab": __version__,
        "command": list(command),
        "testbed": {"kind": "direct", "kernel": report.kernel, "rootless": report.rootless},
        "with": report.settings.weapon.value,
        "version": report.settings.version,
        "window": report.window,
        "ack_rule": None if report.ack_rule is None else report.ack_rule.value,
        "ack_reach": None if report.ack_rule is None else report.ack_reach,
        "needs": {
            "port_known": _needs(report, 1),
            "port_unknown": {"ports": ports, **_needs(report, ports)},
        },
        "sent": report.sent,
        "seconds": report.seconds,
        "exchanges": report.exchanges,
        "states": {"client": str(report.client), "server": str(report.server)},
        "counters": dict(report.counters),
        "forged_octets": report.forged_octets,
        "succeeded": report.succeeded,
        "partial": report.partial,
    }


def _needs(report: BlindReport, ports: int) -> dict[str, Any]:
    found = report.needs_with(ports)
    return {
        "before_rfc_5961": _effort(found.before, report),
        "after_rfc_5961": None if found.after is None else _effort(found.after, report),
    }


def _effort(effort: Effort, report: BlindReport) -> dict[str, Any]:
    return {"frames": effort.frames, "chance": effort.chance(report.sent)}
