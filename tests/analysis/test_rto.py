"""The first time-out, by RFC 6298 and by the kernel."""

from .ladder import finding, ladder

OPEN = """
    @0 client S fate=delayed ms=100
    @100 server SA fate=delayed ms=100
    @200 client A
    @300 client PA data=20 fate=dropped
    @900 client PA seq=1 data=20
"""
TOLD = "tell client by=4 rtt=200000 rttvar=100000 rto=1200000 backoff=1 retransmits=1\n"


def test_rto_by_the_rfc_beside_the_kernels():
    assert finding(ladder(OPEN + TOLD), "retransmission.rto") == (
        "yes",
        (
            "RFC 6298: the handshake's round trip was R = 200 ms, so SRTT = R, RTTVAR = R/2 and "
            "RTO = SRTT + 4 RTTVAR = 600 ms, rounded up to the least RTO of 1000 ms. The client's "
            "kernel had rtt 200, rttvar 100 and rto 600 ms: Linux has no least RTO, but takes at "
            "least 200 ms for the term 4 RTTVAR (rto_min), and rounds up to a tick of its clock."
        ),
        (0, 1, 5),
    )


def test_long_round_trip_needs_no_rounding_up():
    far = OPEN.replace("ms=100", "ms=200").replace("@100 ", "@200 ").replace("@200 cl", "@400 cl")
    told = "tell client by=4 rtt=400000 rttvar=200000 rto=2400000 backoff=1 retransmits=1"
    _verdict, sentence, _events = finding(ladder(far + told), "retransmission.rto")
    assert "RTO = SRTT + 4 RTTVAR = 1200 ms. The client's kernel" in sentence


def test_near_peer_leaves_the_least_term():
    told = "tell client by=4 rtt=200 rttvar=100 rto=408000 backoff=1 retransmits=1"
    verdict, sentence, _events = finding(ladder(OPEN + told), "retransmission.rto")
    assert verdict == "yes"
    assert "takes at least 200 ms for the term" in sentence


def test_route_with_another_least_term_is_told():
    told = "tell client by=4 rtt=200000 rttvar=100000 rto=4400000 backoff=1 retransmits=1"
    _verdict, sentence, _events = finding(ladder(OPEN + told), "retransmission.rto")
    assert "rto 2200 ms: Linux has no least RTO, but takes at least 2000 ms for" in sentence


def test_time_out_shorter_than_its_own_measurements_is_no():
    told = "tell client by=4 rtt=200000 rttvar=100000 rto=800000 backoff=1 retransmits=1"
    verdict, _sentence, _events = finding(ladder(OPEN + told), "retransmission.rto")
    assert verdict == "no"


def test_nothing_is_said_after_another_measurement():
    measured = OPEN.replace("data=20 fate=dropped", "data=20\n@310 server A")
    assert finding(ladder(measured + TOLD.replace("by=4", "by=5")), "retransmission.rto") is None


def test_nothing_is_said_where_the_wire_took_no_time():
    near = OPEN.replace("fate=delayed ms=100", "")
    assert finding(ladder(near + TOLD), "retransmission.rto") is None


def test_nothing_is_said_where_the_syn_was_sent_twice():
    twice = "@-50 client S fate=dropped\n" + OPEN.replace("client S fate", "client S seq=0 fate")
    assert finding(ladder(twice + TOLD.replace("by=4", "by=5")), "retransmission.rto") is None


def test_nothing_is_said_of_what_nobody_asked():
    assert finding(ladder(OPEN), "retransmission.rto") is None
