"""`tcplab handshake HOST` where the far end answers as hosts and middleboxes seldom do."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tcplab.scenario.shipped import remote
from tcplab.scenario.steps import Until
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq
from tests.actors import OnLink, play
from tests.links import Result, Run, apart, on_link

ISN = Seq(1000)
SYN_ACK, FIN_ACK = Flags.SYN | Flags.ACK, Flags.FIN | Flags.ACK


def facing(version: int, answer: Callable[[Segment], Iterable[Segment]], *arguments: str) -> Result:
    """A run against a host on the same link whose every answer is made up."""
    net = on_link()
    ip = net.server.ip[version]
    run = Run(net.client, "handshake", ip, "--json", *arguments)
    play(run, OnLink(net.server, ip), answer)
    return run.result()


def said(to: Segment, flags: Flags, **fields) -> Segment:
    """An answer; whatever `fields` do not say is as it has to be."""
    ack = to.next_seq if flags & Flags.ACK else Seq(0)
    usual = {"seq": ISN, "ack": ack, "wnd_octets": 65535}
    return Segment(src=to.dst, dst=to.src, flags=flags, **(usual | fields))


# --- closing early ------------------------------------------------------------------------------


def closing_at_once(segment: Segment) -> Iterator[Segment]:
    """Its FIN is its SYN, ACK: the first thing that it says is that it has nothing to say."""
    if segment.has(Flags.SYN):
        yield said(segment, SYN_ACK | Flags.FIN)
    elif segment.has(Flags.FIN):
        yield said(segment, Flags.ACK, seq=ISN + 2)


def test_a_fin_with_the_syn_ack_is_answered_without_waiting_for_more():
    result = apart(facing, 4, closing_at_once)

    assert result.status == 0, result.err
    assert [event["flags"] for event in result.told("segment")] == ["S", "FSA", "A", "FA", "A"]
    states = [event["new"] for event in result.told("state") if event["host"] == "client"]
    assert states == ["SYN-SENT", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]
    opened = result.told("segment")[1]["at_ns"]
    (shutdown,) = [call["at_ns"] for call in result.told("call") if call["name"] == "shutdown"]
    waiting = next(step for step in remote(None).steps if isinstance(step, Until))
    assert shutdown - opened < waiting.within_s * 1e9 / 2


# --- not closing --------------------------------------------------------------------------------


def refusing_data(segment: Segment) -> Iterator[Segment]:
    """Its window is 0 and stays so."""
    if segment.has(Flags.SYN):
        yield said(segment, SYN_ACK, wnd_octets=0)
    elif not segment.has(Flags.RST):
        yield said(segment, Flags.ACK, seq=ISN + 1, wnd_octets=0)


def test_a_fin_that_a_closed_window_holds_back_ends_in_a_reset_that_is_told():
    result = apart(facing, 4, refusing_data)

    assert result.status == 1
    assert result.flags_told == [each.flags.letters for each in result.sent]
    assert result.flags_told[-1] == "RA"
    assert result.findings["close.unfinished"]["verdict"] == "no"
    assert "window is 0" in result.findings["close.unfinished"]["sentence"]


# --- two answers to one SYN ---------------------------------------------------------------------


RST_ACK = Flags.RST | Flags.ACK


def reset_before_answer(segment: Segment) -> Iterator[Segment]:
    """A device in between is quicker than the host."""
    if segment.flags == Flags.SYN:
        yield said(segment, RST_ACK, seq=Seq(0))
        yield said(segment, SYN_ACK)


def reset_after_answer(segment: Segment) -> Iterator[Segment]:
    """The device is slower: the connection lives, as the RST has no number of its own."""
    if segment.flags == Flags.SYN:
        yield said(segment, SYN_ACK)
        yield said(segment, RST_ACK, seq=Seq(0))
    elif segment.has(Flags.FIN):
        yield said(segment, FIN_ACK, seq=ISN + 1)


@pytest.mark.parametrize("answer", [reset_before_answer, reset_after_answer])
def test_a_reset_beside_a_syn_ack_was_made_in_between_whichever_came_first(answer):
    result = apart(facing, 4, answer)

    assert result.status == 1
    found = result.findings["open.middle-reset"]
    assert found["verdict"] == "no"
    assert "two answers" in found["sentence"]
    assert not {"open.closed", "close.abort"} & result.findings.keys()
    assert "it wants no connection" not in result.out
    states = [event for event in result.told("state") if event["host"] == "server"]
    assert (states[0]["old"], states[0]["new"]) == ("LISTEN", "SYN-RECEIVED")


# --- what takes seconds: all of it at once ------------------------------------------------------


def acknowledging_another_syn(segment: Segment) -> Iterator[Segment]:
    """It remembers a connection that nobody else does."""
    if segment.has(Flags.SYN):
        yield said(segment, SYN_ACK, ack=segment.next_seq + 700)


def finishing(segment: Segment) -> Iterator[Segment]:
    """It says FIN, without ACK, which no TCP says."""
    if segment.has(Flags.SYN):
        yield said(segment, Flags.FIN)


def crossing(segment: Segment) -> Iterator[Segment]:
    """It answers a SYN with a SYN of its own, and then nothing."""
    if segment.flags == Flags.SYN:
        yield said(segment, Flags.SYN)


def miscounting(segment: Segment) -> Iterator[Segment]:
    """Its checksums are wrong."""
    if segment.flags == Flags.SYN:
        yield said(segment, SYN_ACK, checksum_ok=False)


SLOW = (acknowledging_another_syn, finishing, crossing, miscounting)


@pytest.fixture(scope="module")
def slow():
    """What `SLOW` came to; they run side by side, so the longest wait is the whole wait."""
    with ThreadPoolExecutor(len(SLOW)) as pool:
        return dict(zip(SLOW, pool.map(lambda answer: apart(facing, 4, answer), SLOW), strict=True))


def test_answers_to_another_syn_are_no_answers(slow):
    result = slow[acknowledging_another_syn]

    assert result.status == 1
    again = [found for found in result.found("retransmission.time-out") if "[SYN] seq" in found]
    assert "not the ACK of this SYN" in again[0]
    assert "no answer" not in again[0]
    assert again[0].endswith("It was never acknowledged.")


def test_answers_with_a_wrong_checksum_are_named_as_such(slow):
    result = slow[miscounting]

    assert result.status == 1
    again, *_the_answers = result.found("retransmission.time-out")
    assert "a wrong checksum" in again
    assert again.endswith("It was never acknowledged.")
    assert "its checksum did not fit" in result.found("segment.corrupted")[0]


def test_a_segment_that_is_no_answer_is_no_silence_either(slow):
    result = slow[finishing]

    assert result.status == 1
    assert "[FIN] (count: 4)" in result.findings["open.senseless"]["sentence"]
    assert "open.silent" not in result.findings
    assert [event for event in result.told("state") if event["host"] == "server"] == []


def test_syns_that_crossed_and_then_silence_leave_nothing_open(slow):
    result = slow[crossing]

    assert result.status == 1
    assert result.findings["open.simultaneous"]["verdict"] == "no"
    assert "close.unfinished" not in result.findings


# --- SYN and RST at once ------------------------------------------------------------------------


def synchronizing_reset(segment: Segment) -> Iterator[Segment]:
    if segment.flags == Flags.SYN:
        yield said(segment, SYN_ACK | Flags.RST)


def test_a_syn_beside_a_reset_opens_nothing():
    result = apart(facing, 4, synchronizing_reset)

    assert result.status == 1
    assert result.findings["open.closed"]["verdict"] == "no"
    assert "open.three-way" not in result.findings
