"""The kernel's shared memory: what gets in, in which order, and what happens when it is full."""

import socket
from dataclasses import replace
from select import select

import pytest

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.burst.ring import OUTGOING, PACKET_TYPE, SNAP, Ring
from tcplab.wire.codec import craft, craft_error
from tcplab.wire.filters import scan
from tcplab.wire.frame import Frame
from tcplab.wire.packet_socket import PacketSocket
from tests.links import DEADLINE_S, Host, Network, apart, every_version, on_link

FIRST = 1024
HEADER = {
    4: bytes.fromhex("020000000201 020000000202 0800"),
    6: bytes.fromhex("020000000201 020000000202 86dd"),
}


class Heard:
    """The client's ring, and a socket of the server's that sends what it is told."""

    def __init__(self, version: int, *, slots: int = 64, probes: bool = False) -> None:
        self.net: Network = on_link()
        self.version = version
        client, server = self.net.client, self.net.server
        self.client, self.server = client.ip[version], server.ip[version]
        self.ring = ring_of(client, self.server, version, slots=slots, probes=probes)
        with server.namespace.entered():
            self._sender = PacketSocket("eth0", server.permit)

    def answer(self, port: int = 80, to: int = FIRST) -> Segment:
        return Segment(
            src=Address(self.server, port),
            dst=Address(self.client, to),
            seq=Seq(1),
            flags=Flags.RST | Flags.ACK,
        )

    def send(self, *packets: bytes) -> None:
        """On a veth the receiver has them when this returns."""
        for packet in packets:
            self._sender.send(Frame(octets=HEADER[self.version] + packet), "eth0")

    def taken(self) -> list[bytes]:
        found = []
        while (run := self.ring.take()) is not None:
            found += [run.packet(row) for row in range(run.count)]
            run.give_back()
        return found


def ring_of(host: Host, target: str, version: int, *, slots: int, probes: bool) -> Ring:
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    program = scan(
        source=socket.inet_pton(family, host.ip[version]),
        destination=socket.inet_pton(family, target),
        first_port=FIRST,
        ports=32,
        probes=probes,
    )
    with host.namespace.entered():
        ring = Ring(slots=slots, program=program, outgoing=probes)
    ring.open("eth0")
    return ring


# --- the filter ---------------------------------------------------------------------------------


def what_passes(version: int) -> tuple:
    heard = Heard(version)
    true = heard.answer()
    elsewhere = "192.0.2.99" if version == 4 else "2001:db8:1::99"
    probe = Segment(src=true.dst, dst=true.src, seq=Seq(1), flags=Flags.SYN)
    kind, code = (3, 13) if version == 4 else (1, 1)
    error = craft_error(craft(probe), src=elsewhere, dst=heard.client, kind=kind, code=code)
    packet = craft(true)
    tcp = 20 if version == 4 else 40
    good = [packet, craft(heard.answer(to=FIRST + 31)), error]
    bad = [
        craft(heard.answer(to=FIRST - 1)),
        craft(heard.answer(to=FIRST + 32)),
        craft(replace(true, src=Address(elsewhere, 80))),
        craft(replace(true, dst=Address(elsewhere, FIRST))),
        craft(probe),
        packet[: tcp + 19],
        packet[:tcp],
    ]
    if version == 4:
        bad += [packet[:6] + b"\x20\0" + packet[8:], packet[:6] + b"\0\1" + packet[8:]]
        bad += [packet[:9] + b"\x11" + packet[10:]]
        echo = error[:20] + b"\x08" + error[21:]
    else:
        good.append(packet[:6] + b"\0" + packet[7:40] + b"\6\0\1\4\0\0\0\0" + packet[40:])
        bad += [packet[:6] + b"\x11" + packet[7:]]
        echo = error[:40] + b"\x80" + error[41:]
    heard.send(*good, *bad, echo)
    return [each[:SNAP] for each in good], heard.taken()


@every_version
def test_answers_and_icmp_errors_pass_and_nothing_else(version):
    sent, found = apart(what_passes, version)

    assert found == sent


def both_ways(version: int) -> list[int]:
    """The packet types of what is heard when somebody connects to a closed port."""
    heard = Heard(version, probes=True)
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with heard.net.client.namespace.entered(), socket.socket(family) as caller:
        caller.bind((heard.client, FIRST + 5))
        caller.settimeout(DEADLINE_S)
        with pytest.raises(ConnectionRefusedError):
            caller.connect((heard.server, 80))
    run = heard.ring.take()
    return list(run.column(PACKET_TYPE))


@every_version
def test_for_a_recording_probes_pass_too(version):
    assert apart(both_ways, version) == [OUTGOING, 0]


# --- slots --------------------------------------------------------------------------------------


def around(version: int) -> tuple:
    heard = Heard(version)
    sent, found = [], []
    for begin in range(0, 300, 50):
        portion = [craft(heard.answer(port)) for port in range(begin + 1, begin + 51)]
        heard.send(*portion)
        sent += portion
        found += heard.taken()
    return heard.ring.slots, sent == found, heard.ring.drops()


@every_version
def test_slots_are_used_again_in_order(version):
    assert apart(around, version) == (64, True, 0)


def overflowed() -> tuple:
    heard = Heard(4)
    sent = [craft(heard.answer(port)) for port in range(1, 101)]
    heard.send(*sent)
    first = heard.taken()
    dropped = heard.ring.drops()
    heard.send(sent[-1])
    return first == sent[:64], dropped, heard.taken() == sent[-1:], heard.ring.drops()


def test_what_there_is_no_room_for_is_counted_and_room_comes_back():
    assert apart(overflowed) == (True, 36, True, 36)


def polled() -> tuple:
    heard = Heard(4)
    ready = [bool(select([heard.ring], [], [], 0)[0])]
    heard.send(craft(heard.answer()))
    ready.append(bool(select([heard.ring], [], [], 0)[0]))
    heard.taken()
    ready.append(bool(select([heard.ring], [], [], 0)[0]))
    return tuple(ready)


def test_it_is_readable_while_a_slot_is_full():
    assert apart(polled) == (False, True, False)


def stamped_by_others() -> int:
    """With somebody asking for time stamps the status has bits above the lowest octet."""
    heard = Heard(4)
    with heard.net.client.namespace.entered():
        other = PacketSocket("eth0", heard.net.client.permit)
    found = 0
    for port in range(1, 201):
        heard.send(craft(heard.answer(port)))
        found += len(heard.taken())
    other.close()
    return found


def test_slots_come_back_whatever_their_status_says():
    assert apart(stamped_by_others) == 200


@pytest.mark.parametrize("slots", [1, 64, 65, 1000, 65536])
def test_there_are_as_many_slots_as_were_asked_for_or_a_few_more(slots):
    assert slots <= apart(size_of, slots) <= slots + 1344


def size_of(slots: int) -> int:
    ring = Heard(4, slots=slots).ring
    ring.close()
    return ring.slots
