from dataclasses import replace

import pytest

from tcplab.timeline.events import WireEvent
from tcplab.timeline.timeline import Stack

from .ladder import DATA, OPEN, finding, ids, ladder

ACCEPTED = OPEN + "server accept() 0 | ESTABLISHED ESTABLISHED\n" + DATA
"""Its last event is 7; the client's 20 octets have come."""


def reason(timeline):
    return finding(timeline, "reset.reason")


def test_abort_call_is_the_reason():
    timeline = ladder(
        ACCEPTED
        + """
        client abort() 0     | CLOSED  ESTABLISHED
        client RA by=8       | CLOSED  CLOSED
    """
    )
    assert reason(timeline) == (
        "yes",
        (
            "Why: the program at the client closed with SO_LINGER set to 0 seconds. That is an "
            "ABORT, which sends RST instead of FIN (RFC 9293 §3.10.5)."
        ),
        (8, 9),
    )


def test_kill_is_the_reason():
    timeline = ladder(
        OPEN + "server kill-socket() 0 | ESTABLISHED CLOSED\nserver RA by=5 | CLOSED CLOSED"
    )
    assert reason(timeline) == (
        "yes",
        (
            "Why: no program at the server closed, somebody destroyed its socket from outside (ss "
            "-K), and the kernel told the peer."
        ),
        (5, 6),
    )


CLOSED_UNREAD = """
    server read() 5      | ESTABLISHED  ESTABLISHED
    server close() 0     | ESTABLISHED  CLOSED
    server RA by=9       | CLOSED       CLOSED
"""


def test_close_with_unread_data_is_the_reason():
    assert reason(ladder(ACCEPTED + CLOSED_UNREAD)) == (
        "yes",
        (
            "Why: the program at the server closed when it had read 5 of the 20 octets that had "
            "come. The rest is lost, and RST says so, where FIN would say that all is well (RFC "
            "9293 §3.6.1)."
        ),
        (9, 10),
    )


@pytest.mark.parametrize(
    "text",
    [
        ACCEPTED + CLOSED_UNREAD.replace("read() 5", "read() 20"),
        ACCEPTED + CLOSED_UNREAD.replace("read() 5", "drain() 0"),
        OPEN + DATA + "server x() 0\n" + CLOSED_UNREAD,
        ACCEPTED + CLOSED_UNREAD.replace(" by=9", ""),
    ],
    ids=["all was read", "who knows what was read", "nobody accepted it", "cause not known"],
)
def test_close_without_proof_of_unread_data_has_no_reason(text):
    assert reason(ladder(text)) is None


def test_fin_is_no_octet_that_was_left_unread():
    timeline = ladder(
        ACCEPTED
        + """
        client FA             | FIN-WAIT-1  CLOSE-WAIT
        server A              | FIN-WAIT-2  CLOSE-WAIT
        server read() 20      | FIN-WAIT-2  CLOSE-WAIT
        server close() 0      | FIN-WAIT-2  CLOSED
        server RA by=11       | CLOSED      CLOSED
    """
    )
    assert reason(timeline) is None


HALF_OPEN = """
    server forget() 0     | ESTABLISHED  CLOSED
    client PA data=5      | ESTABLISHED  CLOSED
    server R by=9 seq=1   | CLOSED       CLOSED
"""


def test_half_open_is_the_reason():
    timeline = ladder(ACCEPTED + HALF_OPEN)
    assert reason(timeline) == (
        "yes",
        (
            "Half-open: the client was in ESTABLISHED, but the server has no socket for this "
            "connection any more. So it answered the [PSH, ACK] with RST, and took its sequence "
            "number from that segment's ACK (101), which makes the client believe it (RFC 9293 "
            "§3.5.1)."
        ),
        (9, 10),
    )
    assert finding(timeline, "close.abort")[1] == (
        "Reset: the server answered with RST, which nobody acknowledges, and the connection is "
        "gone at once, without TIME-WAIT at either end."
    )


def test_states_that_were_only_inferred_prove_no_half_open_connection():
    assert reason(ladder(ACCEPTED + HALF_OPEN, server=Stack.REMOTE)) is None


def test_reset_with_another_number_than_was_acknowledged_has_no_reason():
    assert reason(ladder(ACCEPTED + HALF_OPEN.replace("seq=1", "seq=2"))) is None


def test_many_resets_for_one_reason_are_told_once():
    timeline = ladder(
        ACCEPTED
        + """
        server forget() 0     | ESTABLISHED  CLOSED
        client PA data=5      | ESTABLISHED  CLOSED
        client PA data=5      | ESTABLISHED  CLOSED
        server R by=9 seq=1   | CLOSED       CLOSED
        server R by=10 seq=1  | CLOSED       CLOSED
    """
    )
    assert reason(timeline)[2] == (9, 10, 11, 12)


def test_segment_with_ack_to_nobody_is_reset_with_its_number():
    timeline = ladder(
        "client A seq=50 ack=70 | CLOSED CLOSED\nserver R by=0 seq=70 | CLOSED CLOSED"
    )
    assert reason(timeline) == (
        "yes",
        (
            "Why: the server has no socket for the [ACK]. To a segment with ACK it answers with "
            "RST without ACK, and takes its sequence number from that ACK (170; RFC 9293 "
            "§3.10.7.1)."
        ),
        (0, 1),
    )


LISTENER = (
    True,
    (
        "Why: at the server only the listener took the [ACK]. In LISTEN nothing has been sent, so "
        "no ACK can be right: it answers with RST without ACK, and takes its sequence number from "
        "that ACK (170; RFC 9293 §3.10.7.2)."
    ),
)
STRANGE_ACK = "client A seq=50 ack=70 | CLOSED {0}\nserver R by={1} seq=70 | CLOSED {0}"


def listened_to(calls, state="CLOSED"):
    """(does the reason name the listener, the sentence)"""
    text = "\n".join(calls) + "\n" + STRANGE_ACK.format(state, len(calls))
    _verdict, sentence, events = reason(ladder(text))
    assert events == (len(calls), len(calls) + 1)
    return "listener" in sentence, sentence


@pytest.mark.parametrize(
    ("calls", "state"),
    [
        (["server listen() 0 | CLOSED LISTEN"], "LISTEN"),
        (["server listen() 0", "server accept() 0", "server close() 0"], "CLOSED"),
        (["server listen() 0", "server close() 0", "server listen() 0"], "CLOSED"),
    ],
    ids=["nothing came before", "a connection came and went", "opened anew"],
)
def test_segment_with_ack_to_a_listener_is_reset_by_another_section(calls, state):
    assert listened_to(calls, state) == LISTENER


@pytest.mark.parametrize(
    "calls",
    [
        ["server listen() EADDRINUSE"],
        ["client listen() 0"],
        ["server listen() 0", "server close() 0"],
        ["server listen() 0", "server accept() 0", "server close() 0", "server close() 0"],
    ],
    ids=["it failed", "at the other end", "closed at once", "closed after its connection"],
)
def test_where_nobody_listens_there_is_no_socket(calls):
    told, sentence = listened_to(calls)
    assert not told
    assert "has no socket for the [ACK]" in sentence


def test_a_listener_that_sends_cookies_would_have_taken_one_of_them():
    text = "server listen() 0 | CLOSED LISTEN\n" + STRANGE_ACK.format("LISTEN", 1)
    counted = "\ncount {} TcpExtSyncookiesFailed 1"

    _verdict, sentence, _events = reason(ladder(text + counted.format("server")))
    assert sentence == (
        "Why: at the server only the listener took the [ACK]. A listener that sends cookies takes "
        "an ACK if it acknowledges a cookie, and this one does not (SyncookiesFailed): it answers "
        "with RST without ACK, and takes its sequence number from that ACK (170; RFC 9293 "
        "§3.10.7.2)."
    )
    assert reason(ladder(text + counted.format("client")))[1] == LISTENER[1]


def listened_for_another(port):
    """Connection b listened, and a SYN went to that port of it."""
    text = "server listen() 0\nclient S fate=dropped\n" + STRANGE_ACK.format("CLOSED", 2)
    timeline = ladder(text)
    listen, syn, *rest = timeline.events
    to = replace(syn.segment, dst=replace(syn.segment.dst, port=port))
    events = (replace(listen, conn="b"), replace(syn, conn="b", segment=to), *rest)
    return reason(replace(timeline, events=events))[1]


def test_a_listener_of_another_connection_counts_at_the_same_port():
    assert listened_for_another(80) == LISTENER[1]
    assert "has no socket" in listened_for_another(81)


def test_a_reboot_leaves_no_listener():
    timeline = ladder("server listen() 0\nserver x() 0\n" + STRANGE_ACK.format("CLOSED", 2))
    listen, other, *rest = timeline.events
    reboot = WireEvent(i=1, at_ns=other.at_ns, rule="reboot server", segment=None)
    assert "has no socket" in reason(replace(timeline, events=(listen, reboot, *rest)))[1]


def test_syn_with_data_to_nobody_is_acknowledged_whole():
    timeline = ladder("client S data=5 | CLOSED CLOSED\nserver RA by=0 seq=-100 | CLOSED CLOSED")
    assert reason(timeline) == (
        "yes",
        (
            "Why: the server has no socket for the [SYN]. A segment without ACK gets RST, ACK: "
            "sequence number 0, and its ACK covers all of that segment (4294967290 + 6 = 0; SYN "
            "and FIN count 1 each, RFC 9293 §3.10.7.1)."
        ),
        (0, 1),
    )


def test_refused_syn_is_told_as_a_closed_port_only():
    timeline = ladder("client S | SYN-SENT CLOSED\nserver RA by=0 seq=-100 | CLOSED CLOSED")
    assert ids(timeline) == ["open.closed"]


def test_wrong_ack_in_syn_sent_is_the_reason():
    timeline = ladder("""
        client S fate=dropped              | SYN-SENT  LISTEN
        server SA ack=1001 fate=injected   | SYN-SENT  LISTEN
        client R by=1 seq=1001             | SYN-SENT  LISTEN
    """)
    assert reason(timeline) == (
        "yes",
        (
            "Why: the client was in SYN-SENT, where only ISN + 1 (4294967291) can be acknowledged, "
            "and the [SYN, ACK] acknowledged 995. It is of some other connection: the client "
            "resets that one, with this very number, and goes on waiting (RFC 9293 §3.10.7.3)."
        ),
        (1, 2),
    )


def test_data_after_close_is_the_reason():
    timeline = ladder(
        ACCEPTED
        + """
        server read() 20      | ESTABLISHED  ESTABLISHED
        server close() 0      | ESTABLISHED  FIN-WAIT-1
        server FA by=9        | CLOSE-WAIT   FIN-WAIT-1
        client A by=10        | CLOSE-WAIT   FIN-WAIT-2
        client PA data=7      | CLOSE-WAIT   CLOSED
        server R by=12        | CLOSED       CLOSED
    """
    )
    assert reason(timeline) == (
        "yes",
        (
            "Why: the program at the server had closed both directions, so nobody would ever read "
            "the 7 octets that came then. RST says that they are lost (RFC 9293 §3.6.1)."
        ),
        (12, 13),
    )


def test_reset_by_the_call_of_another_connection_has_no_reason():
    timeline = ladder(
        OPEN + "server abort() 0 | ESTABLISHED CLOSED\nserver RA by=5 | CLOSED CLOSED"
    )
    call = replace(timeline.events[5], conn="b")
    other = replace(timeline, events=(*timeline.events[:5], call, *timeline.events[6:]))
    assert reason(other) is None
