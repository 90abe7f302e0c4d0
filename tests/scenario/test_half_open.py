"""What the half-open scenarios say of themselves."""

import pytest

from tcplab.scenario.half_open import lasts_s, no_ack


@pytest.mark.parametrize("retries", [0, 2, 5])
def test_the_default_is_named_where_it_is_another_one(retries):
    told = str(no_ack(retries).story)
    assert f"tcp_synack_retries: {retries} here" in told
    assert ("for Linux's default of 5 takes 63 s" in told) == (retries != 5)


@pytest.mark.parametrize(("retries", "seconds"), [(0, 1), (2, 7), (5, 63)])
def test_how_long_the_server_waits(retries, seconds):
    assert lasts_s(retries) == seconds
