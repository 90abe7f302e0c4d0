"""Forged segments: they are right, they are bounded, and they go where they may."""

import time
from contextlib import closing, contextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from tcplab.errors import RefusedError
from tcplab.scenario.services import Services
from tcplab.tcp.flags import Flags
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import NOBODY_MAC, SPOOFED, Family
from tcplab.text import Text
from tcplab.wire.burst import flood as module
from tcplab.wire.burst.columns import Columns
from tcplab.wire.burst.flood import Flood
from tcplab.wire.burst.forging import Forger, forged
from tcplab.wire.burst.guessing import Guesses
from tcplab.wire.burst.outlet import Outlet
from tcplab.wire.burst.spoofing import SpoofedSyns
from tcplab.wire.burst.template import syn
from tcplab.wire.checksum import ones_complement
from tcplab.wire.frame import Link, decode
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.permit import ScanPermit
from tcplab.wire.testbed_permit import TestbedPermit
from tests.links import until
from tests.live import forked

ENDS = {Family.IPV4: ("192.0.2.1", "192.0.2.2"), Family.IPV6: ("2001:db8::1", "2001:db8::2")}
every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


def written(source, count: int) -> list:
    """The frames that it makes, decoded."""
    columns = Columns(source.template.octets, count)
    Forger(source.template).write(columns, source.fields(0, count))
    return [decode(columns.packet(row), link=Link.NONE) for row in range(count)]


@every_family
def test_every_spoofed_syn_is_whole_and_from_an_address_and_port_of_its_own(family):
    _client, server = ENDS[family]
    frames = written(SpoofedSyns(SPOOFED[family], server, 80), 5000)

    blocks = [ip_network(block) for block in SPOOFED[family]]
    for frame in frames:
        segment = frame.segment
        assert segment.checksum_ok
        assert (segment.dst.ip, segment.dst.port, segment.flags) == (server, 80, Flags.SYN)
        assert any(ip_address(segment.src.ip) in block for block in blocks)
        assert segment.src.port >= 1024
        if family is Family.IPV4:
            assert ones_complement(frame.octets[:20]) == 0
    assert len({frame.segment.src for frame in frames}) == len(frames)
    assert len({frame.segment.seq for frame in frames}) > len(frames) - 10


@every_family
@pytest.mark.parametrize(
    ("flags", "letters", "payload"),
    [(Flags.RST, "R", b""), (Flags.PSH | Flags.ACK, "PA", b"odd")],
    ids=["rst", "data"],
)
def test_a_forged_segment_is_what_scapy_builds(family, flags, letters, payload):
    source, destination = ENDS[family]
    network = (
        IP(src=source, dst=destination, id=0, flags="DF")
        if family is Family.IPV4
        else IPv6(src=source, dst=destination, hlim=64)
    )
    guesses = Guesses(
        source, destination, 80, ports=[40000], step=1000, flags=flags, payload=payload
    )
    for frame in written(guesses, 3):
        segment = frame.segment
        header = TCP(
            sport=40000,
            dport=80,
            seq=int(segment.seq),
            ack=int(segment.ack),
            flags=letters,
            window=1024,
        )
        assert bytes(network / header / payload) == frame.octets


def test_guesses_step_by_the_window_at_every_port_in_turn():
    source, destination = ENDS[Family.IPV4]
    guesses = Guesses(source, destination, 80, ports=range(7, 10), step=2**31, flags=Flags.RST)

    segments = [frame.segment for frame in written(guesses, 9)]

    assert {segment.src.port for segment in segments[:3]} == {7, 8, 9}
    first, second, third = (int(segments[row].seq) for row in (0, 3, 6))
    assert (second - first) % 2**32 == 2**31
    assert first == third  # all the way round


def test_a_template_without_columns_has_a_right_ip_header():
    template = forged("192.0.2.1", "192.0.2.2", Flags.RST, b"four")

    assert ones_complement(template.octets[:20]) == 0
    assert len(template.octets) == int.from_bytes(template.octets[2:4])


# --- on the link --------------------------------------------------------------------------------


@contextmanager
def attacked(family: Family, **how):
    """A testbed whose server listens, and a flood at it."""
    how = {"frames": 10, "pps": None} | how
    testbed = DirectTestbed(
        family=family,
        rootless=True,
        services=Services(open=(80,)),
        others=("client", "attacker"),
        spoofer="attacker",
    )
    with closing(testbed):
        path = testbed.path("attacker")
        path = replace(path, permit=how.pop("permit", path.permit))
        syns = SpoofedSyns(SPOOFED[family], path.destination, 80)
        with closing(Flood(path, syns.template, syns.fields, **how)) as made:
            yield testbed, made


def send_all(made: Flood) -> None:
    while not made.over:
        made.send()


def arrived(testbed: DirectTestbed) -> int:
    """Segments that came to the server's TCP."""
    return testbed.server_saw().counters.get("TcpInSegs", 0)


@every_family
def test_no_more_than_20000_leave_whatever_is_asked(family):
    def run() -> tuple[int, int, int]:
        with attacked(family, frames=10**6) as (testbed, made):
            before = arrived(testbed)
            send_all(made)
            made.send()
            return made.sent, made.errors, arrived(testbed) - before

    assert forked(run) == (20_000, 0, 20_000)


def test_nothing_leaves_after_the_time_is_up(monkeypatch):
    monkeypatch.setattr(module, "_MOST_NS", 50_000_000)

    def run() -> tuple[bool, int, int]:
        with attacked(Family.IPV4, frames=20_000, pps=100) as (_testbed, made):
            until(lambda: made.send() > 0)
            send_all(made)
            sent = made.sent
            return made.over, made.send(), sent

    over, more, sent = forked(run)
    assert over
    assert more == 0
    assert 1 <= sent < 20_000


def test_a_limited_rate_is_never_exceeded():
    def run() -> list[tuple[int, int]]:
        seen = []
        with attacked(Family.IPV4, frames=50, pps=200) as (_testbed, made):
            began_ns = time.monotonic_ns()
            while not made.over:
                made.send()
                seen.append((made.sent, time.monotonic_ns() - began_ns))
        return seen

    seen = forked(run)
    assert seen[-1][0] == 50
    # No more than flowed into the bucket since it was made, shortly before.
    assert all(sent <= 200 * took_ns / 1e9 + 3 for sent, took_ns in seen)


class Refusing(TestbedPermit):
    """A testbed's permit for nothing."""

    def check_socket(self, sender) -> None:
        pass

    def check(self, destination: str, count: int = 1) -> None:
        raise RefusedError(Text("no"), remedy=Text("never"))


def test_nothing_leaves_without_a_permit():
    def run() -> tuple[int, int]:
        with attacked(Family.IPV4, permit=Refusing()) as (testbed, made):
            before = arrived(testbed)
            with pytest.raises(RefusedError):
                made.send()
            return made.sent, arrived(testbed) - before

    assert forked(run) == (0, 0)


@every_family
def test_a_host_that_may_be_scanned_may_not_be_flooded(family):
    """Not even where the permit of the scan would let every one of these packets pass."""

    def run() -> str:
        _client, server = ENDS[family]
        permit = ScanPermit(
            destination=server, interface="eth0", rate_pps=None, authorized="its owner"
        )
        with pytest.raises(RefusedError) as refused, attacked(family, permit=permit):
            pass
        return str(refused.value.what)

    assert forked(run) == f"Forged segments were about to be sent to {ENDS[family][1]}."


@every_family
def test_a_packet_to_another_address_than_the_permit_was_asked_for_never_leaves(family):
    other = {Family.IPV4: "198.51.100.9", Family.IPV6: "2001:db8:99::9"}[family]

    def run() -> tuple[int, int]:
        with attacked(family) as (testbed, _made):
            path = testbed.path("attacker")
            with path.inside(), closing(Outlet(path, syn(path.source, other).octets, 2)) as outlet:
                before = arrived(testbed)
                with pytest.raises(RefusedError):
                    outlet.send(1, lambda: None)
                # Right in the first row is not enough: nothing of a batch leaves with one astray.
                right = syn(path.source, path.destination)
                width = len(right.destination)
                outlet.columns.stamp(right.tcp - width, right.destination, width)
                with pytest.raises(RefusedError):
                    outlet.send(2, lambda: None)
                nothing = arrived(testbed) - before
                outlet.send(1, lambda: None)
                return nothing, arrived(testbed) - before

    assert forked(run) == (0, 1)


@every_family
def test_the_answers_leave_for_a_neighbour_that_nobody_owns(family):
    def run() -> set[tuple[bytes, str, bool]]:
        with attacked(family) as (testbed, made):
            path = testbed.path("attacker")
            with path.inside():
                heard = PacketSocket(path.interface, path.permit)
            with closing(heard):
                send_all(made)
                found = []

                def take() -> bool:
                    found.extend(heard.take())
                    return len(found) >= 10

                until(take)
            blocks = [ip_network(block) for block in SPOOFED[family]]
            return {
                (
                    each.frame.octets[:6],
                    str(each.frame.segment.flags),
                    any(ip_address(each.frame.segment.dst.ip) in block for block in blocks),
                )
                for each in found
                if each.frame.segment is not None
            }

    mac = bytes.fromhex(NOBODY_MAC.replace(":", ""))
    assert forked(run) == {(mac, str(Flags.SYN | Flags.ACK), True)}
