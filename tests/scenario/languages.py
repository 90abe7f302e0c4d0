"""What a `Text` is in each language."""

from tcplab.text import Text


def english(text: Text) -> str:
    """As it is said in English."""
    return str(text)


def korean(text: Text) -> str:
    """As the Korean catalogue has it said, which knows nothing but its own language here."""
    return text.said_by(lambda msgid: {"en": "ko"}.get(msgid, msgid))
