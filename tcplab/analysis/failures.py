"""What the applications noticed: calls that failed after an act, and because of it."""

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.wording import end, listed
from tcplab.text import Text, verbatim
from tcplab.timeline.events import CallEvent, SegmentEvent


def with_failures(
    sentence: Text, conversation: Conversation, since: SegmentEvent, *, host: str | None = None
) -> tuple[Text, tuple[int, ...]]:
    """The sentence with the calls (of that host) that failed after `since`, and their indices."""
    failed = [
        event
        for event in conversation.timeline.events[since.i :]
        if isinstance(event, CallEvent) and event.conn == conversation.conn
        if host in (None, event.host)
        if event.result.startswith("E") and event.result != "EAGAIN"
    ]
    if not failed:
        return sentence, ()
    told = Text(
        "{aborted} What the applications saw: {calls}.",
        aborted=sentence,
        calls=listed([_failure(call) for call in failed]),
    )
    return told, tuple(call.i for call in failed)


def _failure(call: CallEvent) -> Text:
    return Text(
        "{call} at the {host} failed with {errno}",
        call=verbatim(f"{call.name}()"),
        host=end(call.host),
        errno=call.result,
    )
