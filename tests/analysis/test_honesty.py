from dataclasses import replace

from tcplab.timeline.timeline import Stack

from .ladder import CLOSE, DATA, OPEN, finding, ids, ladder


def test_a_whole_run_has_nothing_to_confess():
    assert ids(ladder(OPEN + DATA + CLOSE)) == [
        "open.three-way",
        "open.states",
        "open.options",
        "data.acknowledged",
        "close.four-segment",
        "close.time-wait",
    ]


def test_lost_frames_make_every_finding_inconclusive():
    timeline = ladder(OPEN + DATA + CLOSE, drops=3)
    assert finding(timeline, "run.drops") == (
        "inconclusive",
        "Frames that the capture lost: 3. So this run proves nothing.",
        (),
    )
    assert {finding(timeline, each)[0] for each in ids(timeline)} == {"inconclusive"}


def test_an_interrupted_run_says_so_and_keeps_what_it_saw():
    timeline = ladder(OPEN, interrupted=True)
    assert finding(timeline, "run.interrupted") == (
        "inconclusive",
        "The run was cut short: what is missing here may just not have come.",
        (),
    )
    assert finding(timeline, "open.three-way")[0] == "yes"


def test_a_run_without_segments_is_inconclusive():
    assert finding(ladder("client connect() EINPROGRESS"), "run.empty") == (
        "inconclusive",
        "No segment was seen.",
        (),
    )


def test_a_run_that_met_an_icmp_error_instead_has_seen_something():
    timeline = ladder("client connect() 0\nicmp 3/1 192.0.2.1")
    assert finding(timeline, "run.empty") is None
    assert finding(timeline, "open.unreachable")[0] == "no"


def test_a_delivery_that_nobody_looked_at_is_inconclusive():
    timeline = ladder(OPEN + DATA.replace("| ESTABLISHED  ESTABLISHED", "fate=delivered") + CLOSE)
    assert finding(timeline, "run.snapshots") == (
        "inconclusive",
        "Segments without a look at both ends: 2. So the states prove nothing.",
        (5, 6),
    )


def test_a_captured_segment_need_not_be_looked_at():
    assert finding(ladder("client S fate=captured"), "run.snapshots") is None


def test_a_kernel_whose_state_was_only_inferred_was_not_looked_at():
    timeline = ladder(OPEN, client=Stack.REMOTE)
    blurred = replace(timeline, hosts=tuple(replace(h, stack=Stack.KERNEL) for h in timeline.hosts))
    assert finding(timeline, "run.snapshots") is None
    assert finding(blurred, "run.snapshots")[2] == (2, 3, 4)
