"""What counts as an answer, and what does not, whatever it claims."""

import time
from dataclasses import replace
from struct import pack

import pytest

from tcplab.analysis.scanning.census import Census, PortState, Proof, Rejection
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.burst.answers import Answers
from tcplab.wire.burst.asked import Asked, Departure
from tcplab.wire.burst.cookies import Cookies
from tcplab.wire.burst.ring import CHECKSUM_NOT_READY, CHECKSUM_VALID, OUTGOING
from tcplab.wire.codec import craft, craft_error
from tests.wire.burst.slots import USER, Slot, run_of

ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8:1::1", "2001:db8:1::2")}
ROUTER = {4: "192.0.2.254", 6: "2001:db8:1::fe"}
OWN = 1024
"""Where the probes left from; OWN + 28 is where timed ones do."""
TIMING = OWN + 28
PROHIBITED = {4: (3, 13), 6: (1, 1)}
every_version = pytest.mark.parametrize("version", [4, 6], ids="IPv{}".format)


class Scan:
    """All ports were asked from OWN."""

    def __init__(self, version: int = 4, *, outgoing: bool = False, local: bool = False) -> None:
        self.version = version
        self.source, self.target = ENDS[version]
        if local:
            self.target = self.source
        self.census = Census((range(1, 65536),))
        self.cookies = Cookies(b"")
        self.asked = Asked(self.source, self.target, self.cookies, self.census)
        self.asked.own_ports.add(OWN)
        self.answers = Answers(self.asked, outgoing=outgoing)

    def answer(self, port: int, flags: Flags, **changes) -> Segment:
        whole = Segment(
            src=Address(self.target, port),
            dst=Address(self.source, OWN),
            seq=Seq(77),
            ack=Seq(self.cookies.of(port)) + 1,
            flags=flags,
            options=(MaximumSegmentSize(1460),) if flags == SYN_ACK else (),
        )
        return replace(whole, **changes)

    def hear(self, *packets: Segment | bytes | Slot) -> int:
        return self.answers.read(run_of(*map(as_slot, packets)))

    def rejected(self, port: int, *, seq: int | None = None, own_port: int = OWN) -> bytes:
        """A router's error about the probe to that port."""
        probe = Segment(
            src=Address(self.source, own_port),
            dst=Address(self.target, port),
            seq=Seq(self.cookies.of(port) if seq is None else seq),
            flags=Flags.SYN,
        )
        kind, code = PROHIBITED[self.version]
        router = ROUTER[self.version]
        return craft_error(craft(probe), src=router, dst=self.source, kind=kind, code=code)


SYN_ACK, RST_ACK = Flags.SYN | Flags.ACK, Flags.RST | Flags.ACK


def as_slot(packet: Segment | bytes | Slot) -> Slot:
    if isinstance(packet, Slot):
        return packet
    return Slot(packet=packet if isinstance(packet, bytes) else craft(packet, hops=55))


# --- answers ------------------------------------------------------------------------------------


@every_version
def test_a_syn_ack_is_open_and_a_reset_is_closed(version):
    scan = Scan(version)

    assert scan.hear(scan.answer(80, SYN_ACK), scan.answer(81, RST_ACK)) == 2
    assert (scan.census.proof(80), scan.census.proof(81)) == (Proof.SYN_ACK, Proof.RST)
    assert (scan.census.ttls[80], scan.census.ttls[81]) == (55, 55)
    assert (scan.census.answered, scan.census.forged, scan.answers.received) == (2, 0, 2)


def test_congestion_and_push_bits_do_not_matter():
    scan = Scan()

    assert (
        scan.hear(scan.answer(80, SYN_ACK | Flags.ECE), scan.answer(81, RST_ACK | Flags.PSH)) == 2
    )
    assert scan.census.state(80) is PortState.OPEN
    assert scan.census.state(81) is PortState.CLOSED


def test_the_first_answer_counts_and_others_are_duplicates():
    scan = Scan()

    assert scan.hear(scan.answer(80, SYN_ACK), scan.answer(80, RST_ACK)) == 1
    assert scan.hear(scan.answer(80, SYN_ACK)) == 0
    assert (scan.census.proof(80), scan.census.duplicates) == (Proof.SYN_ACK, 2)


@every_version
def test_a_thousand_answers_at_once(version):
    scan = Scan(version)
    ports = range(1, 1001)
    packets = [scan.answer(port, SYN_ACK if port % 7 == 0 else RST_ACK) for port in ports]

    assert scan.hear(*packets) == 1000
    assert [scan.census.state(p) is PortState.OPEN for p in ports] == [p % 7 == 0 for p in ports]


# --- forgeries ----------------------------------------------------------------------------------

FORGERIES = {
    "no cookie": {"ack": Seq(0)},
    "acknowledges one too few": "few",
    "acknowledges one too many": "many",
    "to a port that has not asked": {"dst": OWN + 1},
}


@every_version
@pytest.mark.parametrize("flags", [SYN_ACK, RST_ACK], ids=["SYN-ACK", "RST"])
@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_answer_proves_nothing(version, flags, how):
    scan = Scan(version)
    true = scan.answer(80, flags)
    match FORGERIES[how]:
        case "few":
            forged = replace(true, ack=true.ack + -1)
        case "many":
            forged = replace(true, ack=true.ack + 1)
        case {"dst": port}:
            forged = replace(true, dst=Address(scan.source, port))
        case changes:
            forged = replace(true, **changes)

    assert scan.hear(forged) == 0
    assert scan.census.state(80) is PortState.FILTERED
    assert scan.census.forged == 1


@every_version
def test_the_cookie_of_one_port_does_not_open_another(version):
    scan = Scan(version)
    swapped = scan.answer(80, SYN_ACK, src=Address(scan.target, 81))

    assert scan.hear(swapped) == 0
    assert (scan.census.answered, scan.census.forged) == (0, 1)


@pytest.mark.parametrize(
    "flags",
    [Flags.SYN, Flags.ACK, Flags.RST, Flags.FIN | Flags.ACK, SYN_ACK | Flags.FIN, Flags(0)],
    ids=str,
)
def test_flags_that_answer_no_syn_prove_nothing(flags):
    scan = Scan()

    assert scan.hear(scan.answer(80, flags)) == 0
    assert (scan.census.answered, scan.census.forged) == (0, 1)


@every_version
def test_among_true_answers_forged_ones_are_found(version):
    scan = Scan(version)
    packets = [scan.answer(port, RST_ACK) for port in range(1, 50)]
    packets[20] = replace(packets[20], ack=Seq(1))

    assert scan.hear(*packets) == 48
    assert scan.census.of_state(PortState.FILTERED)[0] == 21


# --- damage -------------------------------------------------------------------------------------


def damaged(packet: bytes, at: int) -> bytes:
    return packet[:at] + bytes([packet[at] ^ 0x40]) + packet[at + 1 :]


@every_version
@pytest.mark.parametrize("flags", [SYN_ACK, RST_ACK], ids=["SYN-ACK", "RST"])
def test_a_damaged_answer_proves_nothing(version, flags):
    scan = Scan(version)
    tcp = 20 if version == 4 else 40
    packet = craft(scan.answer(80, flags))
    spoilt = [
        damaged(packet, at) for at in (*range(tcp + 4, tcp + 8), *range(tcp + 14, len(packet)))
    ]

    assert scan.hear(*spoilt) == 0
    assert scan.census.forged == len(spoilt)


@every_version
@pytest.mark.parametrize("status", [CHECKSUM_NOT_READY, CHECKSUM_VALID])
def test_a_sum_that_is_not_there_yet_or_was_checked_is_not_asked_for(version, status):
    scan = Scan(version)
    spoilt = damaged(craft(scan.answer(80, SYN_ACK)), -8)

    assert scan.hear(Slot(packet=spoilt, status=USER | status)) == 1


@every_version
def test_a_packet_that_claims_to_be_shorter_than_its_header_proves_nothing(version):
    scan = Scan(version)
    packet = craft(scan.answer(80, SYN_ACK))
    at, length = (2, 39) if version == 4 else (4, 19)
    lying = packet[:at] + length.to_bytes(2) + packet[at + 2 :]

    assert scan.hear(Slot(packet=lying, status=USER | CHECKSUM_VALID)) == 0
    assert scan.hear(lying) == 0


@every_version
@pytest.mark.parametrize("text", [b"why", b"no, thanks", b"x" * 200], ids=len)
def test_a_reset_may_carry_a_text(version, text):
    scan = Scan(version)

    assert scan.hear(scan.answer(80, RST_ACK, payload=text)) == 1
    assert scan.hear(scan.answer(81, SYN_ACK, payload=b"x" * 200)) == 0


# --- more than two headers ----------------------------------------------------------------------


def with_ip_options(packet: bytes) -> bytes:
    longer = bytes([0x46]) + packet[1:2] + pack("!H", len(packet) + 4) + packet[4:20]
    return longer + b"\x01\x01\x01\x01" + packet[20:]


def with_hop_by_hop(packet: bytes) -> bytes:
    body = bytes([packet[6], 0, 1, 4, 0, 0, 0, 0]) + packet[40:]
    return packet[:4] + pack("!H", len(body)) + b"\0" + packet[7:40] + body


@every_version
def test_options_and_extension_headers_are_read_over(version):
    scan = Scan(version)
    more = with_ip_options if version == 4 else with_hop_by_hop
    packets = [more(craft(scan.answer(port, SYN_ACK), hops=9)) for port in (80, 81, 82)]
    packets[1] = damaged(packets[1], -8)
    elsewhere = more(craft(scan.answer(90, SYN_ACK, dst=Address(scan.source, OWN + 3))))

    assert scan.hear(scan.answer(22, RST_ACK), *packets, elsewhere) == 3
    assert [scan.census.state(p) is PortState.OPEN for p in (80, 81, 82, 90)] == [
        True, False, True, False,
    ]  # fmt: skip
    assert (scan.census.ttls[80], scan.census.forged) == (9, 2)


@every_version
def test_what_ends_in_the_middle_of_a_header_is_no_answer(version):
    scan = Scan(version)
    cut = (with_ip_options if version == 4 else with_hop_by_hop)(craft(scan.answer(80, SYN_ACK)))

    assert scan.hear(cut[:30]) == 0
    assert scan.census.forged == 1


# --- ICMP ---------------------------------------------------------------------------------------


@every_version
def test_an_icmp_error_about_a_probe_rejects_its_port(version):
    scan = Scan(version)
    kind, code = PROHIBITED[version]

    assert scan.hear(scan.answer(80, RST_ACK), scan.rejected(23), scan.answer(81, RST_ACK)) == 3
    assert scan.census.state(23) is PortState.REJECTED
    assert scan.census.rejections == {
        23: Rejection(version=version, type=kind, code=code, reporter=ROUTER[version])
    }


@every_version
def test_an_icmp_error_with_another_sequence_number_is_forged(version):
    scan = Scan(version)

    assert scan.hear(scan.rejected(23, seq=5), scan.rejected(24, seq=scan.cookies.of(23))) == 0
    assert (scan.census.rejections, scan.census.forged) == ({}, 2)


@every_version
def test_an_icmp_error_about_somebody_else_s_segment_is_not_ours(version):
    scan = Scan(version)

    assert scan.hear(scan.rejected(23, own_port=50000)) == 0
    assert (scan.census.rejections, scan.census.forged) == ({}, 0)


@every_version
def test_a_damaged_icmp_error_proves_nothing(version):
    scan = Scan(version)
    packet = scan.rejected(23)
    code = 21 if version == 4 else 41

    assert scan.hear(damaged(packet, code)) == 0
    assert scan.census.rejections == {}


# --- probes that are heard ----------------------------------------------------------------------


@every_version
def test_what_this_host_sends_is_no_answer(version):
    scan = Scan(version, outgoing=True)
    probe = craft(
        Segment(
            src=Address(scan.source, OWN),
            dst=Address(scan.target, 80),
            seq=Seq(scan.cookies.of(80)),
            flags=Flags.SYN,
        )
    )

    assert scan.hear(Slot(packet=probe, kind=OUTGOING), scan.answer(80, SYN_ACK)) == 1
    assert (scan.census.forged, scan.answers.received) == (0, 1)


def test_on_loopback_a_probe_to_an_own_port_is_no_forgery():
    scan = Scan(local=True)
    probe = Segment(
        src=Address(scan.source, OWN),
        dst=Address(scan.source, OWN + 1),
        seq=Seq(scan.cookies.of(OWN + 1)),
        flags=Flags.SYN,
    )

    assert scan.hear(probe, scan.answer(80, SYN_ACK)) == 1
    assert (scan.census.forged, scan.answers.received) == (0, 1)


# --- time ---------------------------------------------------------------------------------------


def departed(ago_ns: int) -> Departure:
    return Departure(realtime_ns=time.time_ns() - ago_ns, monotonic_ns=time.monotonic_ns() - ago_ns)


@every_version
def test_the_round_trip_of_a_sample_is_from_departure_to_the_kernel_s_stamp(version):
    scan = Scan(version)
    left = departed(10**9)
    scan.answers.sample(80, OWN, left)
    at_ns = left.realtime_ns + 1234

    scan.hear(Slot(packet=craft(scan.answer(80, SYN_ACK)), at_ns=at_ns))
    assert scan.answers.rtt_ns == 1234


def test_an_answer_to_an_earlier_round_is_no_sample():
    scan = Scan()
    scan.asked.own_ports.add(OWN + 1)
    scan.answers.expect()
    scan.answers.sample(80, OWN + 1, departed(10**9))

    assert scan.hear(scan.answer(80, SYN_ACK)) == 1
    assert scan.answers.rtt_ns is None


@pytest.mark.parametrize("off_ns", [-5, 10**12])
def test_a_clock_that_was_set_meanwhile_gives_no_sample(off_ns):
    scan = Scan()
    left = departed(10**9)
    scan.answers.sample(80, OWN, left)

    scan.hear(Slot(packet=craft(scan.answer(80, SYN_ACK)), at_ns=left.realtime_ns + off_ns))
    assert scan.answers.rtt_ns is None


@every_version
@pytest.mark.parametrize("odd", [False, True])
def test_a_timed_answer_is_timed_and_not_counted(version, odd):
    scan = Scan(version)
    scan.hear(scan.answer(80, SYN_ACK))
    scan.asked.timing_ports.add(TIMING)
    scan.answers.expect()
    left = departed(10**9)
    scan.answers.sample(80, TIMING, left)
    packet = craft(scan.answer(80, SYN_ACK, dst=Address(scan.source, TIMING)))
    if odd:
        packet = (with_ip_options if version == 4 else with_hop_by_hop)(packet)

    assert scan.hear(Slot(packet=packet, at_ns=left.realtime_ns + 4321)) == 0
    assert scan.census.rtts_ns == {80: 4321}
    assert scan.census.duplicates == 0


def test_a_forged_answer_is_not_timed():
    scan = Scan()
    scan.asked.timing_ports.add(TIMING)
    scan.answers.expect()
    scan.answers.sample(80, TIMING, departed(10**9))
    forged = scan.answer(80, SYN_ACK, dst=Address(scan.source, TIMING), ack=Seq(9))

    scan.hear(forged)
    assert (scan.census.rtts_ns, scan.census.forged) == ({}, 1)
