"""What an attacker's search of all that it has heard got, in the words beside a ladder."""

from tcplab.analysis.ciphertext import Sight
from tcplab.analysis.credentials import Credential
from tcplab.analysis.stolen import loot, short
from tcplab.text import Text, verbatim
from tcplab.timeline.events import CallEvent
from tcplab.timeline.timeline import Timeline

_NAMED = 3
"""So many logins stand beside a ladder; its findings have all."""


def searched(timeline: Timeline, search: CallEvent) -> Text:
    """The logins themselves, or what is seen of TLS instead. Names are as they came from the
    network. Where the attacker itself counted otherwise, nothing but its count.
    """
    found = loot(timeline, search)
    counted = search.result == str(len(found.logins))
    if found.logins and counted:
        return Text("searches what it has heard: {found}", found=_logins(found.logins))
    if found.sights and counted:
        return Text("searches what it has heard: {found}", found=_sighted(found.sights))
    return Text("searches what it has heard; logins found: {count}", count=search.result)


def _logins(logins: tuple[Credential, ...]) -> Text:
    named = verbatim(
        ", ".join(
            f"{short(each.user)} / {short(each.secret)} ({each.scheme.value})"
            for each in logins[:_NAMED]
        )
    )
    more = len(logins) - _NAMED
    return named if more <= 0 else Text("{named}, and {count} more", named=named, count=more)


def _sighted(sights: tuple[Sight, ...]) -> Text:
    octets = sum(record.octets for sight in sights for record in sight.application)
    hello = next((sight.hello for sight in sights if sight.hello is not None), None)
    versions = ", ".join(hello.versions) if hello is not None else ""
    if hello is None or not hello.server_name:
        return Text(
            "{versions}, application data {octets} octets",
            versions=versions or "TLS",
            octets=octets,
        )
    return Text(
        "{versions} for {name}, application data {octets} octets",
        versions=versions or "TLS",
        name=short(hello.server_name),
        octets=octets,
    )
