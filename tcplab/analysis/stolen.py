"""What an attacker who hears everything has got: passwords in plain text, or under TLS none.

Told only where a scenario had the attacker search (`Steal`), about what had passed by then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tcplab.analysis.ciphertext import Sight, sees
from tcplab.analysis.conversation import Conversation
from tcplab.analysis.credentials import Credential, credentials
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.wording import end
from tcplab.tcp.stream import Stream
from tcplab.text import Text, verbatim
from tcplab.timeline.events import CallEvent, Fate, SegmentEvent, WireEvent
from tcplab.timeline.timeline import Timeline

_LONGEST = 64
"""So many characters of a name or a secret are told."""


@dataclass(slots=True)
class _Heard:
    """What one end had said when the attacker searched."""

    host: str
    stream: Stream = field(default_factory=Stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loot:
    """What a search got: `logins`, and of TLS the `sights`. Both may be empty."""

    logins: tuple[Credential, ...]
    sights: tuple[Sight, ...]


def loot(timeline: Timeline, search: CallEvent) -> Loot:
    """What was in all that had passed on the search's connection by then."""
    said = [each.stream.octets for each in _heard(timeline, search)]
    return Loot(
        logins=tuple(credential for octets in said for credential in credentials(octets)),
        sights=tuple(sight for octets in said if (sight := sees(octets)) is not None),
    )


def findings(conversation: Conversation) -> Iterator[Finding]:
    """For each end that said something, what the last search there was for got out of it."""
    search = _search(conversation)
    if search is None:
        return
    heard = _heard(conversation.timeline, search)
    stolen = [
        _stolen(each, credential, search)
        for each in heard
        for credential in credentials(each.stream.octets)
    ]
    sights = [(each, sight) for each in heard if (sight := sees(each.stream.octets)) is not None]
    yield from stolen
    if sights:
        yield _ciphertext(sights, search)
    elif not stolen:
        yield Finding(
            id="steal.nothing",
            verdict=Verdict.NO,
            sentence=Text(
                "The {attacker} searched what it had heard, and there was no login in it.",
                attacker=end(search.host),
            ),
            events=(search.i,),
        )


def _search(conversation: Conversation) -> CallEvent | None:
    found = None
    for event in conversation.timeline.events:
        if isinstance(event, CallEvent) and (event.name, event.conn) == (
            "steal",
            conversation.conn,
        ):
            found = event
    return found


def _heard(timeline: Timeline, search: CallEvent) -> list[_Heard]:
    unheeded = _unheeded(timeline)
    heard: dict[str, _Heard] = {}
    for event in timeline.segments(search.conn):
        if event.i > search.i or event.fate in (Fate.INJECTED, Fate.CORRUPTED):
            continue
        delivered = event.delivered_ns is not None and event.delivered_ns <= search.at_ns
        if delivered or event.i in unheeded:
            each = heard.setdefault(event.sender, _Heard(event.sender))
            each.stream.take(event.segment, tag=event.i)
    return list(heard.values())


def _unheeded(timeline: Timeline) -> frozenset[int]:
    """The segments that the wire carried to a receiver who was not there to take them."""
    events = timeline.events
    found = set()
    for event in events:
        if isinstance(event, WireEvent) and event.segment is not None:
            segment = events[event.segment]
            if isinstance(segment, SegmentEvent) and event.rule in (
                f"cut {segment.receiver}",
                f"silence {segment.receiver}",
            ):
                found.add(event.segment)
    return frozenset(found)


def _stolen(heard: _Heard, credential: Credential, search: CallEvent) -> Finding:
    return Finding(
        id="steal.credentials",
        verdict=Verdict.YES,
        sentence=Text(
            "The {attacker} has read a login of the {host} as it went by ({scheme}): name {user}, "
            "password {secret}. Nothing had to be broken: it was not encrypted.",
            attacker=end(search.host),
            host=end(heard.host),
            scheme=credential.scheme.value,
            user=short(credential.user),
            secret=short(credential.secret),
        ),
        events=(*heard.stream.sources(credential.begin, credential.end), search.i),
    )


def short(words: str) -> str:
    """A name or a secret, cut where it is longer than is told."""
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _ciphertext(sights: list[tuple[_Heard, Sight]], search: CallEvent) -> Finding:
    hellos = [sight.hello for _heard, sight in sights if sight.hello is not None]
    records = [(each, record) for each, sight in sights for record in sight.application]
    sources = {
        i
        for each, sight in sights
        for record in (sight.records[0], *sight.application)
        for i in each.stream.sources(record.begin, record.end)
    }
    octets = sum(record.octets for _heard, record in records)
    seen = Text(
        "{count} records of application data, {octets} octets long",
        count=len(records),
        octets=octets,
    )
    if hellos:
        seen = Text(
            "the name of the server ({name}), the versions offered ({versions}), and {records}",
            name=verbatim(short(hellos[0].server_name)) if hellos[0].server_name else Text("none"),
            versions=", ".join(hellos[0].versions),
            records=seen,
        )
    return Finding(
        id="steal.ciphertext",
        verdict=Verdict.YES,
        sentence=Text(
            "The {attacker} hears every octet, and under TLS no login is in them. What it sees is "
            "{seen}. How much is said, when and to whom is no secret; only what is said is.",
            attacker=end(search.host),
            seen=seen,
        ),
        events=(*sorted(sources), search.i),
    )
