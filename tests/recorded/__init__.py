"""Runs of the stepped wire, as they were saved: for tests that need no testbed."""
