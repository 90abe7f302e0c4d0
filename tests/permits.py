"""Permits for networks that a test made itself, and changes as it likes."""

import os

from tcplab.testbed.netns import Namespace
from tcplab.wire.testbed_permit import TestbedPermit

BLOCKS = ("192.0.2.0/24", "2001:db8::/32")
ROUTED = ("198.51.100.0/24", "203.0.113.0/24")


class Unwatched:
    """In the place of a watch: whatever happens to the links of the namespace is the test's."""

    def __init__(self) -> None:
        self._silent = os.eventfd(0, os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Never readable."""
        return self._silent

    def check(self) -> None:
        """Nothing is ever wrong."""

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._silent)


def permit_for(*namespaces: Namespace) -> TestbedPermit:
    """Allows sockets to send inside these namespaces, to addresses for documentation."""
    permit = TestbedPermit(*BLOCKS)
    for block in ROUTED:
        permit.route(block)
    for namespace in namespaces:
        permit.include(namespace.fd, Unwatched())
    return permit
