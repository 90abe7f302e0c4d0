from tcplab.tcp.options import (
    Malformed,
    MaximumSegmentSize,
    NoOperation,
    SackPermitted,
    Timestamps,
    WindowScale,
)

from .ladder import OPEN, finding, ladder


def negotiated(client=(), server=(), **more):
    return finding(
        ladder(OPEN, options={"client": client, "server": server}, **more), "open.options"
    )


def test_an_option_in_both_syns_is_agreed():
    assert negotiated(
        client=(MaximumSegmentSize(1460), SackPermitted(), Timestamps(7, 0), WindowScale(10)),
        server=(MaximumSegmentSize(1400), SackPermitted(), Timestamps(9, 7), WindowScale(7)),
    ) == (
        "yes",
        (
            "The client takes up to 1460 octets a segment, the server 1400; options that both "
            "SYNs carry: window scale (a window of the client counts × 1024, of the server × 128), "
            "selective acknowledgment, timestamps."
        ),
        (2, 3),
    )


def test_an_option_in_one_syn_only_is_not_in_force():
    assert negotiated(
        client=(MaximumSegmentSize(1460), NoOperation(), WindowScale(10), SackPermitted()),
        server=(MaximumSegmentSize(1460), NoOperation(), Timestamps(1, 0)),
    ) == (
        "yes",
        (
            "The client takes up to 1460 octets a segment, the server 1460; options that both "
            "SYNs carry: none. In one SYN only, and so not in force: "
            "window scale, selective acknowledgment, timestamps."
        ),
        (2, 3),
    )


def test_a_shift_above_14_counts_as_14():
    _verdict, sentence, _events = negotiated(client=(WindowScale(200),), server=(WindowScale(0),))
    assert "(a window of the client counts × 16384, of the server × 1)" in sentence


def test_without_mss_a_segment_is_536_octets_over_ip4():
    _verdict, sentence, _events = negotiated()
    assert sentence.startswith("The client takes up to 536 octets a segment, the server 536;")


def test_without_mss_a_segment_is_1220_octets_over_ip6():
    _verdict, sentence, _events = negotiated(ip6=True)
    assert sentence.startswith("The client takes up to 1220 octets a segment, the server 1220;")


def test_a_malformed_option_list_is_inconclusive():
    assert negotiated(client=(SackPermitted(),), server=(Malformed(b"\x02\x09"),)) == (
        "inconclusive",
        (
            "The option list of the server's SYN is malformed: nobody can tell what its peer read "
            "in it."
        ),
        (2, 3),
    )


def test_nothing_is_agreed_before_both_have_spoken():
    assert finding(ladder("client S\nserver RA"), "open.options") is None
