"""A run for machines: the one JSON object that `--json` prints (`tcplab.timeline/1`)."""

from collections.abc import Sequence

from tcplab.analysis.finding import Finding
from tcplab.render.harmless import harmless
from tcplab.text import Say
from tcplab.timeline import encoding
from tcplab.timeline.relative import isns
from tcplab.timeline.timeline import Timeline


def document(timeline: Timeline, findings: Sequence[Finding], say: Say) -> encoding.Json:
    """The whole run as one JSON object; `say` chooses the language of the sentences."""
    origins = isns(timeline)
    return encoding.header(timeline) | {
        "events": [encoding.event(event, origins) for event in timeline.events],
        "findings": [_finding(finding, say) for finding in findings],
    }


def _finding(finding: Finding, say: Say) -> encoding.Json:
    return {
        "id": finding.id,
        "verdict": finding.verdict.value,
        "sentence": harmless(say(finding.sentence)),
        "events": list(finding.events),
    }
