"""Octets forged into a connection under TLS: on the wire they count, but no program reads them."""

import pytest

from tcplab.analysis.explain import explain
from tcplab.analysis.trace import joint_trace
from tcplab.experiment.on_testbed import play
from tcplab.scenario.reader import parse
from tcplab.scenario.tls import application_data
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import Sack
from tcplab.testbed.plan import Family
from tcplab.timeline.events import CallEvent, ExpectEvent, Fate, SegmentEvent
from tests.live import forked

every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())

RUNS = 20
BAD_MAC = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
FORGED = application_data(b"DELETE everything")
ALERT_OCTETS = 24
SYN = 1
"""tcpi_bytes_acked counts it, tcpi_bytes_received does not."""

HEAD = """
title  = { en = "Under TLS", ko = "TLS" }
story  = { en = "An attacker joins in.", ko = "공격자가 끼어듭니다." }
notice = { en = "Nobody reads it.", ko = "아무도 읽지 못합니다." }
quickack = true
"""
CONNECTED = """
[hosts.attacker]
[[step]]
at = "server"
do = "listen"
[[step]]
at = "client"
do = "connect"
[[step]]
at = "server"
do = "accept"
"""
SECURED = """
[[step]]
at = "server"
do = "start-tls"
result = "EINPROGRESS"
[[step]]
at = "client"
do = "start-tls"
result = "EINPROGRESS"
[[step]]
expect = "client.call.start-tls == 0 and server.call.start-tls == 0"
"""
LOGIN = """
[[step]]
at = "client"
do = "send"
data = "PASS secret\\n"
result = 12
[[step]]
at = "server"
do = "read"
result = 12
"""
OPENED = CONNECTED + SECURED + LOGIN
ESCAPED = "".join(f"\\u{octet:04x}" for octet in FORGED)
CRAFTED = f"""
[[step]]
at = "attacker"
do = "craft"
as = "client"
flags = "PA"
seq = "server.rcv_nxt"
ack = "server.snd_nxt"
data = "{ESCAPED}"
[[step]]
expect = "server.info.bytes_received == client.info.bytes_acked + {len(FORGED) - SYN}"
"""
HIJACKED = f"""{CRAFTED}
[[step]]
at = "server"
do = "read"
result = "{BAD_MAC}"
[[step]]
expect = "server.read.octets == 12"
"""
SPOKEN_ON = """
[[step]]
at = "client"
do = "send"
data = "QUIT\\n"
result = 5
"""
STILL_DEAD = f"""
[[step]]
at = "server"
do = "read"
result = "{BAD_MAC}"
[[step]]
expect = "server.call.read == {BAD_MAC} and server.read.octets == 12"
[[step]]
at = "server"
do = "close"
[[step]]
expect = "server.state == CLOSED and client.state == ESTABLISHED"
"""
HEARD = f"""
[[step]]
at = "client"
do = "read"
within = 10.0
result = "SSLV3_ALERT_BAD_RECORD_MAC"
[[step]]
at = "server"
do = "read"
result = "{BAD_MAC}"
[[step]]
at = "client"
do = "send"
data = "more"
result = "SSLV3_ALERT_BAD_RECORD_MAC"
"""


def played(steps: str, family: Family, runs: int = 1):
    scenario = parse(HEAD + steps, name="tls", source="tls.toml")
    rootless: bool | None = True
    timelines = []
    for _ in range(runs):
        timelines.append(play(scenario, command=("tls",), family=family, rootless=rootless))
        rootless = None  # it has its user namespace by now
    return timelines


def missed(timeline) -> list[tuple[str, tuple]]:
    return [
        (event.predicate, event.found)
        for event in timeline.events
        if isinstance(event, ExpectEvent) and not event.met
    ]


def injected(timeline) -> SegmentEvent:
    (forged,) = (event for event in timeline.segments() if event.fate is Fate.INJECTED)
    return forged


@every_family
def test_forged_octets_kill_the_session_and_every_run_is_alike(family):
    steps = "unhurried = true\n" + OPENED + HIJACKED + SPOKEN_ON + STILL_DEAD
    timelines = forked(played, steps, family, runs=RUNS)

    assert [missed(timeline) for timeline in timelines] == [[]] * RUNS
    traces = {joint_trace(timeline) for timeline in timelines}
    assert len(traces) == 1, "\n".join(traces)


@every_family
def test_the_server_answers_forged_octets_with_an_alert(family):
    (timeline,) = forked(played, "unhurried = true\n" + OPENED + HIJACKED, family)

    forged = injected(timeline)
    assert forged.segment.payload == FORGED
    failed = [event for event in timeline.events if isinstance(event, CallEvent)][-1]
    assert (failed.host, failed.name, failed.result) == ("server", "read", BAD_MAC)
    (alert,) = (
        event for event in timeline.segments() if event.sender == "server" and event.i > failed.i
    )
    assert alert.cause == failed.i
    assert alert.segment.data_octets == ALERT_OCTETS
    # It acknowledges what the client never sent; so the client takes nothing of it.
    assert alert.segment.ack == forged.segment.seq + len(FORGED)


@every_family
def test_the_true_sender_s_next_octets_are_taken_for_duplicates(family):
    steps = "unhurried = true\n" + OPENED + HIJACKED + SPOKEN_ON
    (timeline,) = forked(played, steps, family)

    forged = injected(timeline)
    own = [e for e in timeline.segments() if e.sender == "client" and e.segment.data_octets][-1]
    answer = [event for event in timeline.segments() if event.cause == own.i][-1]
    record = own.segment.data_octets
    assert own.segment.seq == forged.segment.seq
    assert record > len(FORGED)
    assert answer.segment.ack == forged.segment.seq + record
    # DSACK (RFC 2883): the first octets had come before, the server says, and it kept those.
    (sack,) = (option for option in answer.segment.options if isinstance(option, Sack))
    assert tuple(sack.blocks[0]) == (forged.segment.seq, forged.segment.seq + len(FORGED))


@every_family
def test_once_the_client_has_caught_up_it_hears_the_alert(family):
    steps = "timed = true\n" + OPENED + HIJACKED + SPOKEN_ON + HEARD
    (timeline,) = forked(played, steps, family)

    assert missed(timeline) == []


def test_what_came_is_not_compared_with_the_plaintext_that_was_read():
    steps = "unhurried = true\n" + OPENED + HIJACKED + SPOKEN_ON + STILL_DEAD
    (timeline,) = forked(played, steps, Family.IPV4)

    assert any(event.segment.has(Flags.RST) for event in timeline.segments())
    reasons = [f.sentence for f in explain(timeline) if f.id == "reset.reason"]
    assert [str(sentence) for sentence in reasons if "had read" in str(sentence)] == []


IN_PLAIN_TEXT = f"""
[[step]]
at = "server"
do = "read"
result = {len(FORGED)}
[[step]]
expect = "server.read.octets == {12 + len(FORGED)}"
"""


@every_family
def test_without_tls_the_program_reads_the_forged_octets(family):
    steps = "unhurried = true\n" + CONNECTED + LOGIN + CRAFTED + IN_PLAIN_TEXT
    (timeline,) = forked(played, steps, family)

    assert missed(timeline) == []
