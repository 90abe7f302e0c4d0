"""Which options of `tcplab half-open` go together."""

from typing import Final

from tcplab.cli.given import Given
from tcplab.errors import UsageError
from tcplab.text import Text

NO_ACK: Final = "no-ack"
FLOOD: Final = "flood"
COOKIE: Final = "cookie"
WAYS = (NO_ACK, FLOOD, COOKIE)

_ALWAYS = frozenset({"--how", "-6", "--json", "--ascii", "--no-color", "--lang"})
_PLAYED = frozenset(
    {"--trace", "--seq", "--filter", "--verbose", "--save", "--pcap", "--svg", "--force"}
)
"""What a run on the stepped wire has, and a flood has not: it keeps no timeline."""
_OWN = {
    NO_ACK: frozenset({"--synack-retries"}) | _PLAYED,
    FLOOD: frozenset(
        {"--cookies", "--backlog", "--max-syn-backlog", "--rate-limit", "--frames", "--seconds"}
        | {"--no-timestamps", "--compare"}
    ),
    COOKIE: frozenset({"--cookies"}) | _PLAYED,
}


def way(how: str | None, asked: Given) -> str:
    """What is to be shown: what --how says, else what the other options are for.

    Raises UsageError for options that do not go together.
    """
    chosen = how or (FLOOD if asked.options & (_OWN[FLOOD] - _OWN[COOKIE]) else NO_ACK)
    for option in sorted(asked.options - _ALWAYS - _OWN[chosen]):
        owners = [each for each in WAYS if option in _OWN[each]]
        raise UsageError(
            Text(
                "{option} is for {owners}, not for {how}.",
                option=option,
                owners=", ".join(f"--how {each}" for each in owners),
                how=f"--how {chosen}",
            ),
            remedy=Text("Give --how {how}, or omit {option}.", how=owners[0], option=option),
        )
    if "--compare" in asked and "--cookies" in asked:
        raise UsageError(
            Text("--compare runs the flood with every setting of --cookies."),
            remedy=Text("Omit one of them."),
        )
    return chosen


def check_cookies(cookies: str | None) -> None:
    """Raises UsageError where there would be no cookie to take apart."""
    if cookies == "off":
        raise UsageError(
            Text("With --cookies off there is no cookie to take apart."),
            remedy=Text("Give --cookies on or always, or omit it."),
        )
