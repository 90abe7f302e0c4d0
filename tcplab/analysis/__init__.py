"""From a timeline to findings: what a run proves, and by which events."""
