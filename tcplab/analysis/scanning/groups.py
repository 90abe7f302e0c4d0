"""The ports of a scan, gathered by what proves their state."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tcplab.analysis.scanning.census import Census, PortState, Proof, Rejection
from tcplab.scenario.ports import joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Ports in one state, by one kind of answer; of rejections each kind is a group of its own.

    `ranges` are in order and do not touch one another.
    """

    state: PortState
    proof: Proof
    rejection: Rejection | None
    ranges: tuple[range, ...]

    def __len__(self) -> int:
        """How many ports they are."""
        return sum(map(len, self.ranges))

    def __iter__(self) -> Iterator[int]:
        """The ports, in order."""
        for each in self.ranges:
            yield from each


def groups(census: Census) -> tuple[Group, ...]:
    """Every port that was asked for, in exactly one group; by state, and the larger group first."""
    found: list[Group] = []
    for proof in Proof:
        ranges = _answered_by(census, proof)
        if not ranges:
            continue
        state = census.state(ranges[0].start)
        if proof is Proof.ICMP:
            found += [
                Group(state=state, proof=proof, rejection=rejection, ranges=its)
                for rejection, its in _by_rejection(census, ranges).items()
            ]
        else:
            found.append(Group(state=state, proof=proof, rejection=None, ranges=ranges))
    order = list(PortState)
    return tuple(sorted(found, key=lambda group: (order.index(group.state), -len(group))))


def _answered_by(census: Census, proof: Proof) -> tuple[range, ...]:
    """Runs of equal octets in a column are found by `re` in a hundredth of what a loop takes."""
    if proof not in census.proofs:
        return ()
    runs = re.compile(re.escape(bytes((proof,))) + b"+", re.DOTALL)
    return joined(
        range(*run.span())
        for asked in census.asked
        for run in runs.finditer(census.proofs, asked.start, asked.stop)
    )


def _by_rejection(census: Census, ranges: tuple[range, ...]) -> dict[Rejection, tuple[range, ...]]:
    ports: dict[Rejection, list[range]] = {}
    for each in ranges:
        for port in each:
            ports.setdefault(census.rejections[port], []).append(range(port, port + 1))
    return {rejection: joined(its) for rejection, its in ports.items()}
