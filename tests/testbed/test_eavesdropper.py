"""The wire as a hub: who hears what, who does not react, and what leaves by the attacker's NIC."""

import contextlib
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tcplab.errors import RefusedError
from tcplab.scenario.calls import Accept, Connect, Listen, Read, Send
from tcplab.scenario.host_settings import HostSettings
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.testbed.host import Flow
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.testbed.plan import INTERFACE, SEATS, Family
from tcplab.wire.compose import ethernet
from tcplab.wire.frame import decode
from tests.live import forked
from tests.testbed.driving import Driven, settings

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())
EAR = HostSettings(name="attacker", eavesdrops=True)


class Watched:
    """A testbed with an attacker, and a connection over which some words went."""

    def __init__(self, family: Family, attacker: HostSettings = EAR) -> None:
        self.testbed = NamespaceTestbed(
            family=family, settings=(*settings(), attacker), rootless=True
        )
        self.driven = Driven(self.testbed)

    @property
    def flow(self) -> Flow:
        return self.driven.flow()

    def talk(self) -> None:
        for host, call in (
            ("server", Listen()),
            ("client", Connect()),
            ("server", Accept()),
            ("client", Send(b"hello ")),
            ("client", Send(b"server")),
            ("server", Read(100)),
            ("server", Send(b"hello client")),
        ):
            self.driven.call(host, call)

    @property
    def numbers(self) -> tuple[int, ...]:
        """What the ends themselves would say: the next numbers of client and server."""
        last = {}
        for sender, segment in self.driven.carried:
            last[sender] = int(segment.next_seq)
        return last["client"], last["server"]


def what_is_heard(family):
    watched = Watched(family)
    with contextlib.closing(watched.testbed) as testbed:
        before = testbed.hosts["attacker"].counters()
        watched.talk()
        ear = testbed.eavesdropper("attacker")
        talk = ear.talk(watched.flow.client, watched.flow.server)
        client, server = watched.flow.client, watched.flow.server
        numbers = (
            (talk.snd_nxt(client), talk.snd_nxt(server)),
            (talk.rcv_nxt(server), talk.rcv_nxt(client)),
            (talk.last_ack(server), talk.last_ack(client)),
        )
        after = testbed.hosts["attacker"].counters()
        grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        return {
            "octets": (talk.octets(client), talk.octets(server)),
            "numbers": {tuple(map(int, pair)) for pair in numbers},
            "told": watched.numbers,
            "scaled": talk.wnd_octets(client) > 0xFFFF // 2,
            "stamped": talk.timestamps(client, server) is not None,
            "ttl": (talk.ttl(client), talk.ttl(server)),
            "tcp": {name: by for name, by in grown.items() if name.startswith("Tcp")},
            "drops": testbed.drops(),
        }


@every_family
def test_the_attacker_hears_both_directions_and_its_kernel_does_nothing(family):
    heard = forked(what_is_heard, family)

    assert heard["octets"] == (b"hello server", b"hello client")
    assert heard["numbers"] == {heard["told"]}  # in all three ways of knowing them
    assert heard["scaled"]
    assert heard["stamped"]
    assert heard["ttl"] == (64, 64)
    assert heard["tcp"] == {}  # not one segment came in, and none went out
    assert heard["drops"] == 0


def segments_at_the_attacker(family, attacker):
    """(segments at its NIC, IPv4 packets that its kernel took, segments on the wire)."""
    watched = Watched(family, attacker)
    with contextlib.closing(watched.testbed) as testbed:
        home = testbed._homes["attacker"].namespace

        def taken() -> int:
            with home.entered():
                told = Path("/proc/thread-self/net/snmp").read_text().splitlines()
            names, values = (line.split() for line in told if line.startswith("Ip:"))
            return int(dict(zip(names, values, strict=True))["InReceives"])

        with home.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as nic:
            nic.bind((INTERFACE, 3))  # ETH_P_ALL
            nic.setblocking(False)
            before = taken()
            watched.talk()
            frames = [decode(octets) for octets in _read(nic)]
        segments = sum(frame.segment is not None for frame in frames)
        return segments, taken() - before, len(watched.driven.carried)


def _read(nic: socket.socket):
    with contextlib.suppress(BlockingIOError):
        while True:
            yield nic.recv(1 << 16)


@every_family
def test_every_segment_reaches_the_nic_of_who_eavesdrops_and_goes_no_further(family):
    segments, packets, carried = forked(segments_at_the_attacker, family, EAR)

    assert segments == carried > 0
    assert packets == 0  # PACKET_OTHERHOST


@every_family
def test_no_segment_reaches_the_nic_of_who_does_not_eavesdrop(family):
    deaf = replace(EAR, eavesdrops=False)
    segments, packets, carried = forked(segments_at_the_attacker, family, deaf)

    assert carried > 0
    assert (segments, packets) == (0, 0)


def the_ear_of(attacker):
    watched = Watched(Family.IPV4, attacker)
    with contextlib.closing(watched.testbed) as testbed:
        return {name: testbed.eavesdropper(name) is not None for name in testbed.hosts}


def test_only_who_eavesdrops_has_an_ear():
    assert forked(the_ear_of, EAR) == {"client": False, "server": False, "attacker": True}
    assert not any(forked(the_ear_of, replace(EAR, eavesdrops=False)).values())


# --- whom a frame does not reach ----------------------------------------------------------------


def what_a_host_without_a_cable_missed(family):
    watched = Watched(family)
    with contextlib.closing(watched.testbed) as testbed:
        watched.talk()
        testbed.cut("client")
        watched.driven.call("server", Send(b", are you there?"))
        talk = testbed.eavesdropper("attacker").talk(watched.flow.client, watched.flow.server)
        return talk.octets(watched.flow.server)


@every_family
def test_what_a_host_without_a_cable_misses_is_heard(family):
    assert forked(what_a_host_without_a_cable_missed, family) == b"hello client, are you there?"


def what_is_heard_after_a_reboot(family):
    watched = Watched(family)
    with contextlib.closing(watched.testbed) as testbed:
        watched.talk()
        first = testbed.eavesdropper("attacker")
        testbed.reboot("attacker")
        watched.driven.call("server", Send(b"again"))
        second = testbed.eavesdropper("attacker")
        talk = second.talk(watched.flow.client, watched.flow.server)
        return first is second, talk.octets(watched.flow.server)


@every_family
def test_an_attacker_that_was_rebooted_remembers_nothing_and_listens_again(family):
    assert forked(what_is_heard_after_a_reboot, family) == (False, b"again")


# --- what it sends ------------------------------------------------------------------------------


def frame(src: Address, dst: Address, *, dst_mac: str = SEATS["server"].mac):
    segment = Segment(src=src, dst=dst, seq=Seq(7), flags=Flags.RST)
    return ethernet(segment, src_mac=SEATS["attacker"].mac, dst_mac=dst_mac)


def where_a_forged_frame_comes_out(family):
    watched = Watched(family)
    with contextlib.closing(watched.testbed) as testbed:
        watched.talk()
        testbed.eavesdropper("attacker").forge(frame(watched.flow.client, watched.flow.server))
        return [
            (each.sender, each.frame.segment.seq, each.injected) for each in testbed.arrivals(0)
        ]


@every_family
def test_a_forged_frame_comes_in_at_the_wire_by_the_attackers_cable(family):
    # It is the network, not the testbed, that knows whose address it bears.
    assert forked(where_a_forged_frame_comes_out, family) == [("attacker", Seq(7), False)]


OUTSIDE = {Family.IPV4: "203.0.113.200", Family.IPV6: "2001:db8:9::9"}


def to_somewhere_else(family):
    watched = Watched(family)
    with contextlib.closing(watched.testbed) as testbed:
        watched.talk()
        try:
            testbed.eavesdropper("attacker").forge(
                frame(watched.flow.client, Address(OUTSIDE[family], 80))
            )
        except RefusedError as refusal:
            return refusal.status.name, testbed.arrivals(0)
        return None, testbed.arrivals(0)


@every_family
def test_a_frame_to_an_address_outside_the_testbed_is_refused(family):
    assert forked(to_somewhere_else, family) == ("REFUSED", [])


def without_a_cable(family):
    watched = Watched(family)
    with contextlib.closing(watched.testbed) as testbed:
        watched.talk()
        testbed.cut("attacker")
        testbed.eavesdropper("attacker").forge(frame(watched.flow.client, watched.flow.server))
        return testbed.arrivals(0)


@every_family
def test_a_frame_by_a_cable_that_was_pulled_is_lost(family):
    assert forked(without_a_cable, family) == []
