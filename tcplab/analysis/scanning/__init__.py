"""Port scans: what is known of each port, when to stop asking, and how fast to ask."""
