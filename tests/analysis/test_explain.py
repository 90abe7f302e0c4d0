from hypothesis import given
from hypothesis import strategies as st

from tcplab.analysis.explain import explain
from tcplab.analysis.steps import label

from .ladder import ladder

LINES = st.builds(
    "{} {} {}".format,
    st.sampled_from(["client", "server"]),
    st.sampled_from(["S", "SA", "A", "PA data=9", "FA", "FPA data=5", "R", "RA", "F", "SF", "."]),
    st.sampled_from(["", "seq=0", "seq=1", "ack=1", "ack=99", "late", "fate=dropped", "ttl=63"]),
)
OTHERS = st.sampled_from(
    ["icmp 3/1 198.51.100.1", "count client TcpOutRsts 1", "sample client timewait 60000"]
)
TALK = st.lists(LINES | OTHERS, max_size=12).map("\n".join)


@given(TALK)
def test_whatever_was_said_the_findings_point_at_events_in_order(talk):
    timeline = ladder(talk)
    for finding in explain(timeline):
        assert list(finding.events) == sorted(set(finding.events))
        assert set(finding.events) <= set(range(len(timeline.events)))
        assert str(finding.sentence)


@given(TALK)
def test_whatever_was_said_every_segment_has_a_step(talk):
    assert all(event.step for event in label(ladder(talk)).segments())


@given(TALK)
def test_whatever_was_said_the_steps_are_not_evidence(talk):
    timeline = ladder(talk)
    assert explain(label(timeline)) == explain(timeline)
