"""A check: one ability of a machine, whether it is there, and what to do if not."""

from dataclasses import dataclass

from tcplab.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One ability of this machine. `id` never changes ("user-namespaces").

    `found` is what was found; `without` says what works if it is missing. `remedy` says how it is
    mended and `command` is the exact command that does it, where one does; both are None if `ok`.
    """

    id: str
    ok: bool
    found: Text
    remedy: Text | None = None
    command: str | None = None
    without: Text
