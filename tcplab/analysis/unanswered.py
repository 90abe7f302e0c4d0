"""A SYN that no TCP answered: an ICMP error came instead, or nonsense, or nothing at all."""

from collections.abc import Iterator

from tcplab.analysis import icmp
from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.roles import Opening, arrived
from tcplab.analysis.waits import back_off, between
from tcplab.analysis.wording import end, seconds
from tcplab.tcp.flags import Flags
from tcplab.text import Text, verbatim
from tcplab.timeline.events import Fate, IcmpEvent, SegmentEvent


def findings(conversation: Conversation) -> Iterator[Finding]:
    """The errors that were reported; or, where there are none and no answer, what came instead of
    one, or the silence.
    """
    errors = [
        error for error in _errors(conversation) if icmp.report(error) is not icmp.Report.ADVICE
    ]
    opening = conversation.opening
    if opening is not None and opening.begun:
        yield from (_soft(conversation, error) for error in errors[:1])
    elif errors:
        yield _reported(conversation, errors)
    elif opening is not None and not _heard(conversation, opening):
        if conversation.replies:
            yield _senseless(opening, conversation.replies)
        else:
            yield _silent(conversation, opening)


# --- ICMP ---------------------------------------------------------------------------------------


def _errors(conversation: Conversation) -> list[IcmpEvent]:
    """The errors that quote a segment of this connection."""
    flows = {(event.segment.src.port, event.segment.dst.port) for event in conversation.segments}
    if not flows:  # the SYN never left: the kernel found nobody to send it to
        ports = [host.port for host in conversation.timeline.hosts]
        flows = {(one, other) for one in ports for other in ports}
    return [
        event
        for event in conversation.timeline.events
        if isinstance(event, IcmpEvent) and (event.sport, event.dport) in flows
    ]


def _reported(conversation: Conversation, errors: list[IcmpEvent]) -> Finding:
    error = errors[0]
    syns = () if conversation.opening is None else conversation.opening.syns[:1]
    return Finding(
        id=icmp.report(error).value,
        verdict=Verdict.NO,
        sentence=Text(
            "{reporter}: {words}.",
            reporter=_reporter(conversation, error),
            words=icmp.words(error),
        ),
        events=tuple(sorted((*(syn.i for syn in syns), *(each.i for each in errors)))),
    )


def _reporter(conversation: Conversation, error: IcmpEvent) -> Text:
    if _own_kernel(conversation, error):
        if not icmp.names_host(error):
            return Text("This machine's own kernel reports")
        if error.version == 6:
            return Text(
                "Nobody answered the neighbour discovery, so this machine's own kernel reports"
            )
        return Text("Nobody answered the ARP requests, so this machine's own kernel reports")
    address = verbatim(error.reporter)
    if error.reporter == conversation.ip("server"):
        if icmp.betrays_firewall(error):
            return Text("The host itself ({address}), so its firewall, reports", address=address)
        return Text("The host itself ({address}) reports", address=address)
    return Text("A router on the way ({address}) reports", address=address)


def _own_kernel(conversation: Conversation, error: IcmpEvent) -> bool:
    """Did nobody send it? Then the reporter is a name, or the address that the SYN came from."""
    named = not set(error.reporter) <= set("0123456789abcdefABCDEF.:")
    return named or error.reporter == conversation.ip("client")


def _soft(conversation: Conversation, error: IcmpEvent) -> Finding:
    return Finding(
        id="open.soft-error",
        verdict=Verdict.YES,
        sentence=Text(
            "{reporter}: {words}. The {peer} answered all the same, so it was no verdict.",
            reporter=_reporter(conversation, error),
            words=icmp.words(error),
            peer=end("server"),
        ),
        events=(error.i,),
    )


# --- silence ------------------------------------------------------------------------------------


def _heard(conversation: Conversation, opening: Opening) -> bool:
    """Did the other end, or somebody in its name, say anything that a TCP would say?"""
    forged = [
        event
        for event in conversation.segments
        if event.fate is Fate.INJECTED and event.sender != event.receiver == opening.opener
    ]
    return any(event.segment.flags & _SPEECH for event in (*conversation.replies, *forged))


_SPEECH = Flags.SYN | Flags.ACK | Flags.RST


def _senseless(opening: Opening, replies: tuple[SegmentEvent, ...]) -> Finding:
    """Somebody is there, and says what no TCP says."""
    return Finding(
        id="open.senseless",
        verdict=Verdict.NO,
        sentence=Text(
            "The {peer} answered, but not with what a TCP answers a SYN with: its segments with "
            "{flags} (count: {count}) have neither SYN nor ACK nor RST, and a TCP in SYN-SENT "
            "drops them (RFC 9293 §3.10.7.3). SYNs without an answer: {syns}.",
            peer=end(opening.peer),
            flags=", ".join(dict.fromkeys(each.segment.flags.written for each in replies)),
            count=len(replies),
            syns=len(opening.syns),
        ),
        events=tuple(sorted(each.i for each in (*opening.syns, *replies))),
    )


def _silent(conversation: Conversation, opening: Opening) -> Finding:
    timeline, syns = conversation.timeline, opening.syns
    began_ns = syns[0].at_ns
    waited_ns = max(event.at_ns for event in timeline.events) - began_ns
    if not any(arrived(syn) for syn in syns):
        why = Text("The wire let nothing through.")
    else:
        why = Text("Either a firewall drops what is sent there, or the host is down.")
    if len(syns) == 1:
        sentence = Text(
            "Nobody answered the one SYN in {waited} s. {why}", waited=seconds(waited_ns), why=why
        )
    else:
        sentence = Text(
            "Nobody answered {count} SYNs in {waited} s (sent at {times} s{back_off}). {why}",
            count=len(syns),
            waited=seconds(waited_ns),
            times=", ".join(seconds(syn.at_ns - began_ns) for syn in syns),
            back_off=back_off(between([syn.at_ns for syn in syns])),
            why=why,
        )
    return Finding(
        id="open.silent",
        verdict=absence(timeline),
        sentence=sentence,
        events=tuple(syn.i for syn in syns),
    )
