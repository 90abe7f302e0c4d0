import pytest

from .ladder import SERVER, finding, ids, ladder

FOUR_SYNS = """
    @0 client S
    @1000 client S seq=0
    @3000 client S seq=0
    @7000 client S seq=0
    @15000 client close() 0
"""


def test_silence_lists_when_each_syn_was_sent():
    timeline = ladder(FOUR_SYNS)
    assert finding(timeline, "open.silent") == (
        "no",
        (
            "Nobody answered 4 SYNs in 15.0 s (sent at 0.0, 1.0, 3.0, 7.0 s: each wait twice "
            "the one before, the back-off of RFC 6298). Either a firewall drops what is sent "
            "there, or the host is down."
        ),
        (0, 1, 2, 3),
    )
    assert ids(timeline) == ["open.silent"]


def test_silence_with_even_waits_does_not_claim_back_off():
    timeline = ladder("@0 client S\n@1000 client S seq=0\n@2000 client S seq=0")
    _verdict, sentence, _events = finding(timeline, "open.silent")
    assert sentence.startswith("Nobody answered 3 SYNs in 2.0 s (sent at 0.0, 1.0, 2.0 s). ")


def test_silence_after_one_syn():
    timeline = ladder("@0 client S\n@2500 client close() 0")
    assert finding(timeline, "open.silent") == (
        "no",
        (
            "Nobody answered the one SYN in 2.5 s. Either a firewall drops what is sent there, or "
            "the host is down."
        ),
        (0,),
    )


def test_silence_that_the_wire_made_is_told_so():
    timeline = ladder("@0 client S fate=dropped\n@1000 client S seq=0 fate=dropped")
    _verdict, sentence, _events = finding(timeline, "open.silent")
    assert sentence.endswith("The wire let nothing through.")


def test_silence_is_inconclusive_when_interrupted():
    verdict, _sentence, _events = finding(ladder(FOUR_SYNS, interrupted=True), "open.silent")
    assert verdict == "inconclusive"


def test_an_answer_is_no_silence():
    assert finding(ladder("client S\nserver RA"), "open.silent") is None


PROHIBITING = ["3/9", "3/10", "3/13"]
PROHIBITING_6 = ["1/1", "1/5", "1/6"]


@pytest.mark.parametrize("kind", PROHIBITING)
def test_icmp_of_a_prohibition_is_prohibited(kind):
    assert ids(ladder(f"client S\nicmp {kind} 198.51.100.1")) == ["open.prohibited"]


@pytest.mark.parametrize("kind", PROHIBITING_6)
def test_icmp6_of_a_prohibition_is_prohibited(kind):
    assert ids(ladder(f"client S\nicmp {kind} 2001:db8:1::1", ip6=True)) == ["open.prohibited"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("3/0", "network unreachable (type 3, code 0)"),
        ("3/1", "host unreachable (type 3, code 1)"),
        ("3/3", "port unreachable (type 3, code 3)"),
        ("11/0", "TTL exceeded on the way (type 11, code 0)"),
        ("3/99", "type 3, code 99"),
    ],
)
def test_icmp_says_what_is_unreachable_and_who_reports_it(kind, words):
    assert finding(ladder(f"client S\nicmp {kind} 198.51.100.1"), "open.unreachable") == (
        "no",
        f"A router on the way (198.51.100.1) reports: {words}.",
        (0, 1),
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("1/0", "no route to destination (type 1, code 0)"),
        ("1/3", "address unreachable (type 1, code 3)"),
        ("1/4", "port unreachable (type 1, code 4)"),
        ("3/0", "hop limit exceeded on the way (type 3, code 0)"),
    ],
)
def test_icmp6_says_what_is_unreachable_and_who_reports_it(kind, words):
    timeline = ladder(f"client S\nicmp {kind} 2001:db8:1::1", ip6=True)
    assert finding(timeline, "open.unreachable") == (
        "no",
        f"A router on the way (2001:db8:1::1) reports: {words}.",
        (0, 1),
    )


def test_icmp_that_no_tcp_sends_betrays_the_firewall_of_the_host_itself():
    timeline = ladder(f"client S\nicmp 3/3 {SERVER.ip}")
    assert finding(timeline, "open.unreachable") == (
        "no",
        "The host itself (192.0.2.2), so its firewall, reports: port unreachable (type 3, code 3).",
        (0, 1),
    )


def test_icmp_of_the_host_itself():
    timeline = ladder(f"client S\nicmp 3/2 {SERVER.ip}")
    assert finding(timeline, "open.unreachable") == (
        "no",
        "The host itself (192.0.2.2) reports: protocol unreachable (type 3, code 2).",
        (0, 1),
    )


def test_own_kernel_reports_that_nobody_answered_arp():
    assert finding(ladder("icmp 3/1 kernel"), "open.unreachable") == (
        "no",
        (
            "Nobody answered the ARP requests, so this machine's own kernel reports: "
            "host unreachable (type 3, code 1)."
        ),
        (0,),
    )


def test_own_kernel_reports_that_nobody_answered_neighbour_discovery():
    timeline = ladder("client S\nicmp 1/3 2001:db8::1", ip6=True)
    assert finding(timeline, "open.unreachable") == (
        "no",
        (
            "Nobody answered the neighbour discovery, so this machine's own kernel reports: "
            "address unreachable (type 1, code 3)."
        ),
        (0, 1),
    )


def test_own_kernel_without_a_route_does_not_speak_of_arp():
    _verdict, sentence, _events = finding(ladder("icmp 3/0 kernel"), "open.unreachable")
    assert sentence == ("This machine's own kernel reports: network unreachable (type 3, code 0).")


def test_icmp_before_a_syn_ack_is_a_soft_error():
    timeline = ladder("client S\nicmp 3/1 198.51.100.1\nclient S seq=0\nserver SA\nclient A")
    assert finding(timeline, "open.soft-error") == (
        "yes",
        (
            "A router on the way (198.51.100.1) reports: host unreachable (type 3, code 1). "
            "The server answered all the same, so it was no verdict."
        ),
        (1,),
    )
    assert finding(timeline, "open.unreachable") is None


def test_icmp_that_only_advises_leaves_the_silence():
    assert ids(ladder("client S\nicmp 3/4 198.51.100.1")) == ["open.silent"]


def test_a_segment_without_syn_ack_or_rst_is_no_silence_and_no_answer():
    timeline = ladder("client S\nserver F\n@1000 client S seq=0\nserver F seq=0")
    assert finding(timeline, "open.senseless") == (
        "no",
        (
            "The server answered, but not with what a TCP answers a SYN with: its segments with "
            "[FIN] (count: 2) have neither SYN nor ACK nor RST, and a TCP in SYN-SENT drops them "
            "(RFC 9293 §3.10.7.3). SYNs without an answer: 2."
        ),
        (0, 1, 2, 3),
    )
    assert finding(timeline, "open.silent") is None
