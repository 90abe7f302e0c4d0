"""A scenario that disrupts is played nowhere but in a testbed of tcplab's own."""

from types import SimpleNamespace

import pytest

from tcplab.errors import RefusedError
from tcplab.experiment.conductor import Conductor
from tcplab.scenario.catalogue import load, names
from tcplab.scenario.shipped import remote
from tcplab.scenario.tier import Tier, tier
from tcplab.tcp.segment import Address
from tcplab.testbed.host import Flow

FLOW = Flow(client=Address("192.0.2.1", 40000), server=Address("192.0.2.2", 80))
NIC = SimpleNamespace(facts=SimpleNamespace(kind="nic"), hosts={})
DISRUPTING = [name for name in names() if tier(load(name)) is Tier.DISRUPT]


@pytest.mark.parametrize("name", DISRUPTING)
def test_a_disrupting_scenario_is_refused_on_a_real_link(name):
    with pytest.raises(RefusedError):
        Conductor(NIC, load(name), {"a": FLOW}, command=())


def test_what_only_calls_and_waits_is_not_refused():
    Conductor(NIC, remote(None), {"a": FLOW}, command=())
    assert tier(remote(b"hello\n")) is Tier.PROBE
    assert "middlebox-reset" in DISRUPTING
