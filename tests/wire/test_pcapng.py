"""pcapng: what tshark, an independent reader, finds in the file."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tcplab.tcp.flags import from_letters
from tcplab.tcp.options import MaximumSegmentSize
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import CallEvent, Fate, IcmpEvent, Lane, SegmentEvent, Source
from tcplab.timeline.timeline import HostInfo, Stack, Testbed, Timeline
from tcplab.wire import pcapng
from tcplab.wire.codec import craft
from tcplab.wire.frame import Link

BEGAN_NS = 1_700_000_000_123_456_789
ETHERNET = bytes.fromhex("020000000002020000000001")
ENDS = {
    4: {"client": Address("192.0.2.1", 40001), "server": Address("192.0.2.2", 80)},
    6: {"client": Address("2001:db8::1", 40001), "server": Address("2001:db8::2", 80)},
}
ISN = {"client": Seq(3_021_554_771), "server": Seq(99)}
S = State


def segment(sender: str, flags: str, seq: int, ack: int, *, version: int = 4, data: bytes = b""):
    receiver = "server" if sender == "client" else "client"
    return Segment(
        src=ENDS[version][sender],
        dst=ENDS[version][receiver],
        seq=ISN[sender] + seq,
        ack=ISN[receiver] + ack if "A" in flags else Seq(0),
        flags=from_letters(flags),
        wnd_octets=64240,
        options=(MaximumSegmentSize(1460),) if "S" in flags else (),
        payload=data,
    )


def event(i: int, step: str, client: Lane, server: Lane, *told, link=Link.ETHERNET, **how):
    """The segment `told` of as sent at 1 µs times `i`."""
    made = segment(*told, **how)
    ethertype = b"\x86\xdd" if how.get("version") == 6 else b"\x08\x00"
    header = ETHERNET + ethertype if link is Link.ETHERNET else b""
    return SegmentEvent(
        i=i,
        at_ns=i * 1000,
        sender=told[0],
        receiver="server" if told[0] == "client" else "client",
        conn="a",
        segment=made,
        fate=Fate.DELIVERED,
        delivered_ns=i * 1000 + 500,
        step=step,
        lanes=(client, server),
        frame=header + craft(made),
        link_octets=len(header),
    )


def crafted(before: State, after: State) -> Lane:
    return Lane(host="client", before=before, after=after, source=Source.CRAFTED)


def observed(before: State, after: State) -> Lane:
    return Lane(host="server", before=before, after=after, source=Source.SOCK_DIAG)


def handshake(version: int = 4, link: Link = Link.ETHERNET) -> tuple[SegmentEvent, ...]:
    how = {"version": version, "link": link}
    return (
        event(
            0,
            "open 1/3",
            crafted(S.SYN_SENT, S.SYN_SENT),
            observed(S.LISTEN, S.SYN_RECEIVED),
            *("client", "S", 0, 0),
            **how,
        ),
        event(
            1,
            "open 2/3",
            crafted(S.SYN_SENT, S.ESTABLISHED),
            observed(S.SYN_RECEIVED, S.SYN_RECEIVED),
            *("server", "SA", 0, 1),
            **how,
        ),
        event(
            2,
            "open 3/3",
            crafted(S.ESTABLISHED, S.ESTABLISHED),
            observed(S.SYN_RECEIVED, S.ESTABLISHED),
            *("client", "A", 1, 1),
            **how,
        ),
        event(
            3,
            "data",
            crafted(S.ESTABLISHED, S.ESTABLISHED),
            observed(S.ESTABLISHED, S.ESTABLISHED),
            *("client", "PA", 1, 1),
            data=b"hello\n",
            **how,
        ),
    )


COMMENTS = [
    "1 open 1/3 · client SYN-SENT (crafted) · server LISTEN → SYN-RECEIVED (observed)",
    "2 open 2/3 · client SYN-SENT → ESTABLISHED (crafted) · server SYN-RECEIVED (observed)",
    "3 open 3/3 · client ESTABLISHED (crafted) · server SYN-RECEIVED → ESTABLISHED (observed)",
    "4 data · client ESTABLISHED (crafted) · server ESTABLISHED (observed)",
]


def timeline(*events) -> Timeline:
    hosts = tuple(
        HostInfo(name=name, ip=end.ip, port=end.port, stack=stack)
        for (name, end), stack in zip(ENDS[4].items(), (Stack.CRAFTED, Stack.KERNEL), strict=True)
    )
    return Timeline(
        command=("handshake",),
        testbed=Testbed(kind="namespace", kernel="6.18", rootless=True),
        hosts=hosts,
        began_ns=BEGAN_NS,
        events=events,
        tcplab="0.1.0",
    )


def written(told: Timeline, say=str) -> bytes:
    file = io.BytesIO()
    pcapng.write(told, file, say=say)
    return file.getvalue()


def read(tshark: str, tmp_path: Path, octets: bytes, *fields: str) -> list[list[str]]:
    """What tshark says of each packet, one list of fields a packet."""
    (tmp_path / "run.pcapng").write_bytes(octets)
    command = [tshark, "-n", "-r", str(tmp_path / "run.pcapng"), "-o", "tcp.check_checksum:TRUE"]
    command += ["-T", "fields", "-E", "separator=/t"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(
        command,
        env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},  # no preferences of whoever runs this
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_each_packet_has_its_comment_and_its_time(tshark: str, tmp_path: Path):
    octets = written(timeline(*handshake()))
    assert read(tshark, tmp_path, octets, "frame.comment", "frame.time_epoch") == [
        [comment, f"1700000000.{123_456_789 + n * 1000}"] for n, comment in enumerate(COMMENTS)
    ]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("link", Link)
def test_wireshark_finds_a_sound_handshake(tshark: str, tmp_path: Path, version: int, link: Link):
    octets = written(timeline(*handshake(version, link)))
    fields = ["tcp.flags.str", "tcp.checksum.status", "tcp.analysis.flags", "_ws.malformed"]
    assert read(tshark, tmp_path, octets, *fields) == [
        ["··········S·", "1", "", ""],
        ["·······A··S·", "1", "", ""],
        ["·······A····", "1", "", ""],
        ["·······AP···", "1", "", ""],
    ]


def test_links_of_two_kinds_become_two_interfaces(tshark: str, tmp_path: Path):
    wired, bare = handshake()[0], handshake(link=Link.NONE)[1]
    octets = written(timeline(wired, bare))
    fields = ["frame.interface_id", "frame.interface_name", "frame.encap_type", "tcp.srcport"]
    assert read(tshark, tmp_path, octets, *fields) == [
        ["0", "wire", "1", "40001"],
        ["1", "wire", "7", "80"],
    ]


def test_the_interface_is_named_after_the_nic(tshark: str, tmp_path: Path):
    told = timeline(*handshake())
    told = replace(told, testbed=replace(told.testbed, kind="nic", interface="enp3s0"))
    names = read(tshark, tmp_path, written(told), "frame.interface_name")
    assert names == [["enp3s0"]] * 4


def test_the_file_names_its_author():
    assert b"tcplab 0.1.0" in written(timeline())


def test_a_run_without_packets_is_a_file_without_packets(tshark: str, tmp_path: Path):
    call = CallEvent(i=0, at_ns=0, host="server", name="listen", conn="a", result="0")
    assert read(tshark, tmp_path, written(timeline(call)), "frame.number") == []


def test_packets_stand_in_the_order_in_which_they_were_sent(tshark: str, tmp_path: Path):
    """The second was delivered first: it has the ladder's number 1, and the file's place 2."""
    late, early, *_ = handshake()
    late = replace(late, delivered_ns=9000)
    comments = read(tshark, tmp_path, written(timeline(late, early)), "frame.comment")
    assert [comment.split()[0] for (comment,) in comments] == ["2", "1"]


def test_a_dropped_segment_says_so(tshark: str, tmp_path: Path):
    lost = replace(handshake()[0], fate=Fate.DROPPED, delivered_ns=None, lanes=())
    assert read(tshark, tmp_path, written(timeline(lost)), "frame.comment") == [
        ["1 open 1/3 · dropped by the wire"]
    ]


@pytest.mark.parametrize(
    ("sender", "how"),
    [("attacker", "forged by the attacker"), ("client", "crafted, and injected into the wire")],
)
def test_an_injected_segment_says_who_put_it_there(tshark: str, tmp_path: Path, sender, how):
    put = replace(handshake()[0], fate=Fate.INJECTED, sender=sender, step="injected", lanes=())
    assert read(tshark, tmp_path, written(timeline(put)), "frame.comment") == [[f"1 · {how}"]]


def test_inferred_states_are_called_inferred(tshark: str, tmp_path: Path):
    lane = Lane(host="server", before=S.LISTEN, after=S.SYN_RECEIVED, source=Source.INFERRED)
    seen = replace(handshake()[0], fate=Fate.CAPTURED, step=None, lanes=(lane,))
    assert read(tshark, tmp_path, written(timeline(seen)), "frame.comment") == [
        ["1 · server LISTEN → SYN-RECEIVED (inferred)"]
    ]


def test_of_an_end_of_which_nothing_is_known_that_is_said(tshark: str, tmp_path: Path):
    seen = replace(
        handshake()[0], fate=Fate.CAPTURED, step=None, lanes=(crafted(S.SYN_SENT, S.SYN_SENT),)
    )
    told = timeline(seen)
    client, server = told.hosts
    remote = replace(told, hosts=(client, replace(server, stack=Stack.REMOTE)))
    assert read(tshark, tmp_path, written(remote), "frame.comment") == [
        ["1 · client SYN-SENT (crafted) · server in an unknown state"]
    ]


def icmp_error(frame: bytes) -> IcmpEvent:
    return IcmpEvent(
        i=1,
        at_ns=1000,
        version=4,
        reporter="192.0.2.2",
        type=3,
        code=10,
        sport=40001,
        dport=80,
        frame=frame,
    )


def prohibition() -> bytes:
    """ICMP type 3 code 10 that quotes the handshake's SYN."""
    from scapy.layers.inet import ICMP, IP

    quoted = craft(segment("client", "S", 0, 0))[:28]
    packet = IP(src="192.0.2.2", dst="192.0.2.1") / ICMP(type=3, code=10) / quoted
    return ETHERNET + b"\x08\x00" + bytes(packet)


def test_an_icmp_error_is_a_packet_with_its_meaning(tshark: str, tmp_path: Path):
    octets = written(timeline(handshake()[0], icmp_error(prohibition())))
    packets = read(tshark, tmp_path, octets, "icmp.type", "icmp.code", "frame.comment")
    assert packets[1] == [
        "3",
        "10",
        "host administratively prohibited (type 3, code 10)",
    ]


def test_a_report_that_a_kernel_made_itself_is_no_packet(tshark: str, tmp_path: Path):
    octets = written(timeline(handshake()[0], icmp_error(b"")))
    assert read(tshark, tmp_path, octets, "frame.number") == [["1"]]


def test_comments_are_said_in_the_language_of_the_run(tshark: str, tmp_path: Path):
    def say(text: Text) -> str:
        return text.said_by(
            lambda msgid: msgid.replace("observed", "관찰").replace("crafted", "제작")
        )

    comments = read(tshark, tmp_path, written(timeline(handshake()[0]), say), "frame.comment")
    assert comments == [
        ["1 open 1/3 · client SYN-SENT (제작) · server LISTEN → SYN-RECEIVED (관찰)"]
    ]
