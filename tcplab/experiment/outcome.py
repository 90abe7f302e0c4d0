"""What came of one run in a process of its own, and how that process tells it."""

import io
import json
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tcplab.errors import Exit, TcplabError
from tcplab.text import Text, verbatim
from tcplab.timeline import jsonl
from tcplab.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Played:
    """It was played, to its end."""

    timeline: Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It could not be played, or not to its end: what is wrong, and what to do."""

    what: Text
    remedy: Text
    status: Exit

    def error(self) -> TcplabError:
        """As the error that it was."""
        error = TcplabError(self.what, remedy=self.remedy)
        error.status = self.status
        return error


@dataclass(frozen=True, slots=True)
class Died:
    """Its process ended without a word."""

    why: Text


@dataclass(frozen=True, slots=True)
class Crashed:
    """A bug of ours: Python's traceback."""

    traceback: str


Outcome = Played | Failed | Died | Crashed


def told(play: Callable[[], Timeline]) -> bytes:
    """What the process says: one line of JSON, and after it the timeline if there is one."""
    try:
        timeline = play()
        written = io.BytesIO()
        jsonl.write(timeline, written)
    except TcplabError as error:
        failed = {"what": _spelled(error.what), "remedy": _spelled(error.remedy)}
        return _line({"failed": failed | {"status": int(error.status)}})
    except Exception:  # a bug: whoever started this process shows it, and ends with 70
        return _line({"crashed": traceback.format_exc()})
    return _line({"played": True}) + written.getvalue()


def heard(answer: bytes, status: int) -> Outcome:
    """What a process said that ended with that status; below 0 it is a signal's number."""
    head, _, rest = answer.partition(b"\n")
    if status < 0:
        name = signal.Signals(-status).name
        return Died(Text("The process that played it was ended by {signal}.", signal=name))
    if status > 0 or not head:
        return Died(Text("The process that played it ended without an answer."))
    said: dict[str, Any] = json.loads(head)
    if "crashed" in said:
        return Crashed(str(said["crashed"]))
    if "failed" in said:
        failed = said["failed"]
        return Failed(
            what=_read(failed["what"]),
            remedy=_read(failed["remedy"]),
            status=Exit(failed["status"]),
        )
    return Played(jsonl.read(io.BytesIO(rest)))


def _line(value: object) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"


def _spelled(text: Text) -> object:
    """A sentence that is still to be said, as JSON; one of another making as its English words."""
    if type(text) is not Text:
        return _spelled(verbatim(str(text)))
    fields = {
        name: _spelled(value) if isinstance(value, Text) else value for name, value in text.fields
    }
    return {"msgid": text.msgid, "fields": fields}


def _read(spelled: dict[str, Any]) -> Text:
    msgid, fields = spelled["msgid"], spelled["fields"]
    said = {name: _read(each) if isinstance(each, dict) else each for name, each in fields.items()}
    return Text.made_of(msgid, said)
