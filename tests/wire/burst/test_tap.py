"""What the kernel's own connections leave in a recording."""

import io
import socket
from contextlib import closing

import pytest

from tcplab.wire.burst.tap import Tap
from tests.links import DEADLINE_S, apart, every_version, on_link
from tests.scans import Served
from tests.wire.burst.scanning import path_between
from tests.wire.burst.test_recording import packets_in

OPEN, CLOSED, ELSEWHERE = 80, 81, 443
TALK = b"x" * 300
"""More than a slot of the ring has room for."""


def connect(served: Served, port: int) -> None:
    """From the client to the server; what is refused is refused."""
    with served.net.client.namespace.entered():
        made = socket.socket(socket.AF_INET6 if served.version == 6 else socket.AF_INET)
    with made:
        made.settimeout(DEADLINE_S)
        if made.connect_ex((served.ip, port)) == 0:
            made.sendall(TALK)


def tapped(version: int, local: bool, slots: int, times: int) -> tuple[list, int]:
    """(what was recorded, how much was lost)."""
    net = on_link()
    if local:
        net.server = net.client
    served = Served(net, version, ports=(OPEN,))
    file = io.BytesIO()
    path = path_between(net.client, net.server, version, local=local)
    connect(served, CLOSED)  # before anybody listens
    with closing(Tap(path, file, slots=slots)) as tap:
        for _ in range(times):
            connect(served, CLOSED)
        tap.drain()
        connect(served, OPEN)
        lost = tap.drops()
    connect(served, CLOSED)
    return packets_in(file.getvalue()), lost


def flags_and_lengths(packets: list, version: int) -> list[tuple[int, int]]:
    """Of each segment its flags, and how long its text was."""
    tcp = 20 if version == 4 else 40
    return [
        (octets[tcp + 13], length - tcp - (octets[tcp + 12] >> 4) * 4)
        for _at, octets, length in packets
    ]


@every_version
@pytest.mark.parametrize("local", [False, True], ids=["link", "loopback"])
def test_both_directions_once_and_nothing_before_or_after(version, local):
    packets, lost = apart(tapped, version, local, 64, 1)

    told = flags_and_lengths(packets, version)
    assert lost == 0
    assert told[:2] == [(0x02, 0), (0x14, 0)]  # refused
    assert told[2:5] == [(0x02, 0), (0x12, 0), (0x10, 0)]
    assert (0x18, len(TALK)) in told[5:]  # cut, and its length is told
    assert [at for at, _octets, _length in packets] == sorted(at for at, _o, _l in packets)


def test_what_found_no_room_is_counted():
    packets, lost = apart(tapped, 4, False, 64, 200)

    assert lost > 0
    assert len(packets) + lost >= 400 + 6
