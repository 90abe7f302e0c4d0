"""A server that gives a half-open connection up."""

from dataclasses import replace

from tcplab.tcp.states import State
from tcplab.timeline.events import Source, StateEvent
from tcplab.timeline.timeline import Setting, Timeline

from .ladder import finding, ids, ladder

WAITING = """
    server listen() 0    | CLOSED  LISTEN
    @0 client S          | CLOSED  SYN-RECEIVED
    @0 server SA         | CLOSED  SYN-RECEIVED
    @1000 server SA      | CLOSED  SYN-RECEIVED
    count server TcpExtTCPTimeouts 2
"""


def given_up(
    text: str = WAITING, *, source: Source = Source.SOCK_DIAG, cause: int | None = None
) -> Timeline:
    timeline = ladder(text)
    end = StateEvent(
        i=len(timeline.events),
        at_ns=3_000_000_000,
        cause=cause,
        host="server",
        conn="a",
        old=State.SYN_RECEIVED,
        new=State.CLOSED,
        source=source,
    )
    return replace(timeline, events=(*timeline.events, end))


def test_request_that_times_out_is_told_with_its_tries():
    verdict, sentence, events = finding(given_up(), "open.given-up")
    assert verdict == "yes"
    assert sentence == (
        "The server waited 3.0 s for the ACK in SYN-RECEIVED (observed), and sent its SYN, ACK "
        "after 0.0, 1.0 s. 2.0 s after the last one it removed the request socket, and told "
        "nobody: no segment says so. TCPTimeouts counted 2."
    )
    assert events == (2, 3, 4, 5)
    _verdict, sentence, _events = finding(given_up(), "open.three-way")
    assert sentence == "The client never acknowledged the SYN, ACK, and the server waits no more."


def test_request_that_had_one_try_only():
    once = "\n".join(
        line for line in WAITING.splitlines() if "@1000" not in line and "count" not in line
    )
    _verdict, sentence, _events = finding(given_up(once), "open.given-up")
    assert sentence == (
        "The server waited 3.0 s for the ACK in SYN-RECEIVED (observed), and did not send its SYN, "
        "ACK again. Then it removed the request socket, and told nobody: no segment says so."
    )


def test_setting_of_the_run_is_told():
    setting = Setting(host="server", name="net.ipv4.tcp_synack_retries", value="1", default="5")
    timeline = replace(given_up(), settings=(setting,))
    _verdict, sentence, _events = finding(timeline, "open.given-up")
    assert "tcp_synack_retries is 1 here, and 5 by default." in sentence


def test_what_a_segment_ended_was_not_given_up():
    assert "open.given-up" not in ids(given_up(cause=2))


def test_what_is_only_inferred_is_not_claimed():
    assert "open.given-up" not in ids(given_up(source=Source.INFERRED))


def test_server_that_still_waits_has_given_nothing_up():
    timeline = ladder(WAITING)
    assert "open.given-up" not in ids(timeline)
    _verdict, sentence, _events = finding(timeline, "open.three-way")
    assert "still waits in SYN-RECEIVED" in sentence
