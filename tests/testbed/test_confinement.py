"""Nothing leaves a testbed: every way that somebody may try, against both kinds of testbed."""

import contextlib
import socket
from collections.abc import Callable
from struct import pack

import pytest

from tcplab.analysis.flooding.settings import FloodSettings
from tcplab.errors import RefusedError, TcplabError
from tcplab.experiment.conductor import CutShortError
from tcplab.experiment.flood import flood
from tcplab.experiment.on_testbed import play
from tcplab.kernel import links
from tcplab.kernel.netlink import ACK, CREATE, attribute, integer
from tcplab.scenario.half_open import no_ack
from tcplab.scenario.shipped import handshake
from tcplab.scenario.steps import Connection
from tcplab.tcp.flags import Flags
from tcplab.testbed import direct as direct_module
from tcplab.testbed import namespace as stepped_module
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import Family
from tcplab.timeline.events import Event, SegmentEvent
from tcplab.wire.packet_socket import PacketSocket
from tests.live import forked
from tests.testbed.confined import KINDS, Lab, frame, lab_of, tried
from tests.testbed.intruding import (
    STRANGER,
    Intruder,
    bridge,
    intruder,
    moved,
    pair,
    renamed,
    resized,
    tell,
)

NIC, CABLE = 2, 11
"""The client's NIC, and the far end of its cable, which is in the middle of either testbed."""
GLOBAL = {Family.IPV4: "8.8.8.8", Family.IPV6: "2606:4700::1111"}
SPOOFED = {Family.IPV4: "198.51.100.66", Family.IPV6: "2001:db8:bad::66"}
ROUNDS = 20

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())
every_kind = pytest.mark.parametrize("kind", KINDS)
whoever = pytest.mark.parametrize(
    "rootless", [True, pytest.param(False, marks=pytest.mark.root)], ids=["rootless", "root"]
)


# --- interfaces ---------------------------------------------------------------------------------


def moved_in(lab: Lab, by: Intruder) -> None:
    """Down as it is, beside the cables."""
    by.move_in(lab.middle)


def moved_in_and_up(lab: Lab, by: Intruder) -> None:
    """Into a host, and ready to send, in one request."""
    by.move_in(lab.client, up=True)


def moved_in_and_out(lab: Lab, by: Intruder) -> None:
    """It is gone when the next frame is sent."""
    by.move_in(lab.client, up=True)
    tell(lab.client, moved(STRANGER, by.outside.fd))


def routed_by(lab: Lab, by: Intruder) -> None:
    """The way to the server leads by the stranger, whatever interface a socket prefers."""
    by.move_in(lab.client, up=True)
    server = lab.ip("server")
    tell(
        lab.client,
        links.host_route(STRANGER, server),
        links.neighbour(STRANGER, server, "02:00:00:00:ee:01"),
    )


def made_inside(lab: Lab, by: Intruder) -> None:
    tell(lab.middle, pair(60, "in0", lab.client, 61, "in1"))


def bridged(lab: Lab, by: Intruder) -> None:
    """The cable and the stranger, made one link."""
    by.move_in(lab.middle, up=True)
    enslaved = [(16, 0, moved_to_master(index, 70)) for index in (CABLE, STRANGER)]
    tell(lab.middle, bridge(70, "br0"), links.set_up(70), *enslaved)


def moved_to_master(index: int, master: int) -> bytes:
    return pack("=BxHiII", 0, 0, index, 0, 0) + attribute(10, integer(master))


def nic_renamed(lab: Lab, by: Intruder) -> None:
    tell(lab.client, renamed(NIC, "eth7"), links.set_up(NIC))


def name_taken(lab: Lab, by: Intruder) -> None:
    """The stranger is called what the cable was called."""
    tell(lab.middle, renamed(CABLE, "old0"), links.set_up(CABLE))
    by.move_in(lab.middle, name="w-client", up=True)


def names_swapped_back(lab: Lab, by: Intruder) -> None:
    """When it is looked for again, everything has its name."""
    tell(lab.middle, renamed(CABLE, "old0"), renamed(CABLE, "w-client"), links.set_up(CABLE))


def nic_reindexed(lab: Lab, by: Intruder) -> None:
    """Out and in again, under its name and another index."""
    tell(lab.client, moved(NIC, by.outside.fd))
    tell(by.outside, moved(NIC, lab.client.fd, to=7, name="eth0", up=True))


def place_taken(lab: Lab, by: Intruder) -> None:
    """The stranger has the index and the name of the cable."""
    tell(lab.middle, links.delete(CABLE))
    by.move_in(lab.middle, to=CABLE, name="w-client", up=True)


def nic_place_taken(lab: Lab, by: Intruder) -> None:
    """As above, at the host's end: what is tied to an index only is fooled."""
    tell(lab.client, links.delete(NIC))
    by.move_in(lab.client, to=NIC, name="eth0", up=True)
    server = lab.ip("server")
    tell(
        lab.client,
        links.host_route(NIC, server),
        links.neighbour(NIC, server, "02:00:00:00:ee:01"),
    )


def cable_led_out(lab: Lab, by: Intruder) -> None:
    """The host's end of the cable is in a namespace that is none of the testbed's."""
    tell(lab.client, moved(NIC, by.outside.fd, up=True))


def too_much(lab: Lab, by: Intruder) -> None:
    """More happens than the kernel can tell."""
    for _ in range(30):
        tell(lab.client, *(resized(NIC, 1400 + at) for at in range(100)))


MEDDLING = [
    moved_in,
    moved_in_and_up,
    moved_in_and_out,
    routed_by,
    made_inside,
    bridged,
    nic_renamed,
    name_taken,
    names_swapped_back,
    nic_reindexed,
    place_taken,
    nic_place_taken,
    cable_led_out,
    too_much,
]


def meddled(kind: str, family: Family, rootless: bool, meddle: Callable[..., None]) -> tuple:
    with lab_of(kind, family, rootless) as lab, intruder() as by:
        ways = lab.ways(lab.ip("server"))
        before = tried(ways)
        by.heard()
        meddle(lab, by)
        return before, [tried(ways) for _ in range(2)], [each.hex() for each in by.heard()]


@whoever
@every_family
@every_kind
@pytest.mark.parametrize("meddle", MEDDLING, ids=lambda meddle: meddle.__name__)
def test_no_frame_is_sent_beside_a_stranger(kind, family, rootless, meddle):
    before, after, heard = forked(meddled, kind, family, rootless, meddle)

    assert set(before.values()) == {"sent"}
    assert after[0] == dict.fromkeys(before, "REFUSED")
    assert set(after[1].values()) <= {"REFUSED", "EADDRNOTAVAIL"}
    assert heard == []


def unguarded(family: Family, rootless: bool) -> tuple[dict[str, int], int]:
    """What comes out by the stranger if nobody looks: by a plain socket, and by the wire's own."""
    with lab_of("stepped", family, rootless) as lab, intruder() as by:
        lab.permit.check = lambda _destination, _count=1: None
        place_taken(lab, by)
        by.heard()
        octets = frame(lab.ip("server"), lab.ip("client"), "client")
        with lab.middle.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as plain:
            plain.sendto(octets.octets, ("w-client", 0))
        by_plain = len(by.heard())
        reached = lab.testbed._put(octets, "client")
        return reached, by_plain, len(by.heard())


@whoever
@every_family
def test_the_wire_s_ways_out_are_tied_to_their_cables_even_if_nobody_looks(family, rootless):
    """And the ear of these tests does hear what leaves."""
    assert forked(unguarded, family, rootless) == (False, 1, 0)


def own_changes(family: Family, rootless: bool) -> list[str]:
    """All that a testbed does to its own links, and sends after each."""
    said: list[str] = []
    with lab_of("stepped", family, rootless) as lab:
        testbed = lab.testbed

        def send() -> None:
            ways = lab.ways(lab.ip("server"))
            said.extend(tried({"wire to server": ways["wire to server"]}).values())

        for number in range(ROUNDS):
            for change in (testbed.cut, testbed.restore, testbed.reboot):
                for host in ("client", "server"):
                    change(host)
                    send()
            testbed.readdress("server", 100 + number)
            send()
    return said


@whoever
@every_family
def test_what_the_testbed_does_itself_is_no_meddling(family, rootless):
    assert forked(own_changes, family, rootless) == ["sent"] * (7 * ROUNDS)


def rebooted_before(family: Family) -> dict[str, str]:
    """A stranger that went down with the host in which it was."""
    with lab_of("stepped", family, rootless=True) as lab, intruder() as by:
        by.move_in(lab.client)
        with contextlib.suppress(RefusedError):
            lab.testbed.reboot("client")
        ways = lab.ways(lab.ip("server"))
        return tried({"wire to server": ways["wire to server"]})


def test_a_reboot_forgives_nothing():
    assert forked(rebooted_before, Family.IPV4) == {"wire to server": "REFUSED"}


# --- in the middle of a run ---------------------------------------------------------------------


class Made:
    """The namespaces that testbeds of this process make from now on, in their order."""

    def __init__(self) -> None:
        made = self.namespaces = []

        class Kept(Namespace):
            def __init__(self) -> None:
                super().__init__()
                made.append(self)

        stepped_module.Namespace = direct_module.Namespace = Kept


def disturbed(run: str, family: Family, rootless: bool) -> tuple[str, str]:
    """A run into which a stranger comes when its first word is heard: what is said, and with which
    status.
    """
    made, told = Made(), []
    with contextlib.ExitStack() as open_:

        def heed(word: object) -> None:
            if not told:
                by = open_.enter_context(intruder())
                by.move_in(made.namespaces[0], up=True)
            told.append(word)

        try:
            if run == "flood":
                asked = FloodSettings(frames=2000, rate_limit_pps=500, version=family.value)
                flood(asked, rootless=rootless, heed=heed)
            else:
                play(handshake(), command=(), family=family, rootless=rootless, heed=heed)
        except TcplabError as refusal:
            return str(refusal.what), refusal.status.name
    return "it went on", ""


@whoever
@every_family
@pytest.mark.parametrize("run", ["flood", "scenario"])
def test_a_run_that_a_stranger_comes_into_ends_as_refused(run, family, rootless):
    said, status = forked(disturbed, run, family, rootless)

    assert said == "evil0 is in the testbed, and is none of its interfaces."
    assert status == "REFUSED"


def waiting(family: Family, when: Callable[[SegmentEvent], bool]) -> tuple[str, str, list[str]]:
    """A stranger comes into a run that only waits from then on: what is said, with which status,
    and the flags of the segments that were seen.
    """
    made = Made()
    scenario = no_ack(2, version=family.value)
    with contextlib.ExitStack() as open_:

        def heed(event: Event) -> None:
            if isinstance(event, SegmentEvent) and when(event):
                by = open_.enter_context(intruder())
                by.move_in(made.namespaces[-1], up=True)

        try:
            timeline = play(scenario, command=(), family=family, rootless=True, heed=heed)
        except CutShortError as cut:
            flags = [str(each.segment.flags) for each in cut.timeline.segments()]
            return str(cut.what), cut.status.name, flags
        return "it went on", "", [str(each.segment.flags) for each in timeline.segments()]


@every_family
def test_a_stranger_is_noticed_while_nobody_but_a_kernel_s_timer_sends(family):
    """The server would have sent its SYN, ACK two more times, in the course of 7 s."""
    said = forked(waiting, family, lambda event: event.segment.has(Flags.ACK))

    assert said == (
        "evil0 is in the testbed, and is none of its interfaces.",
        "REFUSED",
        [str(Flags.SYN), str(Flags.SYN | Flags.ACK)],
    )


# --- routes and addresses -----------------------------------------------------------------------


def strayed(kind: str, family: Family, rootless: bool) -> tuple[dict[str, str], list[str]]:
    """With a default route by the client's own NIC: who sends to a global address, and what comes
    in anywhere.
    """
    with lab_of(kind, family, rootless) as lab:
        far, near = GLOBAL[family], lab.ip("server")
        tell(lab.client, default_route(near))
        homes = lab.testbed._homes
        ears = {}
        for name in ("server", "attacker"):
            with homes[name].namespace.entered():
                ears[name] = PacketSocket(None, lab.permit)
        said = tried(lab.ways(far))
        if kind == "stepped":
            flow = lab.testbed.flow(Connection(name="a"))
            with lab.client.entered():
                made = socket.socket(links.family(far))
            made.setblocking(False)
            made.connect_ex((far, 80))  # the kernel's own SYN: it comes to the wire, and no farther
            said["kernel"] = tried({"kernel": lambda: carry(lab)})["kernel"]
            made.close()
            assert flow.server.ip == near
        came = [
            f"{name}: {seen.frame.dst_ip}"
            for name, ear in ears.items()
            for seen in ear.take()
            if seen.frame.dst_ip == far
        ]
        for ear in ears.values():
            ear.close()
        return said, came


def carry(lab: Lab) -> None:
    arrivals = lab.testbed.arrivals(10.0)
    assert [arrival.frame.segment.flags for arrival in arrivals] == [Flags.SYN]
    for arrival in arrivals:
        lab.testbed.deliver(arrival)


def default_route(gateway: str) -> links.Request:
    family = links.family(gateway)
    body = pack("=BBBBBBBBI", family, 0, 0, 0, 254, 3, 0, 1, 4)  # RTNH_F_ONLINK
    body += attribute(4, integer(NIC)) + attribute(5, socket.inet_pton(family, gateway))
    return 24, CREATE | ACK, body


@whoever
@every_family
@every_kind
def test_a_default_route_leads_nowhere(kind, family, rootless):
    said, came = forked(strayed, kind, family, rootless)

    assert set(said.values()) == {"REFUSED"}
    assert len(said) == 5
    assert came == []


def addressed(kind: str, family: Family, rootless: bool) -> dict[str, dict[str, str]]:
    with lab_of(kind, family, rootless) as lab:
        return {to: tried(lab.ways(to)) for to in (SPOOFED[family], GLOBAL[family])}


@whoever
@every_family
def test_only_a_testbed_that_routes_forged_sources_to_nowhere_sends_to_them(family, rootless):
    direct = forked(addressed, "direct", family, rootless)
    stepped = forked(addressed, "stepped", family, rootless)

    assert set(direct[GLOBAL[family]].values()) <= {"REFUSED", "ENETUNREACH"}
    assert set(stepped[GLOBAL[family]].values()) == {"REFUSED"}
    assert set(stepped[SPOOFED[family]].values()) == {"REFUSED"}
    assert direct[SPOOFED[family]]["server's packet socket"] == "sent"
