"""What may be said of a server's ports."""

import pytest

from tcplab.scenario.services import Services


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port):
    with pytest.raises(ValueError):
        Services(filtered=(port,))


@pytest.mark.parametrize(
    "ports",
    [{"open": (80, 80)}, {"open": (80,), "rejected": (80,)}, {"filtered": (9,), "rejected": (9,)}],
)
def test_port_is_one_thing_and_once(ports):
    with pytest.raises(ValueError):
        Services(**ports)


def test_both_ends_of_the_range_are_ports():
    assert Services(open=(1, 65535)).open == (1, 65535)
