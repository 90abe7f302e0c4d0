"""Writes a timeline as pcapng, for Wireshark: each packet commented with what tcplab knows of it.

The format is draft-ietf-opsawg-pcapng. Its blocks are dpkt's: BSD-licensed, so it may stand beside
Scapy, and it lets a block have any options (comments) and any clock (nanoseconds). python-pcapng
can do as much and is smaller, but its Apache-2.0 licence does not go with Scapy's GPL-2.0-only;
Scapy's own writer takes 0.3 s to import and knows microseconds only.
"""

from collections.abc import Iterator
from typing import BinaryIO

from dpkt.pcapng import (
    EnhancedPacketBlockLE,
    InterfaceDescriptionBlockLE,
    PcapngOptionLE,
    SectionHeaderBlockLE,
)

from tcplab.analysis import icmp
from tcplab.analysis.wording import injected
from tcplab.text import Say, Text, verbatim
from tcplab.timeline.events import Fate, IcmpEvent, Lane, SegmentEvent, Source
from tcplab.timeline.timeline import Stack, Timeline, lane, numbers
from tcplab.wire.checksum import ones_complement, pseudo_header
from tcplab.wire.frame import TCP, Link

_END, _COMMENT, _INTERFACE_NAME, _APPLICATION, _TIME_RESOLUTION = 0, 1, 2, 4, 9
_NANOSECONDS = b"\x09"  # 10^-9 s

_FATES = {
    Fate.DROPPED: Text("dropped by the wire"),
    Fate.HELD: Text("held by the wire"),
    Fate.DELAYED: Text("delayed by the wire"),
    Fate.DUPLICATED: Text("duplicated by the wire"),
    Fate.CORRUPTED: Text("corrupted by the wire"),
}


def write(timeline: Timeline, file: BinaryIO, *, say: Say) -> None:
    """Write the frames of `timeline` in the order in which they were sent.

    Each has one comment: the segment's number as in the ladder, its step, its fate if it was not
    simply delivered, and both ends' states before and after it. `say` chooses the language. A
    report that a kernel made itself was no packet, and is left out.
    """
    packets = sorted(_packets(timeline), key=lambda event: (event.at_ns, event.i))
    links = list(dict.fromkeys(_link(event) for event in packets)) or [Link.ETHERNET]
    interface = timeline.testbed.interface or "wire"
    steps = numbers(timeline)
    file.write(
        bytes(SectionHeaderBlockLE(opts=_options((_APPLICATION, f"tcplab {timeline.tcplab}"))))
    )
    for link in links:
        options = _options((_INTERFACE_NAME, interface), (_TIME_RESOLUTION, _NANOSECONDS))
        file.write(bytes(InterfaceDescriptionBlockLE(linktype=link.value, snaplen=0, opts=options)))
    for event in packets:
        at_ns = timeline.began_ns + event.at_ns
        packet = EnhancedPacketBlockLE(
            iface_id=links.index(_link(event)),
            ts_high=at_ns >> 32,
            ts_low=at_ns & 0xFFFFFFFF,
            caplen=len(event.frame),
            pkt_len=len(event.frame),
            pkt_data=_summed(event),
            opts=_options((_COMMENT, _comment(timeline, event, steps, say))),
        )
        file.write(bytes(packet))


def _summed(event: SegmentEvent | IcmpEvent) -> bytes:
    """The frame, its TCP checksum filled in where the sender left that to a NIC that never did.

    On loopback and on virtual links no NIC ever does; a reader of the file would take every such
    segment for damaged.
    """
    segment = event.segment if isinstance(event, SegmentEvent) else None
    if segment is None or segment.checksum_ok is not None or segment.missing_octets:
        return event.frame
    frame, ip = event.frame, event.link_octets
    if frame[ip] >> 4 == 4:
        tcp = ip + (frame[ip] & 15) * 4
        end = ip + int.from_bytes(frame[ip + 2 : ip + 4], "big")
        src, dst = frame[ip + 12 : ip + 16], frame[ip + 16 : ip + 20]
    elif frame[ip + 6] == TCP:
        tcp = ip + 40
        end = tcp + int.from_bytes(frame[ip + 4 : ip + 6], "big")
        src, dst = frame[ip + 8 : ip + 24], frame[ip + 24 : ip + 40]
    else:
        return frame
    body = frame[tcp : tcp + 16] + b"\0\0" + frame[tcp + 18 : end]
    total = ones_complement(pseudo_header(src, dst, TCP, len(body)) + body)
    return frame[: tcp + 16] + total.to_bytes(2, "big") + frame[tcp + 18 :]


def _options(*pairs: tuple[int, str | bytes]) -> list[PcapngOptionLE]:
    """An option list and its end."""
    return [
        PcapngOptionLE(code=code, data=data.encode() if isinstance(data, str) else data)
        for code, data in (*pairs, (_END, b""))
    ]


def _packets(timeline: Timeline) -> Iterator[SegmentEvent | IcmpEvent]:
    for event in timeline.events:
        if isinstance(event, SegmentEvent | IcmpEvent) and event.frame:
            yield event


def _link(event: SegmentEvent | IcmpEvent) -> Link:
    return Link.ETHERNET if event.link_octets else Link.NONE


def _comment(
    timeline: Timeline, event: SegmentEvent | IcmpEvent, steps: dict[int, int], say: Say
) -> str:
    """For example `2 open 2/3 · client SYN-SENT → ESTABLISHED (crafted) · server …`."""
    if isinstance(event, IcmpEvent):
        return say(icmp.words(event))
    number = str(steps[event.i])
    if event.fate is Fate.INJECTED:  # its step says no more
        parts = [verbatim(number), injected(event.sender)]
    else:
        parts = [verbatim(f"{number} {event.step}" if event.step else number)]
        parts += [_FATES[event.fate]] if event.fate in _FATES else []
    parts += (_states(look) for look in event.lanes)
    parts += (
        Text("{host} in an unknown state", host=host.name)
        for host in timeline.hosts
        if host.stack is Stack.REMOTE and lane(event, host.name) is None
    )
    return " · ".join(map(say, parts))


def _states(look: Lane) -> Text:
    states = str(look.before)
    if look.after is not look.before:
        states += f" → {look.after}"
    if look.source.observed:
        return Text("{host} {states} (observed)", host=look.host, states=states)
    if look.source is Source.CRAFTED:
        return Text("{host} {states} (crafted)", host=look.host, states=states)
    return Text("{host} {states} (inferred)", host=look.host, states=states)
