"""An attack from off the path, for people: what it would take, what was tried, what came of it."""

from collections.abc import Iterator
from typing import assert_never

from tcplab.analysis.blind import AckRule, BlindReport, Effort
from tcplab.render.cells import wrapped
from tcplab.render.harmless import harmless, plain
from tcplab.render.page import Line, Style
from tcplab.scenario.attacks.attack import Weapon
from tcplab.text import Say, Text, verbatim

_WIDEST = 100
_ONE_PORT = 1
_YEAR_S, _DAY_S, _HOUR_S, _MINUTE_S = 31_557_600, 86_400, 3_600, 60
_LEAST_PERCENT = 1e-6


def page(
    report: BlindReport, *, width: int, ports: int, say: Say, ascii_only: bool = False
) -> Iterator[Line]:
    """The lines, each at most `width` (not below 40) cells wide. `ports` is from how many a client
    takes its own, if it is not known.
    """
    return _Page(report, min(width, _WIDEST), ports, say, ascii_only).lines()


class _Page:
    def __init__(
        self, report: BlindReport, width: int, ports: int, say: Say, ascii_only: bool
    ) -> None:
        self._report = report
        self._width = width
        self._ports = ports
        self._say_it = say
        self._ascii = ascii_only

    def lines(self) -> Iterator[Line]:
        """The heading, the arithmetic, the attempt, and the lesson."""
        report = self._report
        yield from self._told(_title(report), Style.STRONG)
        yield from self._told(
            Text(
                "Linux {kernel}, IPv{version}; the server's window is {window} octets.",
                kernel=report.kernel.partition("-")[0],
                version=report.settings.version,
                window=_grouped(report.window),
            ),
            Style.QUIET,
        )
        yield ()
        yield from self._arithmetic()
        yield ()
        yield from self._told(Text("What was tried, with the client's port known"), Style.STRONG)
        for sentence in _tried(report):
            yield from self._told(sentence, indent=3)
        yield ()
        mark, style = ("✘", Style.BAD_MARK) if report.succeeded else ("✔", Style.GOOD_MARK)
        if report.partial:
            mark, style = "?", Style.WARNING_MARK
        yield from self._told(_verdict(report), mark=mark, style=style)
        yield ()
        yield from self._told(_lesson(report.settings.weapon), Style.QUIET)

    def _arithmetic(self) -> Iterator[Line]:
        report = self._report
        yield from self._told(Text("What it must guess"), Style.STRONG)
        rules = (
            (Text("Before RFC 5961, with the client's port known"), _ONE_PORT, "before"),
            (_unknown(Text("Before RFC 5961"), self._ports), self._ports, "before"),
            (Text("Today, with the client's port known"), _ONE_PORT, "after"),
            (_unknown(Text("Today"), self._ports), self._ports, "after"),
        )
        for rule, ports, when in rules:
            effort = getattr(report.needs_with(ports), when)
            sentence = Text("{rule}: {effort}", rule=rule, effort=self._effort(effort))
            yield from self._told(sentence, indent=3)
        if report.ack_rule is not None:
            yield from self._told(_reach(report, report.ack_rule), indent=3)

    def _effort(self, effort: Effort | None) -> Text:
        report = self._report
        if effort is None:
            return Text("no number of frames will do.")
        return Text(
            "{frames} frames make sure of it; at {pps} a second that is {time} on average, and "
            "{tried} frames have a chance of {chance} %.",
            frames=_grouped(effort.frames),
            pps=_grouped(round(report.pps)),
            time=_duration(effort.seconds(report.pps)) if report.pps else verbatim("-"),
            tried=_grouped(report.sent),
            chance=_percent(effort.chance(report.sent)),
        )

    def _told(
        self,
        sentence: Text,
        style: Style = Style.PLAIN,
        *,
        indent: int = 1,
        mark: str | None = None,
    ) -> Iterator[Line]:
        said = harmless(self._say_it(sentence))
        if mark is not None:
            mark = {"✔": "OK", "✘": "NO", "?": "??"}[mark] if self._ascii else mark
            indent += len(mark) + 1
        words = wrapped(plain(said) if self._ascii else said, self._width - indent - 1)
        for n, line in enumerate(words):
            if mark is not None:
                head = f" {mark} " if n == 0 else " " * indent
                yield ((head, style), (line, Style.PLAIN))
            else:
                yield ((" " * indent + line, style),)


def _title(report: BlindReport) -> Text:
    match report.settings.weapon:
        case Weapon.RST:
            return Text("Blind RSTs in the client's name, from an attacker who hears nothing")
        case Weapon.SYN:
            return Text("Blind SYNs in the client's name, from an attacker who hears nothing")
        case _:
            return Text("Blind data in the client's name, from an attacker who hears nothing")


def _unknown(rule: Text, ports: int) -> Text:
    return Text("{rule}, with one of {ports} ports", rule=rule, ports=_grouped(ports))


def _reach(report: BlindReport, rule: AckRule) -> Text:
    octets = _grouped(report.ack_reach)
    match rule:
        case AckRule.SENT:
            return Text(
                "As tried out on this kernel, an ACK number may be {octets} octets old: the client "
                "has acknowledged {acknowledged} octets of the server's, its window is {window}, "
                "and the smaller one counts.",
                octets=octets,
                acknowledged=_grouped(report.acknowledged),
                window=_grouped(report.client_window),
            )
        case AckRule.WINDOW:
            return Text(
                "As tried out on this kernel, an ACK number may be {octets} octets old: the "
                "client's window, whether the server has sent so much or not.",
                octets=octets,
            )
        case _:
            assert_never(rule)


def _tried(report: BlindReport) -> Iterator[Text]:
    yield Text(
        "{sent} frames in {seconds} s, each with another number, one window farther on. "
        "Meanwhile both ends exchanged {exchanges} messages.",
        sent=_grouped(report.sent),
        seconds=f"{report.seconds:.2f}",
        exchanges=_grouped(report.exchanges),
    )
    yield Text(
        "Afterwards the server is in {server} and the client in {client}.",
        server=str(report.server),
        client=str(report.client),
    )
    yield Text(
        "The server's kernel questioned {challenged} of the frames; of those it answered {sent} "
        "with a challenge ACK (TCPChallengeACK) and kept back the rest (tcp_invalid_ratelimit).",
        challenged=_grouped(report.challenged),
        sent=_grouped(report.challenge_acks),
    )


def _verdict(report: BlindReport) -> Text:
    if report.forged_octets:
        return Text(
            "It succeeded, by luck: the server's program read {octets} octets that the client "
            "never sent.",
            octets=_grouped(report.forged_octets),
        )
    if report.was_reset:
        return Text("It succeeded, by luck: the connection has ended.")
    if report.partial:
        return Text("Stopped before its end; until then nothing was believed.")
    if report.settings.weapon is Weapon.RST and report.challenged:
        return Text(
            "It failed: nothing was believed. Under RFC 793 each frame that was questioned would "
            "have ended the connection."
        )
    return Text("It failed: nothing was believed.")


def _lesson(weapon: Weapon) -> Text:
    if weapon is Weapon.SYN:
        return Text(
            "A SYN in the middle of a connection is only questioned, whatever its number (RFC 5961 "
            "§4.2): guessing gains nothing."
        )
    if weapon is Weapon.DATA:
        return Text(
            "For data a number in the window is enough, still; but its ACK number must be one that "
            "the peer could have sent, which RFC 5961 §5.2 narrowed from half of all numbers to "
            "one window, and Linux 6.7 to octets that were really sent. And what was believed "
            "still waits for the gap before it."
        )
    return Text(
        "RFC 793 believed any RST in the window, so 2^32 divided by the window was enough. RFC "
        "5961 §3.2 wants the exact number, one of 2^32; and a client takes its port at random (RFC "
        "6056). Who hears the connection needs none of this: tcplab reset --aim exact."
    )


def _grouped(number: int) -> str:
    return f"{number:,}"


def _percent(chance: float) -> str:
    """In percent, with two digits that say something."""
    percent = chance * 100
    if percent >= 1:
        return f"{percent:.1f}".removesuffix(".0")
    if 0 < percent < _LEAST_PERCENT:
        return f"< {_LEAST_PERCENT:f}"
    return f"{float(f'{percent:.2g}'):f}".rstrip("0").rstrip(".")


def _duration(seconds: float) -> Text:
    for unit_s, text in (
        (_YEAR_S, "years"),
        (_DAY_S, "days"),
        (_HOUR_S, "hours"),
        (_MINUTE_S, "minutes"),
    ):
        if seconds >= 2 * unit_s:
            return _counted(f"{seconds / unit_s:,.0f}", text)
    return Text("{seconds} s", seconds=f"{seconds:.2f}")


def _counted(number: str, unit: str) -> Text:
    match unit:
        case "years":
            return Text("{number} years", number=number)
        case "days":
            return Text("{number} days", number=number)
        case "hours":
            return Text("{number} hours", number=number)
        case _:
            return Text("{number} minutes", number=number)
