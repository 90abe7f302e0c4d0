"""Segments that none of the two ends sent: what the victim's kernel made of each, and why."""
