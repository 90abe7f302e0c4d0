"""Speed, measured by hand, never asserted: `python -m tests.benchmarks.<name>` in a checkout."""
