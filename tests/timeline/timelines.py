"""Hypothesis strategies for whole timelines, with every field of every event."""

from dataclasses import fields, replace

from hypothesis import strategies as st

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import (
    EndOfList,
    Malformed,
    MaximumSegmentSize,
    NoOperation,
    Sack,
    SackPermitted,
    Timestamps,
    Unknown,
    WindowScale,
)
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    ExpectEvent,
    Fate,
    IcmpEvent,
    Lane,
    ReasonEvent,
    SampleEvent,
    SegmentEvent,
    Source,
    StateEvent,
    WireEvent,
)
from tcplab.timeline.timeline import HostInfo, Setting, Stack, Testbed, Timeline


def every(cls, /, **strategies):
    """Builds `cls` from a strategy for each of its fields: forgetting one is an error."""
    assert {field.name for field in fields(cls)} == set(strategies), cls
    return st.builds(cls, **strategies)


def up_to(bits):
    return st.integers(0, (1 << bits) - 1)


text = st.text(max_size=8)
names = st.sampled_from(["client", "server", "attacker", "서버", ""])
states = st.sampled_from(State)
sources = st.sampled_from(Source)
when = st.integers(0, 1 << 62)
octets = st.binary(max_size=20)
seqs = st.builds(Seq, up_to(32))

options = st.one_of(
    st.builds(EndOfList, st.binary(max_size=4)),
    st.just(NoOperation()),
    st.builds(MaximumSegmentSize, up_to(16)),
    st.builds(WindowScale, up_to(8)),
    st.just(SackPermitted()),
    st.builds(Sack, st.lists(st.tuples(seqs, seqs), max_size=4).map(tuple)),
    st.builds(Timestamps, up_to(32), up_to(32)),
    st.builds(Unknown, up_to(8), st.binary(max_size=6)),
    st.builds(Malformed, st.binary(max_size=6)),
)
addresses = st.builds(Address, text, up_to(16))
segments = every(
    Segment,
    src=addresses,
    dst=addresses,
    seq=seqs,
    ack=seqs,
    flags=st.builds(Flags, up_to(8)),
    wnd_octets=up_to(16),
    urgent=up_to(16),
    options=st.lists(options, max_size=5).map(tuple),
    payload=octets,
    missing_octets=up_to(16),
    checksum_ok=st.none() | st.booleans(),
)
lanes = st.lists(
    every(Lane, host=names, before=states, after=states, source=sources),
    max_size=2,
    unique_by=lambda lane: lane.host,
).map(tuple)

# Recorder and reader agree that an event's index is its place, so `i` is set in `timelines`.
common = {"i": st.just(0), "at_ns": when, "cause": st.none() | st.just(0)}
events = st.one_of(
    every(
        CallEvent,
        **common,
        host=names,
        name=text,
        conn=text,
        result=text,
        arguments=text,
        lanes=lanes,
    ),
    every(
        SegmentEvent,
        **common,
        sender=names,
        receiver=names,
        conn=text,
        segment=segments,
        fate=st.sampled_from(Fate),
        delivered_ns=st.none() | when,
        step=st.none() | text,
        lanes=lanes,
        frame=octets,
        link_octets=st.integers(0, 40),
        ttl=st.none() | up_to(8),
    ),
    every(StateEvent, **common, host=names, conn=text, old=states, new=states, source=sources),
    every(CounterEvent, **common, host=names, name=text, delta=up_to(64)),
    every(
        IcmpEvent,
        **common,
        version=st.sampled_from([4, 6]),
        reporter=text,
        type=up_to(8),
        code=up_to(8),
        sport=up_to(16),
        dport=up_to(16),
        frame=octets,
        link_octets=st.integers(0, 40),
    ),
    every(WireEvent, **common, rule=text, segment=st.none() | st.just(0)),
    every(ReasonEvent, **common, host=names, kind=text, word=text, source=sources),
    every(
        SampleEvent,
        **common,
        host=names,
        conn=text,
        source=sources,
        fields=st.dictionaries(text, text | st.integers(), max_size=3).map(
            lambda found: tuple(found.items())
        ),
    ),
    every(
        ExpectEvent,
        **common,
        conn=text,
        predicate=text,
        met=st.booleans(),
        found=st.dictionaries(text, text, max_size=3).map(lambda found: tuple(found.items())),
    ),
)


def _numbered(timeline):
    numbered = (replace(event, i=i) for i, event in enumerate(timeline.events))
    return replace(timeline, events=tuple(numbered))


timelines = every(
    Timeline,
    command=st.lists(text, max_size=3).map(tuple),
    scenario=st.none() | text,
    testbed=every(
        Testbed,
        kind=text,
        kernel=text,
        rootless=st.booleans(),
        interface=st.none() | text,
        gateway=st.none() | text,
    ),
    hosts=st.lists(
        every(
            HostInfo,
            name=names,
            ip=text,
            port=up_to(16),
            stack=st.sampled_from(Stack),
            clock_error_ns=when,
        ),
        max_size=3,
        unique_by=lambda host: host.name,
    ).map(tuple),
    settings=st.lists(
        every(Setting, host=names, name=text, value=text, default=st.none() | text), max_size=3
    ).map(tuple),
    began_ns=when,
    events=st.lists(events, max_size=5).map(tuple),
    drops=up_to(32),
    interrupted=st.booleans(),
    tcplab=text,
).map(_numbered)
