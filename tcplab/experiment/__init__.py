"""The only conductor: runs a scenario on a testbed and returns a timeline."""
