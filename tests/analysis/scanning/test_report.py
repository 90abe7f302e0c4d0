"""What a scan's report concludes by itself."""

import pytest

from tcplab.analysis.scanning.report import peak_by_counters


@pytest.mark.parametrize(
    ("counters", "peak"),
    [
        ({}, 0),
        ({"TcpOutSegs": 7, "TcpOutRsts": 7}, 0),
        ({"TcpOutSegs": 8, "TcpOutRsts": 7, "TcpAttemptFails": 1}, 1),
        ({"TcpOutSegs": 1, "TcpPassiveOpens": 1}, 1),
        # Still half-open, or open and talking: the counters do not say when.
        ({"TcpOutSegs": 1}, None),
        ({"TcpOutSegs": 2, "TcpPassiveOpens": 1}, None),
        ({"TcpOutSegs": 2, "TcpAttemptFails": 2}, None),
    ],
)
def test_peak_in_syn_received(counters, peak):
    assert peak_by_counters(counters) == peak
