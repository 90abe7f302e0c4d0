"""What befalls whole hosts: cables pulled, reboots, other addresses; all on the real kernel."""

from pathlib import Path

import pytest

from tcplab.kernel.carrier import is_operational
from tcplab.kernel.routes import route_to
from tcplab.scenario.calls import Close, Connect, Drain, Error, Listen, Read, Send, Shutdown, Stream
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.steps import Connection
from tcplab.tcp.states import State
from tcplab.testbed.plan import Family
from tests.live import forked
from tests.testbed.driving import driven, settings

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())
NIC = 2
BOTH_OPEN = (State.ESTABLISHED, State.ESTABLISHED)
ROUNDS = 20


def nic(lab, host: str) -> tuple[bool, bool, bool]:
    """(set up, carrier, operational), as that host's own kernel says."""
    with lab.testbed._homes[host].namespace.entered():
        link = route_to(lab.testbed.ip("client" if host == "server" else "server")).link
        return link.up, link.carrier, is_operational(NIC)


def cut_and_restored(family):
    with driven(family) as lab:
        lab.establish()
        seen = [nic(lab, "server")]
        lab.testbed.cut("server")
        seen.append(nic(lab, "server"))
        other = nic(lab, "client")
        lab.carried.clear()
        lab.call("client", Send(b"into the void"))
        lab.call("server", Send(b"out of it"))
        lost, carried = [sender for sender, _segment in lab.lost], lab.flags()
        lab.testbed.restore("server")
        seen.append(nic(lab, "server"))
        return seen, other, lost, carried, lab.states()


@every_family
def test_a_cut_takes_the_carrier_from_the_host_and_frames_are_lost(family):
    seen, other, lost, carried, states = forked(cut_and_restored, family)

    assert seen == [(True, True, True), (True, False, False), (True, True, True)]
    assert other == (True, True, True)
    assert lost == ["client"]
    assert carried == []  # what the cut host sends does not get out
    assert states == BOTH_OPEN


def cut_often(family):
    """Every first frame after a cable is plugged in again, in both directions."""
    with driven(family) as lab:
        lab.establish()
        read = []
        for _ in range(ROUNDS):
            lab.testbed.cut("server")
            lab.testbed.restore("server")
            lab.call("client", Send(b"x"))
            read.append(lab.call("server", Read()).result)
            lab.call("server", Send(b"y"))
            read.append(lab.call("client", Read()).result)
        lab.call("client", Connect(), "b")
        return read, lab.states("b"), lab.lost


@every_family
def test_after_restore_not_one_frame_is_lost(family):
    read, states, lost = forked(cut_often, family)

    assert read == ["1"] * 2 * ROUNDS
    assert states == BOTH_OPEN
    assert lost == []


def cut_during_a_download():
    hosts = tuple(HostSettings(name=name, quickack=True) for name in ("client", "server"))
    with driven(hosts=hosts) as lab:
        lab.establish()
        client, server = lab.testbed.hosts["client"], lab.testbed.hosts["server"]
        server.call("a", lab.flow(), Stream(octets=500_000))
        client.call("a", lab.flow(), Drain())
        lab.testbed.cut("client")
        lab.until(lambda: server.info(lab.flow())["backoff"] >= 1)
        stuck = lab.states(), client.octets("a")[0]
        lab.testbed.restore("client")
        lab.until(lambda: client.octets("a")[0] == 500_000)
        return stuck, lab.states()


def test_a_download_survives_a_cut():
    assert forked(cut_during_a_download) == ((BOTH_OPEN, 0), BOTH_OPEN)


# --- reboot -------------------------------------------------------------------------------------

RETRIES = Sysctl(name="net.ipv4.tcp_retries2", value="3")


def rebooted(family):
    with driven(family, settings(RETRIES)) as lab:
        lab.establish()
        lab.call("server", Send(b"unread"))
        lab.flags()
        lab.testbed.reboot("server")
        lab.run()
        silence = lab.flags()
        states, octets = lab.states(), lab.testbed.hosts["server"].octets("a")
        with lab.testbed._homes["server"].namespace.entered():
            retries = Path("/proc/sys/net/ipv4/tcp_retries2").read_text().strip()
        lab.call("client", Send(b"remember me?"))
        said, error = lab.flags(), lab.call("client", Error()).result
        lab.establish("b")
        return silence, states, octets, retries, said, error, lab.states("b"), lab.testbed.settings


@every_family
def test_a_rebooted_host_remembers_nothing_and_says_nothing_until_asked(family):
    silence, states, octets, retries, said, error, again, told = forked(rebooted, family)

    assert silence == []
    assert states == (State.ESTABLISHED, State.CLOSED)
    assert octets == (0, 0)
    assert retries == "3"
    assert said == [("client", "PA"), ("server", "R")]
    assert error == "ECONNRESET"
    assert again == BOTH_OPEN
    assert [(each.name, each.value) for each in told] == [("net.ipv4.tcp_retries2", "3")]


def existence_forgotten():
    """A connection that existed, and then a listener on the host that came back."""
    with driven() as lab:
        lab.establish()
        lab.testbed.reboot("server")
        lab.call("server", Listen())
        return lab.testbed.hosts["server"].look(lab.flow()).state


def test_a_rebooted_host_s_listener_is_the_connection_s_end_again():
    assert forked(existence_forgotten) is State.LISTEN


def rebooted_while_cut():
    with driven() as lab:
        lab.testbed.cut("server")
        lab.testbed.reboot("server")
        cut = nic(lab, "server")
        lab.testbed.restore("server")
        lab.establish()
        return cut


def test_a_reboot_does_not_mend_the_cable():
    assert forked(rebooted_while_cut) == (True, False, False)


# --- another address ----------------------------------------------------------------------------


def readdressed(family, host: str):
    with driven(family) as lab:
        lab.establish()
        old = lab.testbed.ip(host)
        lab.testbed.readdress(host, 7)
        other = "server" if host == "client" else "client"
        lab.carried.clear()
        lab.call(other, Send(b"to the old address"))
        lost = [(sender, segment.dst.ip) for sender, segment in lab.lost]
        lab.establish("b", listen=host == "server")  # the old one listens at the old address
        lab.call("client", Send(b"hello"), "b")
        read = lab.call("server", Read(), "b").data
        fresh = lab.flow("b")
        ends = {"client": fresh.client.ip, "server": fresh.server.ip}
        return lost == [(other, old)], ends[host], lab.testbed.hosts[host].ip, read


@every_family
@pytest.mark.parametrize("host", ["client", "server"])
def test_a_host_moves_to_another_address(family, host):
    lost, address, ip, read = forked(readdressed, family, host)

    assert lost
    assert address == ip == {Family.IPV4: "192.0.2.7", Family.IPV6: "2001:db8::7"}[family]
    assert read == b"hello"


def there_and_back(family):
    with driven(family) as lab:
        lab.establish()
        lab.testbed.readdress("client", 7)
        lab.call("server", Send(b"lost"))
        lab.testbed.readdress("client", 1)
        lab.carried.clear()
        lab.call("client", Send(b"back"))
        return lab.call("server", Read()).data, len(lab.lost)


@every_family
def test_a_host_that_comes_back_to_its_address_has_its_connections_again(family):
    assert forked(there_and_back, family) == (b"back", 1)


def address_taken():
    with driven() as lab:
        with pytest.raises(ValueError, match="another host"):
            lab.testbed.readdress("client", 2)
        lab.establish()
        return lab.testbed.ip("client")


def test_an_address_is_not_given_twice():
    assert forked(address_taken) == "192.0.2.1"


# --- connections that scenarios name ------------------------------------------------------------


def flows():
    with driven() as lab:
        plain = [lab.testbed.flow(Connection(name=f"c{n}")) for n in range(500)]
        fixed = lab.testbed.flow(Connection(name="x", client_port=1234, server_port=81))
        like = lab.testbed.flow(Connection(name="y", client_port="x"), fixed)
        return plain, fixed, like


def test_flows_have_ports_of_their_own_unless_they_share_them():
    plain, fixed, like = forked(flows)

    ports = [flow.client.port for flow in plain]
    assert len(set(ports)) == len(ports)
    assert all(32768 <= port < 61000 for port in ports)
    assert {flow.server.port for flow in plain} == {80}
    assert (fixed.client.port, fixed.server.port) == (1234, 81)
    assert (like.client, like.server.port) == (fixed.client, 80)


def ended_while_cut():
    with driven() as lab:
        lab.establish()
        lab.testbed.cut("client")
        lab.testbed.cut("server")
        lab.call("client", Shutdown())
        lab.call("server", Close())
        return lab.flags(), lab.testbed.drops()


def test_with_every_cable_cut_nothing_passes_and_nothing_raises():
    flags, drops = forked(ended_while_cut)

    assert ("client", "FA") not in flags
    assert drops == 0
