"""What a golden trace or ladder of a live run masks, and all that it masks.

- times: each call, sending and delivery happens 100 µs after the one before;
- the run's random numbers: the client's port is 40000, the client's ISN 1000000000 and the server's
  3000000000, and every absolute sequence number moves with its ISN;
- what depends on the kernel's version and the machine's memory: windows (0), a kernel's window
  scale (7), the version itself;
- the values of the timestamps option (both 0), and the frames' bytes;
- samples of timers and tcp_info, and counters, which depend on the kernel's version, and state
  events, which repeat the lanes: tested apart.

States, flags, lengths, options, relative numbers, calls and their results stay.
"""

from dataclasses import replace

from tcplab.tcp.flags import Flags
from tcplab.tcp.options import Option, Timestamps, WindowScale
from tcplab.tcp.segment import Address
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import CallEvent, SegmentEvent
from tcplab.timeline.relative import isns
from tcplab.timeline.timeline import Stack, Timeline

CLIENT_PORT = 40000
ISN = {"client": Seq(1_000_000_000), "server": Seq(3_000_000_000)}
_STEP_NS = 100_000


def canonical(timeline: Timeline) -> Timeline:
    """The same run with everything masked that differs from run to run."""
    origins = isns(timeline)
    kept = [event for event in timeline.events if isinstance(event, CallEvent | SegmentEvent)]
    numbers = {event.i: i for i, event in enumerate(kept)}
    order = sorted(
        {event.at_ns for event in kept}
        | {event.delivered_ns for event in kept if isinstance(event, SegmentEvent)}
    )
    times = {at_ns: rank * _STEP_NS for rank, at_ns in enumerate(order)}

    def segment(event: SegmentEvent) -> SegmentEvent:
        old = event.segment
        other = "server" if event.sender == "client" else "client"
        moved = replace(
            old,
            src=_masked(old.src, event.sender),
            dst=_masked(old.dst, other),
            seq=ISN[event.sender] + old.seq.since(origins["a", event.sender]),
            ack=(
                ISN[other] + old.ack.since(origins["a", other]) if old.has(Flags.ACK) else old.ack
            ),
            wnd_octets=0,
            options=tuple(_masked_option(option, event.sender, timeline) for option in old.options),
        )
        return replace(event, segment=moved, delivered_ns=times[event.delivered_ns], frame=b"")

    events = []
    for event in kept:
        shown = segment(event) if isinstance(event, SegmentEvent) else event
        cause = None if event.cause is None else numbers[event.cause]
        events.append(replace(shown, i=numbers[event.i], at_ns=times[event.at_ns], cause=cause))
    return replace(
        timeline,
        command=(),
        testbed=replace(timeline.testbed, kernel="6.x", rootless=True),
        hosts=tuple(
            replace(host, port=CLIENT_PORT) if host.name == "client" else host
            for host in timeline.hosts
        ),
        events=tuple(events),
        began_ns=0,
    )


def _masked(address: Address, host: str) -> Address:
    return Address(address.ip, CLIENT_PORT) if host == "client" else address


def _masked_option(option: Option, sender: str, timeline: Timeline) -> Option:
    if isinstance(option, Timestamps):
        return Timestamps(0, 0)
    if isinstance(option, WindowScale) and timeline.host(sender).stack is Stack.KERNEL:
        return WindowScale(7)
    return option


def joint_trace(timeline: Timeline) -> str:
    """One line an act: what happened, and both ends' states before and after it."""
    origins = isns(timeline)
    lines = []
    for event in timeline.told():
        if isinstance(event, CallEvent):
            what = f"{event.host:6} {event.name}() = {event.result}"
        else:
            what = _written(event, origins)
        states = "   ".join(
            f"{lane.host} {lane.before} → {lane.after}"
            if lane.before is not lane.after
            else f"{lane.host} {lane.before}"
            for lane in event.lanes
        )
        lines.append(f"{what:58} {states}".rstrip())
    return "\n".join(lines) + "\n"


def _written(event: SegmentEvent, origins) -> str:
    segment = event.segment
    other = "server" if event.sender == "client" else "client"
    words = [f"{event.sender} > {other} {segment.flags.written}"]
    words.append(f"seq {segment.seq.since(origins['a', event.sender])}")
    if segment.has(Flags.ACK):
        words.append(f"ack {segment.ack.since(origins['a', other])}")
    if segment.data_octets:
        words.append(f"len {segment.data_octets}")
    if event.fate.value != "delivered":
        words.append(event.fate.value)
    return " ".join(words)
