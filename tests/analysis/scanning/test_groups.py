"""Ports gathered by what proves their state."""

from hypothesis import given
from hypothesis import strategies as st

from tcplab.analysis.scanning.census import Census, PortState, Proof, Rejection
from tcplab.analysis.scanning.groups import groups
from tcplab.scenario.ports import spelled

PROHIBITED = Rejection(version=4, type=3, code=13, reporter="192.0.2.2")
NO_HOST = Rejection(version=4, type=3, code=1, reporter="198.51.100.1")


def told(census: Census) -> list[tuple[PortState, Proof, str]]:
    return [(each.state, each.proof, spelled(each.ranges)) for each in groups(census)]


def test_every_kind_of_answer_is_a_group():
    census = Census((range(20, 31), range(80, 82)))
    census.note(22, Proof.SYN_ACK)
    census.note(80, Proof.SYN_ACK)
    for port in (20, 21, 23, 24, 81):
        census.note(port, Proof.RST)
    for port in (25, 27):
        census.reject(port, PROHIBITED)
    census.reject(26, NO_HOST)
    assert told(census) == [
        (PortState.OPEN, Proof.SYN_ACK, "22,80"),
        (PortState.CLOSED, Proof.RST, "20-21,23-24,81"),
        (PortState.FILTERED, Proof.NOTHING, "28-30"),
        (PortState.REJECTED, Proof.ICMP, "25,27"),
        (PortState.REJECTED, Proof.ICMP, "26"),
    ]
    assert [each.rejection for each in groups(census)] == [None, None, None, PROHIBITED, NO_HOST]


def test_nothing_but_what_was_asked_for_counts():
    census = Census((range(443, 444),))
    census.note(80, Proof.SYN_ACK)
    assert told(census) == [(PortState.FILTERED, Proof.NOTHING, "443")]


def test_nothing_asked_is_no_group():
    assert groups(Census(())) == ()


@given(
    st.dictionaries(
        st.integers(1, 60),
        st.sampled_from([Proof.SYN_ACK, Proof.RST, Proof.REFUSED, PROHIBITED, NO_HOST]),
    )
)
def test_every_port_is_in_one_group_and_in_its_state(answers):
    census = Census((range(5, 30), range(40, 55)))
    for port, answer in answers.items():
        if isinstance(answer, Rejection):
            census.reject(port, answer)
        else:
            census.note(port, answer)
    ports = [port for group in groups(census) for port in group]
    assert sorted(ports) == [*range(5, 30), *range(40, 55)]
    for group in groups(census):
        assert len(group) == len(list(group))
        for port in group:
            assert (census.state(port), census.proof(port)) == (group.state, group.proof)
            assert census.rejections.get(port) == group.rejection
