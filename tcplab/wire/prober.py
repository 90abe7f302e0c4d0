"""What asks ports and hears their answers: one SYN scan or one connect scan."""

from array import array
from collections.abc import Sequence
from typing import Protocol

from tcplab.analysis.scanning.census import Rejection


class Prober(Protocol):
    """Probes to one host. What is learnt of a port goes into the census that the prober was given.

    Any call may raise RefusedError; `collect` raises LinkLostError once the way out is gone.
    """

    def begin_round(self, number: int) -> None:
        """Round `number`, from 0 on: everything without an answer is about to be asked anew."""

    def send(self, ports: "array[int]") -> None:
        """One probe to each of these, an array("H"). May return before all of them have left."""

    def collect(self, wait_s: float) -> int:
        """Deal with the answers that are here, and wait at most so long for the first of them.

        Returns how many ports got their first answer.
        """

    @property
    def busy(self) -> int:
        """Probes handed over that have not left yet."""

    @property
    def sent(self) -> int:
        """Probes that have left, in all rounds."""

    @property
    def received(self) -> int:
        """Segments and ICMP errors taken in."""

    def drops(self) -> int:
        """Answers for which there was no room, since the beginning."""

    @property
    def send_errors(self) -> int:
        """How often the kernel did not take a probe at once, since the beginning."""

    def rtt_ns(self) -> int | None:
        """The latest round trip that was measured, or None."""

    def time_open(self, ports: Sequence[int], within_s: float) -> None:
        """Measure the round trip of each of these open ports by itself, where it is not known."""

    def own_errors(self) -> list[Rejection]:
        """What the own kernel reports of the probes: that nobody answers for the address."""

    def close(self) -> None:
        """Give everything back."""
