"""The inverse of `encoding`: from JSON objects, which nobody vouches for, to a timeline.

Everything is checked while it is taken, so that a damaged file is found out here and not by an
exception in the middle of an analysis. All functions raise FieldError, and nothing else.
"""

from collections.abc import Callable

from tcplab.tcp import flags
from tcplab.tcp.options import Option
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import MODULUS, Seq
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.encoding import SCHEMA
from tcplab.timeline.events import (
    CallEvent,
    CounterEvent,
    Event,
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
from tcplab.timeline.fields import FieldError, Fields
from tcplab.timeline.spelling import unspell
from tcplab.timeline.timeline import HostInfo, Setting, Stack, Testbed, Timeline

_PORTS = _WORDS = 1 << 16
_OCTETS = 1 << 8


def header(value: object) -> Timeline:
    """The timeline that a header describes, still without events."""
    fields = Fields(value)
    schema = fields.text("schema")
    if schema != SCHEMA:
        raise FieldError(Text('the schema is "{it}", not "{schema}"', it=schema, schema=SCHEMA))
    testbed = fields.inner("testbed")
    return Timeline(
        tcplab=fields.text("tcplab"),
        command=tuple(_string(word) for word in fields.items("command")),
        scenario=fields.optional("scenario", fields.text),
        testbed=Testbed(
            kind=testbed.text("kind"),
            kernel=testbed.text("kernel"),
            rootless=testbed.flag("rootless"),
            interface=testbed.optional("interface", testbed.text),
            gateway=testbed.optional("gateway", testbed.text),
        ),
        hosts=tuple(_host(name, Fields(host)) for name, host in fields.pairs("hosts")),
        settings=_settings(fields),
        began_ns=fields.number("began_ns"),
        drops=fields.number("drops"),
        interrupted=fields.flag("interrupted"),
        events=(),
    )


def _string(word: object) -> str:
    if not isinstance(word, str):
        raise FieldError(Text('"command" is not a list of strings'))
    return word


def _host(name: str, fields: Fields) -> HostInfo:
    return HostInfo(
        name=name,
        ip=fields.text("ip"),
        port=fields.number("port", below=_PORTS),
        stack=fields.member("stack", Stack),
        clock_error_ns=fields.number("clock_error_ns"),
    )


def _settings(fields: Fields) -> tuple[Setting, ...]:
    settings = fields.items("settings") if "settings" in fields else []
    return tuple(_setting(Fields(setting)) for setting in settings)


def _setting(fields: Fields) -> Setting:
    return Setting(
        host=fields.text("host"),
        name=fields.text("name"),
        value=fields.text("value"),
        default=fields.optional("default", fields.text),
    )


def event(value: object) -> Event:
    """One event."""
    fields = Fields(value)
    kind = fields.text("kind")
    try:
        decode = _KINDS[kind]
    except KeyError:
        raise FieldError(Text('no event is of the kind "{kind}"', kind=kind)) from None
    return decode(fields)


def _segment(fields: Fields) -> Event:
    return SegmentEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        sender=fields.text("from"),
        receiver=fields.text("to"),
        conn=fields.text("conn"),
        segment=Segment(
            src=_address(fields.inner("src")),
            dst=_address(fields.inner("dst")),
            seq=Seq(fields.number("seq", below=MODULUS)),
            ack=Seq(fields.number("ack", below=MODULUS)),
            flags=_flags(fields.text("flags")),
            wnd_octets=fields.number("wnd", below=_WORDS),
            urgent=fields.number("urgent", below=_WORDS),
            options=_options(fields.items("options")),
            payload=fields.octets("payload"),
            missing_octets=fields.number("missing_octets"),
            checksum_ok=fields.optional("checksum_ok", fields.flag),
        ),
        fate=fields.member("fate", Fate),
        delivered_ns=fields.optional("delivered_ns", fields.number),
        step=fields.optional("step", fields.text),
        lanes=_lanes(fields),
        frame=fields.octets("frame"),
        link_octets=fields.number("link_octets"),
        ttl=fields.optional("ttl", lambda key: fields.number(key, below=_OCTETS)),
    )


def _address(fields: Fields) -> Address:
    return Address(fields.text("ip"), fields.number("port", below=_PORTS))


def _flags(letters: str) -> flags.Flags:
    try:
        return flags.from_letters(letters)
    except ValueError:
        raise FieldError(Text('"flags" are letters of FSRPAUEC, not "{it}"', it=letters)) from None


def _options(spelled: list[list[str | int | list[int]]]) -> tuple[Option, ...]:
    try:
        return unspell(spelled)
    except ValueError:
        raise FieldError(Text('"options" are not written as TCP options are')) from None


def _lanes(fields: Fields) -> tuple[Lane, ...]:
    return tuple(_lane(host, Fields(lane)) for host, lane in fields.pairs("lanes"))


def _lane(host: str, fields: Fields) -> Lane:
    return Lane(
        host=host,
        before=fields.member("before", State),
        after=fields.member("after", State),
        source=fields.member("source", Source),
    )


def _call(fields: Fields) -> Event:
    return CallEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        host=fields.text("host"),
        name=fields.text("name"),
        conn=fields.text("conn"),
        result=fields.text("result"),
        arguments=fields.text("arguments") if "arguments" in fields else "",
        lanes=_lanes(fields),
    )


def _state(fields: Fields) -> Event:
    return StateEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        host=fields.text("host"),
        conn=fields.text("conn"),
        old=fields.member("old", State),
        new=fields.member("new", State),
        source=fields.member("source", Source),
    )


def _counter(fields: Fields) -> Event:
    return CounterEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        host=fields.text("host"),
        name=fields.text("name"),
        delta=fields.number("delta"),
    )


def _icmp(fields: Fields) -> Event:
    return IcmpEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        version=fields.number("version"),
        reporter=fields.text("reporter"),
        type=fields.number("type", below=_OCTETS),
        code=fields.number("code", below=_OCTETS),
        sport=fields.number("sport", below=_PORTS),
        dport=fields.number("dport", below=_PORTS),
        frame=fields.octets("frame"),
        link_octets=fields.number("link_octets"),
    )


def _wire(fields: Fields) -> Event:
    return WireEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        rule=fields.text("rule"),
        segment=fields.optional("segment", fields.number),
    )


def _reason(fields: Fields) -> Event:
    return ReasonEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        host=fields.text("host"),
        kind=fields.text("act"),
        word=fields.text("word"),
        source=fields.member("source", Source),
    )


def _sample(fields: Fields) -> Event:
    return SampleEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        host=fields.text("host"),
        conn=fields.text("conn"),
        source=fields.member("source", Source),
        fields=tuple((name, _sampled(name, value)) for name, value in fields.pairs("fields")),
    )


def _sampled(name: str, value: object) -> int | str:
    if type(value) is int or isinstance(value, str):
        return value
    raise FieldError(Text('"{key}" is neither an integer nor a string', key=name))


def _expect(fields: Fields) -> Event:
    return ExpectEvent(
        i=fields.number("i"),
        at_ns=fields.number("at_ns"),
        cause=fields.optional("cause", fields.number),
        conn=fields.text("conn"),
        predicate=fields.text("predicate"),
        met=fields.flag("met"),
        found=tuple((name, _found(name, value)) for name, value in fields.pairs("found")),
    )


def _found(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise FieldError(Text('"{key}" is not {kind}', key=name, kind=Text("a string")))


_KINDS: dict[str, Callable[[Fields], Event]] = {
    "segment": _segment,
    "call": _call,
    "state": _state,
    "counter": _counter,
    "icmp": _icmp,
    "wire": _wire,
    "reason": _reason,
    "sample": _sample,
    "expect": _expect,
}
