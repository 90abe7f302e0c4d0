"""The words for what a scenario did, set and expected, beside what the segments did."""

import re
from collections.abc import Iterator, Sequence

from tcplab.render.delays import Delay
from tcplab.render.fates import roughly
from tcplab.text import Text, verbatim
from tcplab.timeline.events import WireEvent
from tcplab.timeline.timeline import Setting, Timeline

_KILO = 1024
_TELLS_TIME = re.compile(r"\d ?m?s\b")
"""Does the name of a rule say how long it delays?"""


def act(rule: str, *, plugs: bool = False) -> Text:
    """A step on the wire ("cut server"), told in words; verbatim if it is none of the known.

    `plugs`: the cable of the host that is restored had been pulled (`plugged`).
    """
    verb, _, what = rule.partition(" ")
    match verb, what:
        case "hold", "":
            return Text("hold every frame")
        case "release", "":
            return Text("release what was held")
        case "cut", host if host:
            return Text("cut {host}", host=host)
        case "restore", host if host:
            if plugs:
                return Text("plug {host} in again", host=host)
            return Text("{host} is heard again", host=host)
        case "silence", host if host:
            return Text("{host} falls silent", host=host)
        case "reboot", host if host:
            return Text("reboot {host}", host=host)
        case "readdress", host if host:
            return Text("{host} gets a new address", host=host.partition(" ")[0])
        case "lift", name if name:
            return Text("lift {name}", name=name)
        case _:
            return verbatim(rule)


def is_cut(rule: str) -> bool:
    """Does the wire carry nothing to or from a host from here on?"""
    return rule.partition(" ")[0] in ("cut", "silence")


def plugged(timeline: Timeline) -> frozenset[int]:
    """The indices of the steps that plug a cable in again; other restored hosts were silent."""
    pulled: set[str] = set()
    found: set[int] = set()
    for event in timeline.events:
        if isinstance(event, WireEvent) and event.segment is None:
            verb, _, host = event.rule.partition(" ")
            if verb == "cut":
                pulled.add(host)
            elif verb == "restore" and host in pulled:
                pulled.remove(host)
                found.add(event.i)
    return frozenset(found)


def settings(timeline: Timeline) -> Iterator[Text]:
    """One line for every sysctl that the scenario set; hosts with the same one share it."""
    hosts: dict[tuple[str, str, str | None], list[str]] = {}
    for each in timeline.settings:
        hosts.setdefault((each.name, each.value, each.default), []).append(each.host)
    for (name, value, default), names in hosts.items():
        yield _setting(Setting(host=", ".join(names), name=name, value=value, default=default))


def delayed(delay: Delay, number: int) -> Text:
    """What the wire does to nearly every segment; `number` is that of the first one."""
    rule = delay.rule
    if not _TELLS_TIME.search(rule):
        rule = f"{roughly(delay.least_ns)} ({rule})"
    if delay.late:
        words = Text(
            "the wire delays every segment from {number} on: {rule}", number=number, rule=rule
        )
    else:
        words = Text("the wire delays every segment: {rule}", rule=rule)
    return words if delay.everywhere else of_connections(delay.conns, words)


def of_connections(conns: Sequence[str], words: Text) -> Text:
    """What is said, with the names of the connections about which it is said."""
    if len(conns) == 1:
        return Text("connection {name}: {words}", name=conns[0], words=words)
    return Text("connections {names}: {words}", names=", ".join(conns), words=words)


def _setting(setting: Setting) -> Text:
    host, name, value = setting.host, setting.name, setting.value
    if setting.default is None:
        return Text("{host}: {name} (this kernel has no such setting)", host=host, name=name)
    if setting.default == value:
        return Text("{host}: {name} = {value} (the default)", host=host, name=name, value=value)
    return Text(
        "{host}: {name} = {value} (default {default})",
        host=host,
        name=name,
        value=value,
        default=setting.default,
    )


def hidden(segments: int, octets: int) -> Text:
    """So many segments are not drawn."""
    if not octets:
        return Text("… {count} more segments …", count=segments)
    return Text("… {count} more segments, {size} …", count=segments, size=_size(octets))


def _size(octets: int) -> Text:
    if octets < _KILO:
        return Text("{octets} octets", octets=octets)
    return verbatim(f"{octets / _KILO:.1f} KiB".replace(".0 ", " "))
