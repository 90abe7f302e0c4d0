"""A socket call as a line of C would have it, and what it returned."""

from tcplab.tcp.states import State
from tcplab.text import Text, verbatim
from tcplab.timeline.events import CallEvent
from tcplab.timeline.timeline import lane

_CALLS = {
    "abort": "close() + SO_LINGER 0",
    "shutdown": "shutdown(SHUT_WR)",
    "error": "getsockopt(SO_ERROR)",
    "kill": "ss -K",
    "kill-socket": "ss -K",
    "forget": "TCP_REPAIR + close()",
    "start-tls": "SSL_do_handshake()",
}
"""What a scenario's own names for calls stand for, unless the event itself has arguments."""
_NAMES = {"set": "setsockopt"}
_UNREMARKABLE = ("0", "EINPROGRESS")
"""Results that go without saying: EINPROGRESS is what a connect that does not block returns."""
_ANSWERS = frozenset({"read", "error"})
"""Calls whose result is worth saying even so."""


def called(event: CallEvent, *, becomes: str) -> Text:
    """The call, and its result after an arrow (`becomes`) where that is worth saying."""
    words = f"{_NAMES.get(event.name, event.name)}({event.arguments})"
    setting, _, default = event.arguments.rpartition(", default ")
    if setting and event.result == "0":
        inner = Text("{setting}, default {value}", setting=setting, value=default)
        return Text("{name}({arguments})", name=_NAMES.get(event.name, event.name), arguments=inner)
    if not event.arguments or event.name == "start-tls":
        words = _CALLS.get(event.name, words)
    lingers = event.name == "close" and event.arguments
    if lingers and event.result == "EINPROGRESS":
        return Text("{call} waits", call=words)
    worth = event.name in _ANSWERS or lingers or _waited(event)
    if event.name == "start-tls" and event.arguments:
        words += f" {becomes} {event.arguments}"  # what was agreed on
    elif event.result not in _UNREMARKABLE or worth:
        words += f" {becomes} {event.result}"
    if event.name == "read" and event.result == "0":
        return Text("{call} (end of file)", call=words)
    return verbatim(words)


def _waited(event: CallEvent) -> bool:
    """Is it how a connect() ended that waited? Its beginning has a line of its own, and left
    CLOSED; the end finds the connection begun, and changes nothing.
    """
    own = lane(event, event.host)
    return (
        event.name == "connect" and own is not None and own.before is own.after is not State.CLOSED
    )
