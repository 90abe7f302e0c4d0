"""The words that several findings share: who, how known, how long."""

from collections.abc import Sequence

from tcplab.tcp.states import State
from tcplab.text import Text, verbatim
from tcplab.timeline.events import Source

ATTACKER = "attacker"
"""The host that forges."""


def end(host: str) -> Text:
    """What a sentence calls that host."""
    match host:
        case "client":
            return Text("client")
        case "server":
            return Text("server")
        case "attacker":
            return Text("attacker")
        case _:
            return verbatim(host)


def injected(sender: str) -> Text:
    """How a segment came onto the wire that no host's TCP has sent: an attacker forged it, or it
    was crafted in somebody's place.
    """
    if sender == ATTACKER:
        return Text("forged by the attacker")
    return Text("crafted, and injected into the wire")


def how(source: Source | None) -> Text:
    """How a state is known, in a word."""
    match source:
        case Source.SOCK_DIAG | Source.TRACEPOINT:
            return Text("observed")
        case Source.CRAFTED:
            return Text("crafted")
        case Source.INFERRED | None:
            return Text("inferred")


def walked(path: Sequence[State]) -> str:
    """States in their order: "LISTEN → SYN-RECEIVED"."""
    return " → ".join(map(str, path))


def listed(items: Sequence[Text]) -> Text:
    """The items with commas between them; empty for none."""
    if len(items) < 2:
        return items[0] if items else verbatim("")
    return Text("{first}, {rest}", first=items[0], rest=listed(items[1:]))


def told(sentences: Sequence[Text]) -> Text:
    """The sentences one after another; there is at least one."""
    if len(sentences) == 1:
        return sentences[0]
    return Text("{first} {rest}", first=sentences[0], rest=told(sentences[1:]))


def seconds(duration_ns: int) -> str:
    """A duration in seconds, to a tenth: "3.0"."""
    return f"{duration_ns / 1e9:.1f}"
