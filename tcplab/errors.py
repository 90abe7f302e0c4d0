"""What can go wrong for a user, and the exit status that says so.

Every error is two lines: what is wrong, and what to do. A subclass exists only where a reader of
the exit status can act on it; a bug stays a builtin exception and ends with status 70.
"""

from enum import IntEnum, unique

from tcplab.text import Text


@unique
class Exit(IntEnum):
    """The exit statuses of the command line."""

    DONE = 0
    """It ran, and the answer is yes."""
    NO = 1
    """It ran, and the answer is no: closed, prohibited, silent, an expectation that failed."""
    USAGE = 2
    """The command line is wrong, or names something unknown."""
    PRIVILEGE = 3
    """It needs a privilege that this process lacks."""
    UNAVAILABLE = 4
    """Not available here: a kernel feature, a tool, a route, an interface that is up, Linux."""
    INCONCLUSIVE = 5
    """It ran, but what was seen proves neither yes nor no."""
    REFUSED = 6
    """Refused for safety."""
    BUG = 70
    """tcplab itself failed (EX_SOFTWARE of sysexits.h)."""
    INTERRUPTED = 130
    """Ctrl-C (128 + SIGINT)."""


class TcplabError(Exception):
    """Something a user can mend: `what` is wrong, and the `remedy`."""

    status = Exit.NO

    def __init__(self, what: Text, *, remedy: Text) -> None:
        super().__init__(str(what))
        self.what = what
        self.remedy = remedy


class UsageError(TcplabError):
    """The command line is wrong, or names something that does not exist."""

    status = Exit.USAGE


class PrivilegeError(TcplabError):
    """A capability is missing."""

    status = Exit.PRIVILEGE


class UnavailableError(TcplabError):
    """This machine, kernel or network cannot do it."""

    status = Exit.UNAVAILABLE


class InconclusiveError(TcplabError):
    """The run cannot be trusted to prove anything."""

    status = Exit.INCONCLUSIVE


class RefusedError(TcplabError):
    """tcplab does not do that, whoever asks: see the safety tiers."""

    status = Exit.REFUSED


class LinkLostError(InconclusiveError):
    """The way to the other end went away in mid-run: its interface went down, or its route did."""
