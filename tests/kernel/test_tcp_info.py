"""struct tcp_info as several kernels answer it."""

from struct import pack

from tcplab.kernel.tcp_info import parse

OCTETS = pack("=8B", 1, 4, 3, 2, 5, 7, 0xA7, 0)
CORE = pack("=24I", *range(100, 124))
RATES = pack("=4Q", 200, 1 << 63, 202, 203)
SEGMENTS = pack("=6I", *range(300, 306))


def test_the_octets_at_its_beginning():
    info = parse(OCTETS)

    assert info == {
        "ca_state": 4,
        "retransmits": 3,
        "probes": 2,
        "backoff": 5,
        "options": 7,
        "snd_wscale": 7,
        "rcv_wscale": 10,
    }


def test_the_core_fields_are_where_the_header_has_them():
    info = parse(OCTETS + CORE)

    assert (info["rto"], info["ato"], info["snd_mss"], info["rcv_mss"]) == (100, 101, 102, 103)
    assert (info["unacked"], info["rtt"], info["snd_cwnd"]) == (104, 115, 118)
    assert (info["rcv_space"], info["total_retrans"]) == (122, 123)


def test_64_bit_fields_go_on_after_them():
    info = parse(OCTETS + CORE + RATES + SEGMENTS)

    assert (info["pacing_rate"], info["max_pacing_rate"]) == (200, 1 << 63)
    assert (info["bytes_acked"], info["bytes_received"]) == (202, 203)
    assert (info["segs_out"], info["data_segs_out"]) == (300, 305)


def test_an_old_kernel_s_shorter_answer_lacks_what_it_lacks():
    info = parse(OCTETS + CORE + RATES + SEGMENTS[:-4])

    assert "bytes_received" in info
    assert "segs_out" not in info


def test_a_newer_kernel_s_longer_answer_is_fine():
    whole = parse(OCTETS + CORE + bytes(400))

    assert whole == parse(OCTETS + CORE + bytes(144))
    assert whole["total_rto_time"] == 0
