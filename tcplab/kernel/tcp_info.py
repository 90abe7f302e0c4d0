"""struct tcp_info (linux/tcp.h), in which a kernel tells of a TCP socket's innermost.

It only ever grows at its end, so an older kernel's answer is a shorter one, and what it lacks is
left out.
"""

from struct import Struct

# Offsets of the octets at its beginning; octet 0 is the state.
_OCTETS = {"ca_state": 1, "retransmits": 2, "probes": 3, "backoff": 4, "options": 5}
_WINDOW_SCALES = 6  # two nibbles: what we send with is the lower one in host order

# Fields in order from octet 8 on, by their struct format: all are aligned as they stand.
_CORE = (
    "rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent "
    "last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss "
    "reordering rcv_rtt rcv_space total_retrans"
)
_FIELDS = (
    ("I", _CORE),
    ("Q", "pacing_rate max_pacing_rate bytes_acked bytes_received"),
    ("I", "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"),
    ("Q", "delivery_rate busy_time rwnd_limited sndbuf_limited"),
    ("I", "delivered delivered_ce"),
    ("Q", "bytes_sent bytes_retrans"),
    ("I", "dsack_dups reord_seen rcv_ooopack snd_wnd"),
    ("I", "rcv_wnd rehash"),  # Linux 6.2
    ("H", "total_rto total_rto_recoveries"),  # Linux 6.7
    ("I", "total_rto_time"),
)


def _groups() -> list[tuple[int, Struct, tuple[str, ...]]]:
    groups = []
    at = 8
    for kind, words in _FIELDS:
        names = tuple(words.split())
        layout = Struct(f"={len(names)}{kind}")
        groups.append((at, layout, names))
        at += layout.size
    return groups


_GROUPS = _groups()


def parse(octets: bytes) -> dict[str, int]:
    """Its fields by the header's names without `tcpi_`. Times are in µs, but `last_*` in ms."""
    info = {name: octets[at] for name, at in _OCTETS.items()}
    info["snd_wscale"], info["rcv_wscale"] = (
        octets[_WINDOW_SCALES] & 15,
        octets[_WINDOW_SCALES] >> 4,
    )
    for at, layout, names in _GROUPS:
        if at + layout.size > len(octets):
            break
        info.update(zip(names, layout.unpack_from(octets, at), strict=True))
    return info
