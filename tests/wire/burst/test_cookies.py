"""Sequence numbers that need no memory."""

import subprocess
import sys
from array import array

from tcplab.wire.burst.cookies import Cookies, column_of, ports_of

KEY = bytes(16)


def test_a_key_and_a_context_give_one_set_of_numbers():
    assert Cookies(b"here", KEY).column == Cookies(b"here", KEY).column


def test_another_key_or_another_context_gives_other_numbers():
    columns = {Cookies(b"here", KEY).column, Cookies(b"there", KEY).column, Cookies(b"here").column}

    assert len(columns) == 3


def test_every_port_has_its_own_number():
    cookies = Cookies(b"", KEY)

    assert len({cookies.of(port) for port in range(65536)}) > 65500  # of 2^32, two may be the same


def test_the_arrays_hold_the_octets_of_the_segments():
    cookies = Cookies(b"", KEY)

    assert cookies.sequences.tobytes() == cookies.column
    assert cookies.of(80) == int.from_bytes(cookies.sequences[80:81].tobytes())


def test_an_acknowledgment_is_one_more_modulo_2_32():
    cookies = Cookies(b"", KEY)

    for port in range(65536):
        right = (cookies.of(port) + 1) % 2**32
        assert cookies.acknowledgments[port : port + 1].tobytes() == right.to_bytes(4)


def test_the_last_number_is_acknowledged_by_zero_and_its_neighbours_by_theirs():
    from tcplab.wire.burst.cookies import _plus_one

    column = bytes.fromhex("7fffffff ffffffff 00000000 ffffffff 80000000 0000ffff")

    assert _plus_one(column) == bytes.fromhex(
        "80000000 00000000 00000001 00000000 80000001 00010000"
    )


def test_ports_and_their_column_are_each_other_s_reverse():
    ports = array("H", [1, 80, 258, 65535])

    assert column_of(ports) == bytes.fromhex("0001 0050 0102 ffff")
    assert ports_of(column_of(ports)) == ports
    assert ports == array("H", [1, 80, 258, 65535])  # left as it was


def test_openssl_is_not_loaded_for_it():
    code = "import sys, tcplab.wire.burst.cookies; print('_hashlib' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"
