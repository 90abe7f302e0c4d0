"""Firewalls, a NAT that forgets, a router that knows no way: what passes, what they answer."""

from dataclasses import replace

import pytest

from tcplab.scenario.wire import Refusal
from tcplab.tcp.flags import Flags, from_letters
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import Fate
from tcplab.wire.compose import ethernet, reporting
from tcplab.wire.frame import Frame, IcmpError, decode
from tcplab.wire.judgement import Judgement, Middlebox
from tcplab.wire.middlebox import Firewall, ForgetIdle, Unreachable
from tcplab.wire.passage import Arrival
from tcplab.wire.pump import Pump

CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
CLIENT = {4: Address("192.0.2.1", 40000), 6: Address("2001:db8::1", 40000)}
SERVER = {4: Address("192.0.2.2", 80), 6: Address("2001:db8::2", 80)}
ARP = decode(bytes(12) + b"\x08\x06" + bytes(28))
AFTER_NS = 5_000_000_000

PASSES = Judgement(passes=True)
VANISHES = Judgement(passes=False)

both = pytest.mark.parametrize("version", [4, 6])


def from_client(flags: str, version: int = 4, *, sport: int = 40000, port: int = 80, **fields):
    segment = Segment(
        src=replace(CLIENT[version], port=sport),
        dst=replace(SERVER[version], port=port),
        flags=from_letters(flags),
        **{"seq": Seq(1000), "ack": Seq(5000 if "A" in flags else 0), **fields},
    )
    frame = ethernet(segment, src_mac=CLIENT_MAC, dst_mac=SERVER_MAC)
    return Arrival(sender="client", at_ns=0, frame=frame)


def from_server(flags: str, version: int = 4):
    segment = Segment(
        src=SERVER[version],
        dst=CLIENT[version],
        flags=from_letters(flags),
        seq=Seq(5000),
        ack=Seq(1001),
    )
    frame = ethernet(segment, src_mac=SERVER_MAC, dst_mac=CLIENT_MAC)
    return Arrival(sender="server", at_ns=0, frame=frame)


def firewall(refusal: Refusal, version: int = 4, port: int | None = 80) -> Firewall:
    return Firewall(name="wall", port=port, refusal=refusal, ip=SERVER[version].ip)


def the_reply(box: Middlebox, arrival: Arrival, now_ns: int = 0) -> Frame:
    """The one answer to a frame that is refused; it goes back over the link it came by."""
    judgement = box.judge(arrival, now_ns)
    assert not judgement.passes
    (reply,) = judgement.replies
    assert reply.octets[:12] == arrival.frame.octets[6:12] + arrival.frame.octets[:6]
    assert reply == decode(reply.octets)
    return reply


def from_port_80(version: int = 4, **fields) -> Segment:
    """A segment without data to the client, with a checksum that fits."""
    return Segment(src=SERVER[version], dst=CLIENT[version], checksum_ok=True, **fields)


# --- firewall -----------------------------------------------------------------------------------


@both
def test_firewall_drops_in_silence(version):
    assert firewall(Refusal.DROP, version).judge(from_client("S", version), 0) == VANISHES


@pytest.mark.parametrize("refusal", Refusal)
def test_firewall_lets_other_ports_pass(refusal):
    assert firewall(refusal).judge(from_client("S", port=81), 0) == PASSES


@pytest.mark.parametrize("refusal", Refusal)
def test_firewall_lets_pass_what_the_host_sends(refusal):
    assert firewall(refusal).judge(from_server("SA"), 0) == PASSES


def test_firewall_lets_the_same_port_of_another_host_pass():
    other = replace(firewall(Refusal.DROP), ip="192.0.2.66")

    assert other.judge(from_client("S"), 0) == PASSES


@pytest.mark.parametrize("port", [1, 80, 65535])
def test_firewall_without_a_port_refuses_every_one(port):
    assert firewall(Refusal.DROP, port=None).judge(from_client("S", port=port), 0) == VANISHES


@pytest.mark.parametrize("refusal", Refusal)
def test_firewall_lets_pass_what_is_not_tcp(refusal):
    arp = Arrival(sender="client", at_ns=0, frame=ARP)

    assert firewall(refusal, port=None).judge(arp, 0) == PASSES


@both
def test_firewall_rst_syn_is_refused_as_by_a_closed_port(version):
    reply = the_reply(firewall(Refusal.RST, version), from_client("S", version))

    assert reply.segment == from_port_80(
        version, seq=Seq(0), ack=Seq(1001), flags=Flags.RST | Flags.ACK
    )


def test_firewall_rst_acknowledges_data_and_fin_too():
    arrival = from_client("SF", payload=b"data", seq=Seq(2**32 - 2))
    reply = the_reply(firewall(Refusal.RST), arrival)

    assert reply.segment == from_port_80(seq=Seq(0), ack=Seq(4), flags=Flags.RST | Flags.ACK)


@both
@pytest.mark.parametrize("flags", ["A", "PA", "FA", "SA"])
def test_firewall_rst_takes_its_number_from_an_ack(version, flags):
    reply = the_reply(firewall(Refusal.RST, version), from_client(flags, version))

    assert reply.segment == from_port_80(version, seq=Seq(5000), flags=Flags.RST)


@pytest.mark.parametrize("flags", ["R", "RA"])
def test_firewall_rst_never_answers_a_rst(flags):
    assert firewall(Refusal.RST).judge(from_client(flags), 0) == VANISHES


@pytest.mark.parametrize(("version", "kind", "code"), [(4, 3, 13), (6, 1, 1)])
def test_firewall_icmp_says_administratively_prohibited_in_the_host_s_name(version, kind, code):
    arrival = from_client("S", version)
    reply = the_reply(firewall(Refusal.ICMP, version), arrival)

    assert (reply.src_ip, reply.dst_ip) == (SERVER[version].ip, CLIENT[version].ip)
    assert reply.icmp == IcmpError(
        version=version,
        type=kind,
        code=code,
        quoted_src=CLIENT[version],
        quoted_dst=SERVER[version],
        quoted_seq=Seq(1000),
    )


# --- router -------------------------------------------------------------------------------------

ROUTER = {4: "192.0.2.254", 6: "2001:db8::fe"}


@pytest.mark.parametrize(("version", "kind", "code"), [(4, 3, 1), (6, 1, 3)])
@pytest.mark.parametrize("flags", ["S", "PA", "R"])
def test_unreachable_host_is_reported_by_a_router(version, kind, code, flags):
    box = Unreachable(name="router", ip=SERVER[version].ip)
    reply = the_reply(box, from_client(flags, version))

    assert (reply.src_ip, reply.dst_ip) == (ROUTER[version], CLIENT[version].ip)
    assert reply.icmp == IcmpError(
        version=version,
        type=kind,
        code=code,
        quoted_src=CLIENT[version],
        quoted_dst=SERVER[version],
        quoted_seq=Seq(1000),
    )


@both
def test_unreachable_host_is_heard_all_the_same(version):
    box = Unreachable(name="router", ip=SERVER[version].ip)

    assert box.judge(from_server("A", version), 0) == PASSES


@both
def test_unreachable_host_gets_no_icmp_and_nobody_is_told(version):
    """No ICMP error is ever sent about an ICMP error (RFC 792, RFC 4443 §2.4)."""
    kind, code = (3, 13) if version == 4 else (1, 1)
    error = reporting(
        from_server("A", version).frame, src_ip=CLIENT[version].ip, kind=kind, code=code
    )
    box = Unreachable(name="router", ip=SERVER[version].ip)

    assert box.judge(Arrival(sender="client", at_ns=0, frame=error), 0) == VANISHES


def test_unreachable_host_can_still_be_asked_for_by_arp():
    box = Unreachable(name="router", ip=SERVER[4].ip)

    assert box.judge(Arrival(sender="client", at_ns=0, frame=ARP), 0) == PASSES


# --- a NAT that forgets -------------------------------------------------------------------------


def forgetful(*, resets: bool = False) -> ForgetIdle:
    return ForgetIdle(name="nat", after_ns=AFTER_NS, resets=resets)


def test_forget_idle_lets_a_busy_flow_pass():
    nat = forgetful()

    for turn in range(5):
        assert nat.judge(from_client("A"), turn * (AFTER_NS - 1)) == PASSES


def test_forget_idle_keeps_a_flow_that_is_busy_the_other_way():
    nat = forgetful()

    assert nat.judge(from_client("S"), 0) == PASSES
    assert nat.judge(from_server("SA"), AFTER_NS - 1) == PASSES
    assert nat.judge(from_client("A"), 2 * AFTER_NS - 2) == PASSES


@pytest.mark.parametrize("late", [from_client("PA"), from_server("PA")])
def test_forget_idle_drops_either_way_once_the_flow_is_forgotten(late):
    nat = forgetful()
    nat.judge(from_client("A"), 0)

    assert nat.judge(late, AFTER_NS) == VANISHES
    assert nat.judge(late, AFTER_NS + 1) == VANISHES  # what is dropped keeps nothing known


@both
def test_forget_idle_resets_the_sender_with_the_number_that_it_acknowledged(version):
    nat = forgetful(resets=True)
    nat.judge(from_client("A", version), 0)
    reply = the_reply(nat, from_client("PA", version, payload=b"data"), AFTER_NS)

    assert reply.segment == from_port_80(version, seq=Seq(5000), flags=Flags.RST)


def test_forget_idle_resets_the_server_in_the_client_s_name():
    nat = forgetful(resets=True)
    nat.judge(from_client("A"), 0)
    reply = the_reply(nat, from_server("PA"), AFTER_NS)

    assert reply.segment == Segment(
        src=CLIENT[4], dst=SERVER[4], seq=Seq(1001), flags=Flags.RST, checksum_ok=True
    )


def test_forget_idle_never_answers_a_rst():
    nat = forgetful(resets=True)
    nat.judge(from_client("A"), 0)

    assert nat.judge(from_client("R"), AFTER_NS) == VANISHES


def test_forget_idle_a_syn_makes_the_flow_known_again():
    nat = forgetful()
    nat.judge(from_client("A"), 0)

    assert nat.judge(from_client("S"), AFTER_NS) == PASSES
    assert nat.judge(from_server("SA"), AFTER_NS + 1) == PASSES


def test_forget_idle_a_syn_ack_opens_nothing():
    nat = forgetful()
    nat.judge(from_client("S"), 0)

    assert nat.judge(from_server("SA"), AFTER_NS) == VANISHES


def test_forget_idle_learns_a_flow_that_is_older_than_itself():
    assert forgetful().judge(from_client("PA"), 10 * AFTER_NS) == PASSES


def test_forget_idle_knows_flows_apart():
    nat = forgetful()
    nat.judge(from_client("A"), 0)
    nat.judge(from_client("A", sport=40001), AFTER_NS - 1)

    assert nat.judge(from_client("A"), AFTER_NS) == VANISHES
    assert nat.judge(from_client("A", sport=40001), AFTER_NS) == PASSES


def test_forget_idle_lets_pass_what_is_not_tcp():
    assert forgetful().judge(Arrival(sender="client", at_ns=0, frame=ARP), 0) == PASSES


def test_forget_idle_remembers_so_many_flows_and_no_more():
    """The one that was idle longest is taken for a new one, once 4096 others have passed."""
    nat = forgetful()
    arrival = from_client("A")
    ends = arrival.frame.segment

    def other(number: int) -> Arrival:
        segment = replace(ends, src=Address("192.0.2.9", number))
        return replace(arrival, frame=replace(arrival.frame, segment=segment))

    nat.judge(arrival, 0)
    nat.judge(from_client("A", sport=40001), 0)
    nat.judge(arrival, 0)  # so that the other one is idle longest
    for number in range(4095):
        nat.judge(other(number), 0)

    assert nat.judge(arrival, AFTER_NS) == VANISHES
    assert nat.judge(other(0), AFTER_NS) == VANISHES
    assert nat.judge(from_client("A", sport=40001), AFTER_NS) == PASSES


# --- on the wire --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "box",
    [
        firewall(Refusal.RST),
        Unreachable(name="router", ip=SERVER[4].ip),
        ForgetIdle(name="nat", after_ns=0, resets=True),
    ],
    ids=lambda box: box.name,
)
def test_each_stands_on_the_wire_by_its_name_until_it_is_lifted(box):
    wire = Pump()
    wire.middlebox(box)
    box.judge(from_client("A"), 0)  # so that the NAT has something to forget
    wire.take(from_client("A"), 0)
    refused, reply = wire.due(0), wire.due(0)
    wire.lift(box.name)
    wire.take(from_client("A"), 0)

    assert (refused.fate, refused.rule) == (Fate.DROPPED, box.name)
    assert (reply.fate, reply.rule, reply.arrival.sender) == (Fate.INJECTED, box.name, box.name)
    assert wire.due(0).fate is Fate.DELIVERED
