"""Both scans on the real kernel, over the stepped wire: what either does to the server."""

from unittest import mock

import pytest

from tcplab.analysis.scanning.census import PortState
from tcplab.analysis.scanning.comparison import Resetter
from tcplab.analysis.scanning.report import Method
from tcplab.analysis.trace import joint_trace
from tcplab.errors import UsageError
from tcplab.experiment import compare as comparing
from tcplab.experiment.compare import MOST_PORTS, compare, exchange
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.testbed.plan import Family
from tcplab.timeline.events import CounterEvent, Source
from tcplab.timeline.timeline import lane
from tcplab.wire.burst.template import IPV4_SYN, IPV6_SYN
from tcplab.wire.frame import Link, decode
from tests.experiment.pauses import lasted_as_long_as_a_syn, undisturbed
from tests.live import forked

KINDS = {"open": 22, "closed": 81, "filtered": 135, "rejected": 23}
STATES = dict(zip(KINDS.values(), PortState, strict=True))
RUNS = 20

every_method = pytest.mark.parametrize("method", Method, ids=lambda method: method.value)
every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


def asked_once(port, method, family, rootless):
    """One exchange in which the kernel sent no SYN a second time."""
    return undisturbed(
        lambda rootless: exchange(port, method, command=(), family=family, rootless=rootless),
        lasted_as_long_as_a_syn,
        rootless=rootless,
    )


def traces(method, family, runs):
    """The joint trace of each kind, `runs` times."""
    rootless = True
    found = []
    for _ in range(runs):
        once = []
        for kind, port in KINDS.items():
            timeline = asked_once(port, method, family, rootless)
            rootless = None  # this process has its user namespace by now
            assert timeline.drops == 0
            once.append(f"# {kind}\n{joint_trace(timeline)}")
        found.append("\n".join(once))
    return found


@every_method
@every_family
def test_joint_traces_are_golden_each_time(method, family, golden):
    found = forked(traces, method, family, RUNS)
    assert found[0] == golden
    assert [trace for trace in found if trace != found[0]] == []


def compared(family):
    return compare(
        tuple(KINDS.values()), command=("scan", "--compare"), family=family, rootless=True
    )


@every_family
def test_both_find_the_same_and_only_one_is_heard_of(family):
    comparison = forked(compared, family)

    assert [(pair.syn.state, pair.connect.state) for pair in comparison.pairs] == [
        (state, state) for state in STATES.values()
    ]
    opened, *others = comparison.pairs
    assert opened.syn.log == ()
    assert [each.ip for each in opened.connect.log] == [opened.connect.timeline.host("client").ip]
    assert [each.log for pair in others for each in pair] == [()] * 6
    assert (opened.syn.reset_by, opened.connect.reset_by) == (
        Resetter.KERNEL,
        Resetter.APPLICATION,
    )
    assert State.ESTABLISHED not in opened.syn.server_states
    assert (comparison.drops, comparison.partial) == (0, False)


@every_family
def test_kernel_counts_either_scan_otherwise(family):
    opened, *_ = forked(compared, family).pairs
    names = ("TcpPassiveOpens", "TcpAttemptFails", "TcpEstabResets")
    assert [opened.syn.counters.get(name, 0) for name in names] == [0, 1, 0]
    assert [opened.connect.counters.get(name, 0) for name in names] == [1, 0, 1]


@every_family
def test_rst_of_a_syn_scan_is_the_clients_own_kernels(family):
    timeline = forked(exchange, 22, Method.SYN, command=(), family=family, rootless=True)
    syn, syn_ack, reset = timeline.segments()
    assert reset.segment.flags is Flags.RST
    assert reset.cause == syn_ack.i
    assert reset.segment.seq == syn_ack.segment.ack == syn.segment.next_seq
    # It was not crafted: a kernel counts what it sends.
    sent = [
        event.delta
        for event in timeline.events
        if isinstance(event, CounterEvent) and (event.host, event.name) == ("client", "TcpOutRsts")
    ]
    assert sent == [1]
    looks = [lane(event, "client") for event in timeline.told()]
    assert {(look.after, look.source) for look in looks} == {(State.CLOSED, Source.SOCK_DIAG)}


@pytest.mark.parametrize(
    ("family", "octets"), [(Family.IPV4, IPV4_SYN), (Family.IPV6, IPV6_SYN)], ids=["ipv4", "ipv6"]
)
def test_crafted_syn_is_the_probe_of_a_scan_at_full_speed(family, octets):
    timeline = forked(exchange, 81, Method.SYN, command=(), family=family, rootless=True)
    shown = next(timeline.segments()).segment
    probe = decode(octets, link=Link.NONE).segment
    assert (shown.flags, shown.wnd_octets, shown.options) == (
        probe.flags,
        probe.wnd_octets,
        probe.options,
    )


def test_each_round_asks_from_a_port_of_its_own():
    timeline = forked(exchange, 135, Method.SYN, command=(), rootless=True)
    assert len({event.segment.src for event in timeline.segments()}) == 2


def test_ports_are_compared_once_each_and_in_order():
    comparison = forked(compare, (81, 22, 81), command=(), rootless=True)
    assert [pair.port for pair in comparison.pairs] == [81, 22]


@pytest.mark.parametrize("ports", [(), tuple(range(1, MOST_PORTS + 2))], ids=["none", "too many"])
def test_as_many_ports_as_can_be_looked_at(ports):
    with pytest.raises(UsageError) as refusal:
        compare(ports, command=())
    assert f"1 to {MOST_PORTS} ports side by side, not {len(ports)}" in str(refusal.value.what)


def ended_in_the_second_port():
    real, asked, heard = exchange, [], []

    def until_ctrl_c(port, method, **others):
        asked.append(port)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return real(port, method, **others)

    with mock.patch.object(comparing, "exchange", until_ctrl_c):
        comparison = compare((22, 81), command=(), rootless=True, heed=heard.append)
    return comparison, heard


def test_ctrl_c_leaves_the_ports_that_were_done():
    comparison, heard = forked(ended_in_the_second_port)
    assert comparison.partial
    assert [pair.port for pair in comparison.pairs] == [22]
    assert heard == [1]
