from tcplab.tcp.retransmission import MAX_RTO_NS, SECOND_NS, RetransmissionTimer

MS = 1_000_000


def test_rto_before_any_measurement_is_the_initial_one():
    """RFC 6298 (2.1)."""
    timer = RetransmissionTimer(SECOND_NS)
    timer.start(5)
    assert (timer.deadline_ns, timer.tries) == (5 + SECOND_NS, 1)


def test_running_timer_is_not_started_again():
    """(5.1) "if the timer is not running, start it"."""
    timer = RetransmissionTimer(SECOND_NS)
    timer.start(0)
    timer.start(7)
    assert timer.deadline_ns == SECOND_NS


def test_timer_is_due_at_its_deadline_and_never_when_stopped():
    timer = RetransmissionTimer(SECOND_NS)
    assert not timer.due(SECOND_NS)
    timer.start(0)
    assert (timer.due(SECOND_NS - 1), timer.due(SECOND_NS)) == (False, True)
    timer.stop()
    assert not timer.due(SECOND_NS)


def test_first_measurement():
    """(2.2) "SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + max (G, K*RTTVAR)" with K = 4."""
    timer = RetransmissionTimer(1)
    timer.measure(800 * MS)
    assert timer.rto_ns == (800 + 4 * 400) * MS


def test_later_measurement():
    """(2.3) "RTTVAR <- 3/4 * RTTVAR + 1/4 * |SRTT - R'|, SRTT <- 7/8 * SRTT + 1/8 * R'"."""
    timer = RetransmissionTimer(1)
    timer.measure(800 * MS)
    timer.measure(400 * MS)
    assert timer.rto_ns == (750 + 4 * 400) * MS
    timer.measure(750 * MS)
    assert timer.rto_ns == (750 + 4 * 300) * MS


def test_steady_path_still_leaves_the_clock_granularity():
    timer = RetransmissionTimer(1)
    for _ in range(100):
        timer.measure(800 * MS)
    assert timer.rto_ns == 801 * MS


def test_rto_is_bounded():
    """(2.4), (2.5)."""
    timer = RetransmissionTimer(SECOND_NS)
    timer.measure(MS)
    assert timer.rto_ns == SECOND_NS
    timer.measure(1000 * SECOND_NS)
    assert timer.rto_ns == MAX_RTO_NS


def test_least_rto_may_differ_from_the_initial_one():
    timer = RetransmissionTimer(SECOND_NS, least_ns=20 * MS)
    assert timer.rto_ns == SECOND_NS
    timer.measure(MS)
    assert timer.rto_ns == 20 * MS


def test_back_off_doubles_up_to_the_bound():
    """(5.5)."""
    timer = RetransmissionTimer(SECOND_NS)
    timer.start(0)
    for _ in range(7):
        timer.back_off(0)
    assert (timer.rto_ns, timer.deadline_ns, timer.tries) == (MAX_RTO_NS, MAX_RTO_NS, 8)
