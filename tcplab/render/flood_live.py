"""A SYN flood while it lasts: the queues, the counters, and the client, in a few lines."""

from collections.abc import Iterator

from tcplab.analysis.flooding.report import FloodLook
from tcplab.analysis.flooding.settings import FloodSettings
from tcplab.render import flood_words
from tcplab.render.cells import wrapped
from tcplab.render.flood import dotted
from tcplab.render.harmless import harmless, plain
from tcplab.render.page import Line, Style
from tcplab.text import Say, Text

_WIDEST = 100
_COUNTERS = (
    *("TcpExtListenDrops", "TcpExtTCPReqQFullDrop", "TcpExtSyncookiesSent"),
    *("TcpExtSyncookiesRecv", "TcpExtSyncookiesFailed"),
)


def live(
    settings: FloodSettings, look: FloodLook, *, width: int, say: Say, ascii_only: bool = False
) -> Iterator[Line]:
    """The lines of one look, each at most `width` cells wide."""

    def said(text: Text) -> str:
        words = say(text)
        return harmless(plain(words) if ascii_only else words)

    cells, dot = min(width, _WIDEST) - 1, " - " if ascii_only else " · "
    heading = Text(
        "SYN flood, {defence}: {seconds} s",
        defence=flood_words.defence(settings),
        seconds=f"{look.at_ns / 1e9:.1f}",
    )
    for words in wrapped(said(heading), cells):
        yield ((f" {words}", Style.STRONG),)
    queues = (
        Text("SYNs sent {sent} of {frames}", sent=f"{look.sent:,}", frames=f"{settings.frames:,}"),
        Text("SYN-RECEIVED {count}", count=f"{look.syn_received:,}"),
        Text("listen queue {count}", count=f"{look.listen_queue:,}"),
    )
    for words in dotted(map(said, queues), dot, cells):
        yield ((f" {words}", Style.PLAIN),)
    counters = [f"{flood_words.short(each)} {look.counters.get(each, 0):,}" for each in _COUNTERS]
    for words in dotted(counters, dot, cells):
        yield ((f" {words}", Style.QUIET),)
    client = Text(
        "client: {served} of {tries} tries served",
        served=look.client_served,
        tries=look.client_tries,
    )
    style = Style.GOOD if look.client_served == look.client_tries else Style.BAD
    style = style if look.client_tries else Style.PLAIN
    for words in wrapped(said(client), cells):
        yield ((f" {words}", style),)
