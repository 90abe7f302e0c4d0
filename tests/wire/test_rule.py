"""How often a rule acts, and what it does to a frame that it spoils."""

import subprocess
import sys
from random import Random

import pytest

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.codec import craft
from tcplab.wire.frame import Link, decode
from tcplab.wire.passage import Arrival
from tcplab.wire.rule import Action, Rule, Standing, corrupted


def arrival(number: int = 1, payload: bytes = b"data") -> Arrival:
    segment = Segment(
        src=Address("192.0.2.1", 40000),
        dst=Address("192.0.2.2", 80),
        seq=Seq(number),
        flags=Flags.ACK,
        payload=payload,
    )
    return Arrival(sender="client", at_ns=0, frame=decode(craft(segment), link=Link.NONE))


def even(arrival: Arrival) -> bool:
    return int(arrival.frame.segment.seq) % 2 == 0


def acted(frames: int, when=lambda _arrival: True, **how) -> list[int]:
    """The sequence numbers, of that many frames, on which a rule acts."""
    standing = Standing(Rule(name="rule", action=Action.DROP, when=when, **how))
    return [number for number in range(frames) if standing.acts_on(arrival(number))]


def test_a_whole_share_acts_on_every_frame():
    assert acted(8) == list(range(8))


def test_no_share_acts_on_none():
    assert acted(8, share=0.0) == []


def test_chance_is_drawn_from_the_seed_and_only_for_frames_that_match():
    generator = Random(5)
    drawn = {number: generator.random() for number in range(0, 60, 2)}

    assert acted(60, even, share=0.3, seed=5) == [n for n, luck in drawn.items() if luck < 0.3]


def test_two_rules_have_two_generators():
    alone = acted(40, share=0.5, seed=1)
    first, second = (
        Standing(Rule(name=name, action=Action.DROP, when=even, share=0.5, seed=1))
        for name in ("first", "second")
    )
    together = [(first.acts_on(arrival(n)), second.acts_on(arrival(n))) for n in range(0, 80, 2)]

    assert [n for n, (one, _two) in enumerate(together) if one] == alone
    assert all(one == two for one, two in together)


def test_times_counts_how_often_it_acts_and_not_whom_chance_spares():
    endless = acted(60, share=0.3, seed=5)

    assert acted(60, share=0.3, seed=5, times=3) == endless[:3]


def test_a_rule_that_leaves_nothing_to_chance_imports_no_generator():
    said = subprocess.run(
        [sys.executable, "-c", "import sys, tcplab.wire.pump; print('random' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "False\n"


@pytest.mark.parametrize("payload", [b"", b"x", b"data"])
def test_a_corrupted_frame_has_a_wrong_checksum_and_says_so(payload):
    spoiled = corrupted(arrival(payload=payload).frame)

    assert decode(spoiled.octets, link=Link.NONE).segment.checksum_ok is False
    assert spoiled.segment.checksum_ok is False
    assert spoiled.segment.payload == decode(spoiled.octets, link=Link.NONE).segment.payload
