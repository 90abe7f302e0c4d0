"""A timeline as JSON objects; `decoding` is the inverse. The keys are fixed: programs read them.

Times are integers in nanoseconds since the run began (`began_ns` itself: since the epoch). Bytes
are hex. Numbers that merely repeat what others say (`rel_seq`, `len`) are written for the reader's
comfort and not read back.
"""

from collections.abc import Mapping
from typing import Any

from tcplab.tcp.segment import Address
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Event,
    ExpectEvent,
    IcmpEvent,
    Lane,
    ReasonEvent,
    SampleEvent,
    SegmentEvent,
    StateEvent,
    WireEvent,
)
from tcplab.timeline.relative import relative
from tcplab.timeline.spelling import spell
from tcplab.timeline.timeline import HostInfo, Setting, Timeline

SCHEMA = "tcplab.timeline/1"

Json = dict[str, Any]
"""One JSON object."""


def header(timeline: Timeline) -> Json:
    """All of a timeline but its events."""
    testbed = timeline.testbed
    return {
        "schema": SCHEMA,
        "tcplab": timeline.tcplab,
        "command": list(timeline.command),
        "scenario": timeline.scenario,
        "testbed": {
            "kind": testbed.kind,
            "kernel": testbed.kernel,
            "rootless": testbed.rootless,
            "interface": testbed.interface,
            "gateway": testbed.gateway,
        },
        "began_ns": timeline.began_ns,
        "hosts": {host.name: _host(host) for host in timeline.hosts},
        "settings": [_setting(setting) for setting in timeline.settings],
        "drops": timeline.drops,
        "interrupted": timeline.interrupted,
    }


def _host(host: HostInfo) -> Json:
    return {
        "ip": host.ip,
        "port": host.port,
        "stack": host.stack.value,
        "clock_error_ns": host.clock_error_ns,
    }


def _setting(setting: Setting) -> Json:
    return {
        "host": setting.host,
        "name": setting.name,
        "value": setting.value,
        "default": setting.default,
    }


def event(event: Event, isns: Mapping[tuple[str, str], Seq]) -> Json:
    """One event. `isns` (from `tcplab.timeline.relative`) is what relative numbers count from."""
    match event:
        case SegmentEvent():
            said = _segment(event, isns)
        case CallEvent():
            said = {
                "kind": "call",
                "host": event.host,
                "name": event.name,
                "conn": event.conn,
                "result": event.result,
                "arguments": event.arguments,
                "lanes": _lanes(event.lanes),
            }
        case StateEvent():
            said = {
                "kind": "state",
                "host": event.host,
                "conn": event.conn,
                "old": event.old.value,
                "new": event.new.value,
                "source": event.source.value,
            }
        case CounterEvent():
            said = {
                "kind": "counter",
                "host": event.host,
                "name": event.name,
                "delta": event.delta,
            }
        case IcmpEvent():
            said = {
                "kind": "icmp",
                "version": event.version,
                "reporter": event.reporter,
                "type": event.type,
                "code": event.code,
                "sport": event.sport,
                "dport": event.dport,
                "frame": event.frame.hex(),
                "link_octets": event.link_octets,
            }
        case WireEvent():
            said = {"kind": "wire", "rule": event.rule, "segment": event.segment}
        case ReasonEvent():
            said = {
                "kind": "reason",
                "host": event.host,
                "act": event.kind,
                "word": event.word,
                "source": event.source.value,
            }
        case SampleEvent():
            said = {
                "kind": "sample",
                "host": event.host,
                "conn": event.conn,
                "source": event.source.value,
                "fields": dict(event.fields),
            }
        case ExpectEvent():
            said = {
                "kind": "expect",
                "conn": event.conn,
                "predicate": event.predicate,
                "met": event.met,
                "found": dict(event.found),
            }
    return {"i": event.i, "kind": said["kind"], "at_ns": event.at_ns, **said, "cause": event.cause}


def _segment(event: SegmentEvent, isns: Mapping[tuple[str, str], Seq]) -> Json:
    segment = event.segment
    rel_seq, rel_ack = relative(event, isns)
    return {
        "kind": "segment",
        "from": event.sender,
        "to": event.receiver,
        "flags": segment.flags.letters,
        "seq": int(segment.seq),
        "ack": int(segment.ack),
        "rel_seq": rel_seq,
        "rel_ack": rel_ack,
        "len": segment.data_octets,
        "wnd": segment.wnd_octets,
        "options": spell(segment.options),
        "fate": event.fate.value,
        "delivered_ns": event.delivered_ns,
        "step": event.step,
        "conn": event.conn,
        "lanes": _lanes(event.lanes),
        "src": _address(segment.src),
        "dst": _address(segment.dst),
        "urgent": segment.urgent,
        "payload": segment.payload.hex(),
        "missing_octets": segment.missing_octets,
        "checksum_ok": segment.checksum_ok,
        "ttl": event.ttl,
        "link_octets": event.link_octets,
        "frame": event.frame.hex(),
    }


def _address(address: Address) -> Json:
    return {"ip": address.ip, "port": address.port}


def _lanes(lanes: tuple[Lane, ...]) -> Json:
    return {
        lane.host: {
            "before": lane.before.value,
            "after": lane.after.value,
            "source": lane.source.value,
        }
        for lane in lanes
    }
