"""Hosts whose kernel limits its ICMP errors, as Linux does if nobody tells it not to.

One host is sent up to six at once (XRLIM_BURST_FACTOR, net/ipv4/inetpeer.c), and then one a second
(net.ipv4.icmp_ratelimit, net.ipv6.icmp.ratelimit). A port that would be rejected is silent for no
other reason than that.
"""

import pytest

from tests.links import apart, every_version, on_link
from tests.scans import FILTERED, Scanned, Served, scanned
from tests.testbed import nft

METHODS = ("--syn", "--connect")
BURST = 6
REJECTED, TOO_MANY = range(200, 210), range(200, 270)
HURRY = ("--rate", "max", "--authorized", "the test")

every_method = pytest.mark.parametrize("method", METHODS)


def limited(version: int, rejected: range, *calls: tuple[str, ...]) -> list[Scanned]:
    """One scan after the other of a server that rejects those ports, within its limits."""
    served = Served(on_link(), version)
    with served.net.server.namespace.entered():
        nft.drop_ports(FILTERED)
        nft.reject_ports(rejected, limited=True)
    return [scanned(served.net.client, served.ip, *call, "--json") for call in calls]


def spelled(ports: range) -> str:
    return f"{ports[0]}-{ports[-1]}"


@every_version
@every_method
def test_ports_beyond_the_burst_are_waited_for(method, version):
    (done,) = apart(limited, version, REJECTED, (method, "-p", "90-250"))

    assert (done.status, done.document["doubt"], done.document["caveat"]) == (0, None, None)
    assert done.ports == {
        "open": [],
        "closed": "90-99,105-199,210-250",
        "filtered": spelled(FILTERED),
        "rejected": spelled(REJECTED),
    }


@every_version
@every_method
def test_a_scan_that_comes_after_the_burst_was_used_up_waits_as_well(method, version):
    ports = (method, "-p", f"{REJECTED[0]}-{REJECTED[BURST - 1]},100,300")
    first, second = apart(limited, version, REJECTED, ports, ports)

    for done in (first, second):
        assert (done.status, done.document["doubt"]) == (0, None)
        assert done.ports["rejected"] == f"{REJECTED[0]}-{REJECTED[BURST - 1]}"
        assert done.ports["filtered"] == "100"


def test_at_most_speed_nobody_waits_and_the_scan_says_so():
    ports = ("-p", "200-205,100,300")
    first, second = apart(limited, 4, REJECTED, ("-p", "200-205"), (*ports, *HURRY))

    assert (first.ports["rejected"], first.document["caveat"]) == ("200-205", None)
    assert (second.status, second.document["doubt"]) == (0, None)
    # If a second has passed between the two, there was a token, and then it was waited.
    assert second.ports["rejected"] or "--rate max" in second.document["caveat"]


def test_more_than_can_be_waited_for_are_not_called_filtered_for_sure():
    (done,) = apart(limited, 4, TOO_MANY, ("-p", "195-275"))

    assert done.status == 5
    assert "ICMP errors were still coming" in done.document["doubt"]
