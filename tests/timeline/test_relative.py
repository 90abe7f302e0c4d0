"""Relative sequence numbers."""

from dataclasses import replace

from tcplab.tcp.flags import from_letters
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.relative import isns, relative
from tcplab.timeline.timeline import HostInfo, Stack, Timeline
from tcplab.timeline.timeline import Testbed as Facts

CLIENT, SERVER = Address("192.0.2.1", 40000), Address("192.0.2.2", 80)


def timeline(*segments: tuple[str, str, int, int]) -> Timeline:
    """Of (sender, flags, seq, ack) each."""
    return Timeline(
        command=("handshake",),
        testbed=Facts(kind="namespace", kernel="6.18", rootless=True),
        hosts=(
            HostInfo(name="client", ip=CLIENT.ip, port=CLIENT.port, stack=Stack.KERNEL),
            HostInfo(name="server", ip=SERVER.ip, port=SERVER.port, stack=Stack.KERNEL),
        ),
        events=tuple(
            SegmentEvent(
                i=i,
                at_ns=i,
                sender=sender,
                receiver="server" if sender == "client" else "client",
                conn="a",
                segment=Segment(
                    src=CLIENT, dst=SERVER, seq=Seq(seq), ack=Seq(ack), flags=from_letters(flags)
                ),
                fate=Fate.DELIVERED,
            )
            for i, (sender, flags, seq, ack) in enumerate(segments)
        ),
        tcplab="0.1.0",
    )


def numbers(told: Timeline) -> list[tuple[int, int | None]]:
    origins = isns(told)
    return [relative(event, origins) for event in told.segments()]


def test_numbers_count_from_both_isns():
    told = timeline(
        ("client", "S", 1000, 0), ("server", "SA", 7000, 1001), ("client", "A", 1001, 7001)
    )
    assert isns(told) == {("a", "client"): Seq(1000), ("a", "server"): Seq(7000)}
    assert numbers(told) == [(0, None), (0, 1), (1, 1)]


def test_numbers_go_on_over_the_wrap():
    last = 2**32 - 1
    assert numbers(timeline(("client", "S", last, 0), ("client", "A", 0, 0)))[1] == (1, 0)


def test_first_syn_counts_even_if_it_was_not_first():
    told = timeline(("client", "A", 5000, 0), ("client", "S", 1000, 0))
    assert isns(told)["a", "client"] == Seq(1000)


def test_connection_seen_from_the_middle_counts_from_its_first_segments():
    told = timeline(("client", "PA", 500, 900), ("server", "A", 900, 510))
    assert numbers(told) == [(0, 0), (0, 10)]


def test_end_that_was_never_heard_counts_from_what_its_peer_acknowledged():
    told = timeline(("client", "A", 500, 900), ("client", "A", 500, 950))
    assert numbers(told) == [(0, 0), (0, 50)]


def test_reset_without_connection_keeps_its_absolute_zero():
    told = timeline(("client", "S", 1000, 0), ("server", "RA", 0, 1001))
    assert numbers(told) == [(0, None), (0, 1)]


def test_keepalive_probe_before_the_origin_is_negative():
    told = timeline(("client", "PA", 500, 900), ("client", "A", 499, 900))
    assert numbers(told)[1] == (-1, 0)


def test_long_download_does_not_turn_negative():
    told = timeline(("client", "S", 0, 0), ("client", "A", 3_000_000_000, 0))
    assert numbers(told)[1] == (3_000_000_000, 0)


def with_sender(told: Timeline, i: int, **how: object) -> Timeline:
    """The same, but event `i` was otherwise."""
    events = list(told.events)
    events[i] = replace(events[i], **how)
    return replace(told, events=tuple(events))


def test_middlebox_speaks_in_the_numbers_of_the_end_it_pretends_to_be():
    told = timeline(
        ("client", "S", 1000, 0),
        ("server", "SA", 7000, 1001),
        ("server", "RA", 7001, 1001),
        ("client", "R", 1001, 0),
    )
    for i in (2, 3):
        told = with_sender(told, i, sender="firewall 1", fate=Fate.INJECTED)
    assert numbers(told)[2:] == [(1, 1), (1, None)]


def test_forged_syn_is_no_origin_while_the_end_itself_was_heard():
    told = timeline(("client", "S", 500, 0), ("client", "S", 1000, 0), ("server", "SA", 7, 1001))
    told = with_sender(told, 0, fate=Fate.INJECTED)
    assert isns(told)["a", "client"] == Seq(1000)
    assert numbers(told) == [(-500, None), (0, None), (0, 1)]


def test_forged_syn_that_the_end_only_resets_counts():
    told = timeline(("client", "S", 90, 0), ("server", "SA", 7000, 91), ("client", "R", 91, 0))
    told = with_sender(told, 0, fate=Fate.INJECTED)
    assert numbers(told) == [(0, None), (0, 1), (1, None)]


def test_forged_segments_alone_count_from_themselves():
    told = with_sender(timeline(("attacker", "S", 500, 0)), 0, fate=Fate.INJECTED)
    assert numbers(told) == [(0, None)]


def test_receiver_that_is_no_end_has_the_numbers_of_the_end_in_whose_place_it_is():
    told = timeline(
        ("client", "S", 1000, 0), ("server", "SA", 7000, 1001), ("server", "A", 7001, 1001)
    )
    assert numbers(with_sender(told, 2, receiver="attacker"))[2] == (1, 1)


def test_an_end_that_only_reset_stays_absolute_whatever_a_forged_ack_says():
    told = timeline(
        ("client", "S", 1000, 0),
        ("server", "RA", 0, 1001),
        ("client", "A", 1001, 4711),
        ("server", "R", 4711, 0),
    )
    forged = replace(told.events[2], fate=Fate.INJECTED)
    told = replace(told, events=(*told.events[:2], forged, told.events[3]))
    assert numbers(told) == [(0, None), (0, 1), (1, 4711), (4711, None)]
