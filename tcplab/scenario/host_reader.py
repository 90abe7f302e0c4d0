"""The hosts of a scenario file, and how each is set up."""

import re

from tcplab.scenario.fields import Fields, wrong_type
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.mistake import MistakeError, instead_of, quoted
from tcplab.text import Text, verbatim

ENDS = ("client", "server")
HOSTS = (*ENDS, "attacker")

_UNHURRIED_MS = 10_000
_LONGEST_RTO_MIN_MS = 120_000
_LONGEST_VALUE = 200
_MOST_DESCRIPTORS = 1024
_KERNEL_S = ("route", "descriptors", "sysctl")
"""What only a host with a kernel's TCP has."""
_SYSCTL = re.compile(r"net(\.[a-z0-9_-]+)+")


def hosts(document: Fields, steps: tuple[Fields, ...]) -> tuple[HostSettings, ...]:
    """The client and the server, and the attacker if the file has a use for it."""
    tables = document.table("hosts")
    for name in tables.names():
        if name not in HOSTS:
            raise tables.mistake(
                Text("There is no host {host}.", host=quoted(name)),
                remedy=instead_of(name, HOSTS),
                key=name,
            )
    quickack = document.flag("quickack")
    rto_min_ms = _UNHURRIED_MS if document.flag("unhurried") else 0
    attacked = "attacker" in tables or any(step.raw("at") == "attacker" for step in steps)
    return tuple(
        _host(tables, name, quickack=quickack and name in ENDS, rto_min_ms=rto_min_ms)
        for name in (HOSTS if attacked else ENDS)
    )


def _host(tables: Fields, name: str, *, quickack: bool, rto_min_ms: int) -> HostSettings:
    table = tables.table(
        name, known=(*(("stack",) if name in ENDS else ("eavesdrops",)), *_KERNEL_S)
    )
    crafted = table.word("stack", ("kernel", "crafted"), "kernel") == "crafted"
    if crafted:
        for key in _KERNEL_S:
            if key in table:
                raise table.mistake(
                    Text("{host} is crafted: no kernel there takes settings.", host=name),
                    remedy=Text("Omit {key}, or the stack.", key=key),
                    key=key,
                )
    route = table.table("route", known=("quickack", "rto_min_ms"))
    return HostSettings(
        name=name,
        crafted=crafted,
        eavesdrops=table.flag("eavesdrops"),
        quickack=route.flag("quickack", default=quickack),
        rto_min_ms=route.whole("rto_min_ms", least=0, most=_LONGEST_RTO_MIN_MS, default=rto_min_ms),
        descriptors=table.whole("descriptors", least=1, most=_MOST_DESCRIPTORS)
        if "descriptors" in table
        else None,
        sysctls=_sysctls(table.table("sysctl")),
    )


def _sysctls(table: Fields) -> tuple[Sysctl, ...]:
    return tuple(_sysctl(table, name) for name in table.names())


def _sysctl(table: Fields, name: str) -> Sysctl:
    if name == "net" and isinstance(table.raw(name), dict):
        raise table.mistake(
            Text("A dot in the name of a sysctl separates tables, unless the name is quoted."),
            remedy=Text("Write it as in: {example}", example=verbatim('"net.ipv4.tcp_sack" = 0')),
            key=name,
        )
    if not _SYSCTL.fullmatch(name):
        raise table.mistake(
            Text("{name} is not the name of a sysctl of the network.", name=quoted(name)),
            remedy=Text("Give one that begins with net, such as net.ipv4.tcp_sack."),
            key=name,
        )
    if not isinstance(table.raw(name), dict):
        return Sysctl(name=name, value=_value(table, name))
    setting = table.table(name, known=("value", "if_present"))
    return Sysctl(name=name, value=_value(setting, "value"), if_present=setting.flag("if_present"))


def _value(table: Fields, key: str) -> str:
    """The value as /proc/sys takes it."""
    value = table.require(key)
    if isinstance(value, bool | int):
        if not -(2**63) <= value < 2**64:
            raise _unwritable(table, key)
        return str(int(value))
    if not isinstance(value, str):
        raise wrong_type(key, value, int, path=table.at(key))
    # ip_local_port_range shows itself with a tab between its two numbers.
    if not value.replace("\t", " ").isprintable() or not 0 < len(value) <= _LONGEST_VALUE:
        raise _unwritable(table, key)
    return value


def _unwritable(table: Fields, key: str) -> MistakeError:
    return table.mistake(
        Text("{key} has a value that no sysctl takes.", key=key),
        remedy=Text("Give a number, true or false, or a text of one line."),
        key=key,
    )
