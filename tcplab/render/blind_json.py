"""An attack from off the path, for machines: `tcplab.blind/1`."""

from typing import Any

from tcplab import __version__
from tcplab.analysis.blind import BlindReport, Effort, needs


def document(report: BlindReport, *, command: tuple[str, ...], ports: int) -> dict[str, Any]:
    """One JSON object. `needs` is the arithmetic with the client's port known, and with it one of
    `ports`; null where no number of frames will do.
    """
    return {
        "schema": "tcplab.blind/1",
        "tcplab": __version__,
        "command": list(command),
        "testbed": {"kind": "direct", "kernel": report.kernel, "rootless": report.rootless},
        "with": report.settings.weapon.value,
        "version": report.settings.version,
        "window": report.window,
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
    found = needs(
        report.settings.weapon, window=report.window, ack_window=report.ack_window, ports=ports
    )
    return {
        "before_rfc_5961": _effort(found.before, report),
        "after_rfc_5961": None if found.after is None else _effort(found.after, report),
    }


def _effort(effort: Effort, report: BlindReport) -> dict[str, Any]:
    return {"frames": effort.frames, "chance": effort.chance(report.sent)}
