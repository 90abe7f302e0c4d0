from dataclasses import replace

import pytest

from tcplab.timeline.timeline import Stack

from .ladder import DATA, NIC, OPEN, SERVER, finding, ids, ladder

BEHIND_GATEWAY = replace(NIC, gateway="198.51.100.1")


def on_nic(text, testbed=NIC, **more):
    return ladder(text, server=Stack.REMOTE, testbed=testbed, **more)


def test_closed_port_answers_rst_ack_of_isn_plus_1():
    timeline = ladder("client S\nserver RA seq=-100")
    assert finding(timeline, "open.closed") == (
        "no",
        (
            "Port 80 is closed: the server answered the SYN with RST, ACK, and its ACK is ISN + 1 "
            "(4294967291), so it is an answer to this SYN."
        ),
        (0, 1),
    )
    assert ids(timeline) == ["open.closed"]


@pytest.mark.parametrize("reset", ["RA ack=9", "R"])
def test_rst_that_does_not_acknowledge_the_syn_is_inconclusive(reset):
    assert finding(ladder(f"client S\nserver {reset}"), "open.closed") == (
        "inconclusive",
        (
            "An RST came that does not acknowledge the SYN (ISN + 1 is 4294967291): it proves "
            "nothing, and a TCP in SYN-SENT ignores it (RFC 9293 §3.10.7.3)."
        ),
        (0, 1),
    )


def test_rst_that_never_arrived_is_no_answer():
    assert ids(ladder("client S\nserver RA fate=dropped")) == ["open.silent"]


def test_rst_nearer_than_the_hosts_own_syn_ack_was_made_in_between():
    timeline = on_nic("client S ttl=64\nserver SA ttl=61\nclient A ttl=64\nserver R ttl=64")
    assert finding(timeline, "open.middle-reset") == (
        "no",
        (
            "The server did not send this RST, a device in between did: it came with TTL 64 "
            "(hops: 0), the server's own [SYN, ACK] with 61 (hops: 3)."
        ),
        (1, 3),
    )
    assert finding(timeline, "close.abort") is None


def test_rst_from_as_far_as_the_syn_ack_is_the_hosts_own():
    # Some systems send resets with a TTL that began at 255, and all else with 64.
    timeline = on_nic("client S\nserver SA ttl=61\nclient A\nserver R ttl=252")
    assert finding(timeline, "open.middle-reset") is None
    assert finding(timeline, "close.abort")[0] == "yes"


def test_rst_over_hops_from_a_neighbour_was_made_in_between():
    timeline = on_nic("client S\nserver RA ttl=63")
    assert finding(timeline, "open.middle-reset") == (
        "no",
        (
            "The server did not send this RST, a device in between did: it came with TTL 63 "
            "(hops: 1), but the server is on the same link."
        ),
        (1,),
    )
    assert finding(timeline, "open.closed") is None


def test_rst_without_hops_from_behind_a_gateway_is_the_gateway_s():
    timeline = on_nic("client S\nserver RA ttl=255", BEHIND_GATEWAY)
    assert finding(timeline, "open.middle-reset") == (
        "no",
        (
            "The RST came with TTL 255, so it passed no router: the gateway 198.51.100.1 made it, "
            "either for itself (if 192.0.2.2 is one of its addresses) or for a host behind it."
        ),
        (1,),
    )


TWO_ANSWERS = (
    "The SYN got two answers, RST, ACK and SYN, ACK, and each acknowledges ISN + 1 (4294967291). "
    "One TCP gives only one of them: a device in between sent the RST in the name of the server."
)


def test_rst_before_the_syn_ack_was_made_in_between():
    timeline = on_nic("client S\nserver RA seq=-100\nserver SA\nclient R seq=1")
    assert finding(timeline, "open.middle-reset") == ("no", TWO_ANSWERS, (1, 2))
    assert finding(timeline, "open.closed") is None
    assert finding(timeline, "open.three-way")[:2] == (
        "no",
        (
            "The SYN, ACK came when an RST had ended the attempt already, so the client did not "
            "acknowledge it."
        ),
    )


def test_rst_of_a_closed_port_after_the_syn_ack_was_made_in_between():
    timeline = on_nic("client S\nserver SA\nserver RA seq=-100 ack=1\nclient A")
    assert finding(timeline, "open.middle-reset") == ("no", TWO_ANSWERS, (1, 2))
    assert finding(timeline, "close.abort") is None


def test_rst_beside_the_syn_ack_is_told_by_its_ttl_where_that_speaks():
    timeline = on_nic("client S\nserver RA seq=-100 ttl=64\nserver SA ttl=61\nclient R seq=1")
    assert "TTL 64 (hops: 0)" in finding(timeline, "open.middle-reset")[1]


def test_rst_with_the_connections_numbers_is_an_abort_of_it():
    timeline = on_nic("client S\nserver SA\nclient A\nserver RA ack=1")
    assert finding(timeline, "open.middle-reset") is None
    assert finding(timeline, "close.abort")[0] == "yes"


def test_rst_over_ip6_speaks_of_the_hop_limit():
    timeline = on_nic("client S\nserver RA ttl=63", ip6=True)
    _verdict, sentence, _events = finding(timeline, "open.middle-reset")
    assert "it came with hop limit 63" in sentence


@pytest.mark.parametrize(
    ("ttl", "testbed", "link_octets"),
    [
        (64, NIC, 14),
        (57, BEHIND_GATEWAY, 14),
        (57, NIC, 0),  # a tunnel: no gateway, and any distance
        (63, replace(NIC, interface="lo"), 14),
    ],
)
def test_rst_that_fits_the_route_is_the_hosts_own(ttl, testbed, link_octets):
    timeline = on_nic(f"client S\nserver RA ttl={ttl}", testbed, link_octets=link_octets)
    assert ids(timeline) == ["open.closed"]


def test_abort_tells_what_the_application_saw():
    timeline = ladder(
        OPEN
        + DATA
        + """
        client abort() 0           | CLOSED  ESTABLISHED
        client RA                  | CLOSED  CLOSED
        server read() ECONNRESET   | CLOSED  CLOSED
        server close() 0           | CLOSED  CLOSED
    """
    )
    assert finding(timeline, "close.abort") == (
        "yes",
        (
            "Abort: the client sent RST, which nobody acknowledges, and the connection is gone at "
            "once, without TIME-WAIT at either end. What the applications saw: read() at the "
            "server failed with ECONNRESET."
        ),
        (8, 9),
    )
    assert finding(timeline, "close.unfinished") is None


def test_abort_without_a_call_afterwards():
    timeline = ladder(OPEN + "client RA | CLOSED CLOSED")
    assert finding(timeline, "close.abort") == (
        "yes",
        (
            "Abort: the client sent RST, which nobody acknowledges, and the connection is gone at "
            "once, without TIME-WAIT at either end."
        ),
        (5,),
    )


def test_abort_that_the_other_end_survives_is_no():
    timeline = ladder(OPEN + "client R seq=900 | CLOSED ESTABLISHED")
    assert finding(timeline, "close.abort") == (
        "no",
        "The RST of the client did not end the connection: the server is still in ESTABLISHED.",
        (5,),
    )


def test_abort_that_leaves_time_wait_is_no():
    timeline = ladder(OPEN + "client R | TIME-WAIT CLOSED")
    assert finding(timeline, "close.abort") == (
        "no",
        "The client sent RST, and yet the client went through TIME-WAIT.",
        (5,),
    )


def test_rst_after_both_ends_closed_is_no_abort():
    timeline = ladder(OPEN + "client FA\nserver A\nserver FA\nclient A\nserver R")
    assert finding(timeline, "close.abort") is None


SHIELDED = "client S\nserver SA\nclient A\ncount client TcpOutRsts 0\n"


def test_shield_kernel_that_sent_no_rst_kept_out():
    assert finding(on_nic(SHIELDED), "open.shield") == (
        "yes",
        (
            "This machine's kernel kept out of the crafted connection: it sent no reset "
            "(TcpOutRsts did not rise)."
        ),
        (3,),
    )


def test_shield_rst_while_tcplab_s_own_tcp_goes_on_is_the_kernel_s_and_no():
    broken = """
        client S  | SYN-SENT     LISTEN
        server SA | ESTABLISHED  SYN-RECEIVED
        client R  | ESTABLISHED  CLOSED
        count client TcpOutRsts 1
    """
    assert finding(on_nic(broken), "open.shield") == (
        "no",
        "This machine's own kernel reset the crafted connection.",
        (2, 3),
    )


def test_shield_resets_of_others_meanwhile_are_not_held_against_it():
    others = "client S\nserver SA\nclient A\ncount client TcpOutRsts 2"
    assert finding(on_nic(others), "open.shield") == (
        "yes",
        (
            "This machine's kernel kept out of the crafted connection; the resets that it sent "
            "meanwhile (TcpOutRsts rose by 2) belong to others."
        ),
        (3,),
    )


def test_shield_resets_of_the_far_end_on_loopback_are_its_own():
    timeline = on_nic("client S\nserver RA\ncount client TcpOutRsts 1")
    loopback = replace(timeline, testbed=replace(timeline.testbed, interface="lo"))
    verdict, sentence, _events = finding(loopback, "open.shield")
    assert (verdict, "which is this kernel as well" in sentence) == ("yes", True)


@pytest.mark.parametrize(
    "timeline",
    [
        on_nic("client S\nserver SA\nclient A"),
        on_nic(SHIELDED, client=Stack.KERNEL),
        ladder(SHIELDED),
        on_nic("client S\nserver SA\nclient A\ncount server TcpOutRsts 2"),
    ],
    ids=["nobody read the counters", "kernel client", "namespace", "another host's counters"],
)
def test_shield_is_not_told_where_there_is_nothing_to_tell(timeline):
    assert finding(timeline, "open.shield") is None


def test_the_servers_port_is_named():
    _verdict, sentence, _events = finding(ladder("client S\nserver RA"), "open.closed")
    assert f"Port {SERVER.port} " in sentence
