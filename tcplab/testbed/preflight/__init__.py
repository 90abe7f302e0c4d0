"""What this machine can do, what forbids the rest, and the command that mends it.

`probe` finds the facts by trying; `refusal` and `checks` judge them. Judging is pure, so that each
system's way of saying no can be tested on every other.
"""

from tcplab.testbed.preflight.checks import checks
from tcplab.testbed.preflight.facts import Facts
from tcplab.testbed.preflight.probe import facts_of_this_machine
from tcplab.testbed.preflight.refusal import why_no_namespaces

__all__ = ["Facts", "checks", "facts_of_this_machine", "why_no_namespaces"]
