"""The socket calls of a scenario file: `at` a host, `do` a call."""

import errno
import re
from collections.abc import Callable, Mapping

from tcplab.scenario.calls import (
    Abort,
    Accept,
    Call,
    Close,
    Connect,
    Drain,
    Error,
    Forget,
    Kill,
    Listen,
    Play,
    Read,
    Send,
    SetOption,
    Shutdown,
    StartTls,
    Stream,
    alphabet,
)
from tcplab.scenario.conn_reader import LARGEST_PORT
from tcplab.scenario.fields import Fields, found
from tcplab.scenario.mistake import instead_of, nearest, quoted
from tcplab.scenario.options import OPTIONS, Shape
from tcplab.scenario.tls import FAILURES
from tcplab.text import Text, verbatim

LARGEST_SEND_OCTETS = 32_768
_LARGEST_READ_OCTETS = 1 << 20
_LARGEST_STREAM_OCTETS = 64 << 20
_LARGEST_BACKLOG = 65_535
_LARGEST_INT = 2**31 - 1
_LARGEST_ISN = 2**32 - 1  # and to the kernel 0 means that it may choose
_LONGEST_BUFFER_S = 600.0

_ERRORS = frozenset(errno.errorcode.values()) | FAILURES
_NAME = re.compile(r"[a-z0-9_-]{1,15}")  # TCP_CA_NAME_MAX is 16 with its NUL


def _listen(step: Fields) -> Call:
    step.maybe_whole("port", least=1, most=LARGEST_PORT)
    return Listen(step.whole("backlog", least=0, most=_LARGEST_BACKLOG, default=Listen().backlog))


def _connect(step: Fields) -> Call:
    return Connect(
        bind=step.flag("bind", default=True),
        within_s=step.maybe_seconds("within"),
        isn=step.maybe_whole("isn", least=1, most=_LARGEST_ISN),
    )


def _accept(step: Fields) -> Call:
    return Accept(within_s=step.maybe_seconds("within"))


def _send(step: Fields) -> Call:
    if "data" in step and "octets" in step:
        raise step.mistake(
            Text("data and octets cannot be in one step."),
            remedy=Text("Give the data itself, or how many octets."),
            key="octets",
        )
    if "octets" in step:
        data = alphabet(step.whole("octets", least=1, most=LARGEST_SEND_OCTETS))
    else:
        data = octets(step, "data", least=1)
    return Send(data, urgent=step.flag("urgent"))


def octets(step: Fields, key: str, *, least: int) -> bytes:
    """A text as it is sent, in UTF-8."""
    data = step.text(key, None if least else "").encode()
    if not least <= len(data) <= LARGEST_SEND_OCTETS:
        raise step.mistake(
            Text("{key} has {octets} octets.", key=key, octets=len(data)),
            remedy=Text(
                "Send {least} to {most} octets in one step.", least=least, most=LARGEST_SEND_OCTETS
            ),
            key=key,
        )
    return data


def _read(step: Fields) -> Call:
    most = step.whole("octets", least=1, most=_LARGEST_READ_OCTETS, default=Read().octets)
    return Read(most, within_s=step.maybe_seconds("within"))


def _set(step: Fields) -> Call:
    option = step.word("option", OPTIONS)
    return SetOption(option=option, values=_values(step, OPTIONS[option]))


def _values(step: Fields, shape: Shape) -> tuple[int | str, ...]:
    value = step.require("value")
    match shape, value:
        case Shape.NUMBER, bool() | int() if 0 <= value <= _LARGEST_INT:
            return (int(value),)
        case Shape.LINGER, [bool() | int() as on, int() as seconds] if (
            on in (0, 1) and type(seconds) is int and 0 <= seconds <= _LARGEST_INT
        ):
            return (int(on), seconds)
        case Shape.NAME, str() if _NAME.fullmatch(value):
            return (value,)
    raise step.mistake(
        Text(
            "{option} does not take this value ({found}).",
            option=step.text("option"),
            found=found(value),
        ),
        remedy=Text("Write it as in: {example}", example=verbatim(_EXAMPLES[shape])),
        key="value",
    )


_EXAMPLES = {
    Shape.NUMBER: "value = 1",
    Shape.LINGER: "value = [1, 5]",
    Shape.NAME: 'value = "reno"',
}


def _stream(step: Fields) -> Call:
    return Stream(octets=step.whole("octets", least=1, most=_LARGEST_STREAM_OCTETS))


def _play(step: Fields) -> Call:
    return Play(
        rate_octets=step.whole("rate", least=1, most=_LARGEST_STREAM_OCTETS),
        buffer_s=step.number("buffer", most=_LONGEST_BUFFER_S, zero=True),
    )


CALLS: Mapping[str, tuple[tuple[str, ...], Callable[[Fields], Call]]] = {
    "listen": (("backlog", "port"), _listen),
    "connect": (("bind", "within", "isn"), _connect),
    "accept": (("within",), _accept),
    "send": (("data", "octets", "urgent"), _send),
    "read": (("octets", "within"), _read),
    "shutdown": ((), lambda _step: Shutdown()),
    "close": ((), lambda _step: Close()),
    "abort": ((), lambda _step: Abort()),
    "set": (("option", "value"), _set),
    "error": ((), lambda _step: Error()),
    "kill-socket": ((), lambda _step: Kill()),
    "forget": ((), lambda _step: Forget()),
    "stream": (("octets",), _stream),
    "drain": ((), lambda _step: Drain()),
    "play": (("rate", "buffer"), _play),
    "start-tls": ((), lambda _step: StartTls()),
}
"""What an application can do: the keys of such a step, beside those of every call, and its
reader.
"""


def needs_kernel(call: Call) -> bool:
    """Can only a real kernel do it, and no crafted host?"""
    match call:
        case SetOption() | Error() | Kill() | Forget() | Stream() | Drain() | Play() | StartTls():
            return True
        case Connect(bind=bind):
            return not bind
        case Send(urgent=urgent):
            return urgent
    return False


def result(step: Fields) -> str | None:
    """What the call must return: the name of an errno or of a failure of TLS, or a number."""
    if "result" not in step:
        return None
    written = step.raw("result")
    if type(written) is int:
        return str(step.whole("result", least=0, most=_LARGEST_STREAM_OCTETS))
    word = step.text("result")
    if word in _ERRORS or re.fullmatch(r"[0-9]{1,8}", word):
        return word
    raise step.mistake(
        Text("No call returns {word}.", word=quoted(word)),
        remedy=instead_of(word, _ERRORS)
        if nearest(word, _ERRORS)
        else Text("Give an errno, such as ECONNREFUSED, or a number of octets."),
        key="result",
    )
