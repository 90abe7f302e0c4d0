from tcplab.tcp.congestion import Congestion

MSS = 1000


def test_initial_window_is_ten_segments():
    """RFC 6928 §2."""
    assert Congestion(MSS).cwnd_octets == 10 * MSS


def test_slow_start_grows_by_what_is_acknowledged_but_not_more_than_a_segment():
    """RFC 5681 §3.1: "cwnd += min (N, SMSS)"."""
    congestion = Congestion(MSS)
    congestion.acknowledged(300)
    congestion.acknowledged(5 * MSS)
    assert congestion.cwnd_octets == 11 * MSS + 300


def test_loss_begins_slow_start_again_up_to_half_of_what_was_on_its_way():
    """RFC 5681 §3.1: "ssthresh = max (FlightSize / 2, 2*SMSS)", cwnd = 1 segment."""
    congestion = Congestion(MSS)
    congestion.lost(8 * MSS)
    windows = []
    for _ in range(6):
        windows.append(congestion.cwnd_octets)
        congestion.acknowledged(MSS)
    assert windows == [1000, 2000, 3000, 4000, 4250, 4485]


def test_threshold_is_at_least_two_segments():
    congestion = Congestion(MSS)
    congestion.lost(MSS)
    for _ in range(2):
        congestion.acknowledged(MSS)
    assert congestion.cwnd_octets == 2 * MSS + 500
