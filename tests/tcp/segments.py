"""Hypothesis strategies for segments between A and B, with numbers near the ones that matter."""

from hypothesis import strategies as st

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize, SackPermitted, WindowScale
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import MODULUS, Seq
from tests.tcp.ends import IRS, ISS, A, B

_offsets = st.one_of(
    st.integers(-2, 6), st.sampled_from([-70_000, 9_999, 10_000, 10_001, 1 << 30, 1 << 31])
)
_seqs = st.one_of(
    st.builds(lambda base, by: base + by, st.sampled_from([ISS, IRS]), _offsets),
    st.builds(Seq, st.integers(0, MODULUS - 1)),
)
_ways = st.sampled_from([(A, B), (B, A)])
_options = st.lists(
    st.one_of(
        st.builds(MaximumSegmentSize, st.sampled_from([0, 1, 536, 65535])),
        st.builds(WindowScale, st.sampled_from([0, 7, 14, 255])),
        st.just(SackPermitted()),
    ),
    max_size=3,
).map(tuple)

segments = st.builds(
    lambda way, **fields: Segment(src=way[0], dst=way[1], **fields),
    _ways,
    seq=_seqs,
    ack=_seqs,
    flags=st.one_of(
        st.sampled_from([Flags.SYN, Flags.SYN | Flags.ACK, Flags.ACK, Flags.FIN | Flags.ACK]),
        st.builds(Flags, st.integers(0, 255)),
    ),
    wnd_octets=st.sampled_from([0, 1, 100, 10_000, 65535]),
    options=_options,
    payload=st.binary(max_size=4),
)
"""Any segment between A and B, in either direction."""
