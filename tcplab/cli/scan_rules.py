"""Which options of a scan go together."""

from collections.abc import Collection

from tcplab.cli.given import Given, not_together
from tcplab.errors import UsageError
from tcplab.text import Text

_METHODS = ("--syn", "--connect", "--compare")
_WITH_COMPARE = frozenset(
    {"--compare", "--ports", "-4", "-6", "--json", "--ascii", "--no-color", "--lang"}
)


def check(asked: Given) -> None:
    """Raises UsageError for what does not go together."""
    methods = [method for method in _METHODS if method in asked]
    if len(methods) > 1:
        raise not_together(methods[0], methods[1])
    if "-4" in asked and "-6" in asked:
        raise UsageError(
            Text("-4 and -6 cannot be used together."), remedy=Text("Give one of them, or neither.")
        )
    if "--compare" in asked:
        _check_compare(asked)
    if "--connect" in asked and "--ring-slots" in asked:
        raise UsageError(
            Text("A connect scan has no receive ring: the kernel hears the answers."),
            remedy=Text("Omit --ring-slots, or omit --connect."),
        )
    if asked.host is None:
        _check_testbed(asked)


def _check_compare(asked: Given) -> None:
    if asked.host is not None:
        raise UsageError(
            Text(
                "--compare shows what the server's kernel and its application went through, which "
                "only the testbed knows."
            ),
            remedy=Text("Omit HOST, or scan it with --syn and then with --connect."),
        )
    for option in sorted(asked.options - _WITH_COMPARE):
        raise not_together(option, "--compare")


def _check_testbed(asked: Given) -> None:
    if "--rate" in asked:
        raise UsageError(
            Text("In the testbed a scan always goes as fast as the path answers."),
            remedy=Text("Omit --rate, or name a HOST."),
        )
    if "--authorized" in asked:
        raise UsageError(
            Text("The testbed is tcplab's own: nobody has to authorize its scan."),
            remedy=Text("Omit --authorized, or name a HOST."),
        )


def check_authorized(who: str | None) -> None:
    """Raises UsageError for an authorization that names nobody."""
    if who is not None and not who.strip():
        raise UsageError(
            Text("--authorized names nobody."),
            remedy=Text('Say who allowed the scan: --authorized "who said so"'),
        )


def check_ladder(port: int, ports: Collection[range]) -> None:
    """Raises UsageError for a port that is not scanned."""
    if not any(port in each for each in ports):
        raise UsageError(
            Text("Port {port} is not among the ports of this scan.", port=port),
            remedy=Text("Give --ladder one of them, or add {port} to -p.", port=port),
        )
