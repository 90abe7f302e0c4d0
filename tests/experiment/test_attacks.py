"""Every attack of `tcplab reset` on the real kernels: what became of the victim, and of the other
end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff

import pytest

from tcplab.analysis.explain import explain
from tcplab.analysis.trace import joint_trace
from tcplab.experiment.on_testbed import play
from tcplab.scenario.attacks.attack import COMBINATIONS, Aim, Attack, Weapon
from tcplab.scenario.attacks.lines import GAP_OCTETS, lines, number, said
from tcplab.scenario.attacks.story import attack
from tcplab.scenario.calls import Read, Shutdown
from tcplab.scenario.steps import At, On
from tcplab.scenario.wire import Craft
from tcplab.testbed.plan import Family
from tcplab.timeline.events import CallEvent, CounterEvent, ExpectEvent, ReasonEvent, SegmentEvent
from tcplab.timeline.timeline import Timeline, lane
from tests.experiment.pauses import lasted_ns, undisturbed
from tests.live import forked

RUNS = 20
RATE_LIMIT_NS = 500_000_000
"""tcp_invalid_ratelimit."""
ALIVE, GONE = ("ESTABLISHED", "ESTABLISHED"), ("CLOSED", "CLOSED")
RESET = ("ECONNRESET",)
COUNTED = (
    "EstabResets",
    "OutRsts",
    "ExtTCPChallengeACK",
    "ExtTCPSYNChallenge",
    "ExtTCPACKSkippedChallenge",
    "ExtTCPAbortOnData",
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an attack comes to: states of (victim, other end) at the end, what each one's read()
    returned after the forged segments, and by how much the victim's counters grew.
    """

    states: tuple[str, str]
    victim_read: tuple[str, ...]
    other_read: tuple[str, ...] = ()
    counted: dict[str, int]


def attacks() -> Iterator[Attack]:
    """Each combination at each end; several in a row where that shows more."""
    for each in COMBINATIONS:
        for at in each.ends:
            for tls in (False, True) if each.tls else (False,):
                made = Attack(
                    weapon=each.weapon,
                    aim=each.aim,
                    at=at,
                    tls=tls,
                    times=5 if each.repeats else 1,
                    steal=each.heard,
                )
                if not made.is_guess:
                    yield made


def name(of: Attack) -> str:
    return "-".join([of.weapon.value, of.aim.value, of.at, *(["tls"] * of.tls)])


ATTACKS = {name(each): each for each in attacks()}
every_attack = pytest.mark.parametrize("name", ATTACKS)
every_family = pytest.mark.parametrize("family", Family, ids=lambda family: family.name.lower())


def expected(of: Attack) -> Outcome:
    """As measured."""
    match of.weapon:
        case Weapon.FIN | Weapon.DATA if of.aim is not Aim.OUTSIDE:
            return taken_in(of)
        case Weapon.HANDSHAKE if of.aim is Aim.EXACT:
            login = str(len(lines(of).login))
            return Outcome(states=("ESTABLISHED", "CLOSED"), victim_read=(login,), counted={})
        case Weapon.HANDSHAKE:
            return Outcome(states=GONE, victim_read=(), counted={"OutRsts": 1})
        case Weapon.RST if of.aim is Aim.EXACT:
            counted = {"EstabResets": 1, "OutRsts": 1}
            return Outcome(states=GONE, victim_read=RESET, other_read=RESET, counted=counted)
    first = str(len(lines(of).first))
    return Outcome(states=ALIVE, victim_read=("EAGAIN", first), counted=refusals(of))


def refusals(of: Attack) -> dict[str, int]:
    """How the victim counts what it does not believe."""
    counted = {"ExtTCPChallengeACK": 1, "ExtTCPACKSkippedChallenge": of.times - 1}
    match of.weapon, of.aim:
        case (Weapon.SYN, _):
            return counted | {"ExtTCPSYNChallenge": of.times}
        case (Weapon.RST, Aim.IN_WINDOW):
            return counted
    return {}


def taken_in(of: Attack) -> Outcome:
    """What became part of the stream."""
    said, forged = lines(of), len(lines(of).forged)
    aborted = {"EstabResets": 1, "OutRsts": 1, "ExtTCPAbortOnData": 1}
    match of.weapon, of.aim:
        case (Weapon.FIN, Aim.EXACT):
            end = "UNEXPECTED_EOF_WHILE_READING" if of.tls else "0"
            return Outcome(states=GONE, victim_read=(end,), other_read=RESET, counted=aborted)
        case (Weapon.FIN, _):
            read = ("EAGAIN", str(GAP_OCTETS), "0")
            return Outcome(states=GONE, victim_read=read, other_read=RESET, counted=aborted)
        case (_, Aim.EXACT) if of.tls:
            bad = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
            return Outcome(states=ALIVE, victim_read=(bad, bad), counted={})
        case (_, Aim.EXACT):
            read = (str(forged), "EAGAIN", str(len(said.first + said.second) - forged))
            answer = (str(len(said.answer)),)
            return Outcome(states=ALIVE, victim_read=read, other_read=answer, counted={})
    read = ("EAGAIN", str(GAP_OCTETS + forged), "EAGAIN")
    return Outcome(states=ALIVE, victim_read=read, counted={})


def outcome(of: Attack, timeline: Timeline) -> Outcome:
    """As it came."""
    forged = next(each.i for each in timeline.segments() if each.sender == "attacker")
    since = [each for each in timeline.events if each.i >= forged]
    acts = [each for each in timeline.told() if each.lanes]

    def read(host: str) -> tuple[str, ...]:
        return tuple(
            each.result
            for each in since
            if isinstance(each, CallEvent) and (each.host, each.name) == (host, "read")
        )

    return Outcome(
        states=tuple(str(lane(acts[-1], host).after) for host in (of.at, of.bearer)),
        victim_read=read(of.at),
        other_read=read(of.bearer),
        counted={
            each.name.removeprefix("Tcp"): each.delta
            for each in timeline.events
            if isinstance(each, CounterEvent) and each.host == of.at
            if each.name.removeprefix("Tcp") in COUNTED
        },
    )


def not_met(timeline: Timeline) -> list[tuple[str, dict[str, str]]]:
    return [
        (event.predicate, dict(event.found))
        for event in timeline.events
        if isinstance(event, ExpectEvent) and not event.met
    ]


def run(of: Attack, family: Family, rootless: bool | None, *, trace: bool = False) -> Timeline:
    """One run in which no second challenge ACK fell due, and no guess was lucky. A trace that the
    kernel had no room for tells nothing, as its findings say themselves.
    """
    return undisturbed(
        lambda rootless: play(
            attack(of), command=("reset",), family=family, rootless=rootless, trace=trace
        ),
        lambda timeline: (
            lasted_ns(timeline) > RATE_LIMIT_NS
            or (trace and timeline.drops > 0)
            or guessed_near(of, timeline)
        ),
        rootless=rootless,
    )


def guessed_near(of: Attack, timeline: Timeline) -> bool:
    """Did a guess at an ISN come near it, as one in 4,000 does? Its number is told then."""
    blind = of.weapon is Weapon.HANDSHAKE and of.aim is Aim.BLIND
    return blind and "ack foreign" not in joint_trace(timeline)


def runs(of: Attack, family: Family, rootless: bool) -> list[tuple[Outcome, list, int, str]]:
    found = []
    for nth in range(RUNS):
        entered = None if rootless and nth else rootless
        timeline = run(of, family, entered)
        found.append(
            (outcome(of, timeline), not_met(timeline), timeline.drops, joint_trace(timeline))
        )
    return found


def compared(of: Attack, found: list[tuple[Outcome, list, int, str]]) -> None:
    """Every run came to what was expected, in one and the same way."""
    assert [each[:3] for each in found] == [(expected(of), [], 0)] * RUNS
    traces = sorted({each[3] for each in found})
    assert len(traces) == 1, "\n".join(
        unified_diff(*(trace.splitlines() for trace in traces[:2]), lineterm="")
    )


@every_attack
@every_family
def test_an_attack_comes_to_the_same_in_20_of_20_runs(name, family):
    compared(ATTACKS[name], forked(runs, ATTACKS[name], family, True))


@pytest.mark.root
@every_attack
@every_family
def test_as_root_an_attack_comes_to_the_same_in_20_of_20_runs(name, family):
    compared(ATTACKS[name], forked(runs, ATTACKS[name], family, False))


# --- findings -----------------------------------------------------------------------------------

TOLD = {
    "rst-exact": ("reset.forged", "reset.reason"),
    "rst-in-window": ("reset.challenged", "reset.rate-limited"),
    "rst-outside": ("reset.outside",),
    "syn-exact": ("syn.challenged", "syn.rate-limited"),
    "syn-in-window": ("syn.challenged", "syn.rate-limited"),
    "syn-outside": ("syn.challenged", "syn.rate-limited"),
    "fin-exact": ("fin.forged", "close.abort", "forged.desynchronised", "fin.contradicted"),
    "fin-in-window": ("fin.queued", "close.abort", "forged.desynchronised", "fin.contradicted"),
    "fin-outside": ("fin.outside",),
    "data-exact": ("data.forged", "forged.desynchronised", "data.overlaid"),
    "data-in-window": ("data.queued", "forged.desynchronised", "data.overlaid"),
    "data-outside": ("data.outside",),
    "handshake-exact": ("open.spoofed",),
    "handshake-blind": ("open.disowned", "open.wrong-guess", "reset.reason", "reset.reason"),
}
KINDS = ("reset.", "syn.", "fin.", "forged.", "data.", "close.abort", "open.", "steal.")
OF_EVERY_CONNECTION = frozenset(
    {"open.three-way", "open.states", "open.options", "data.acknowledged"}
)


def findings(of: Attack) -> list[tuple[str, str]]:
    return [
        (each.id, each.verdict.value)
        for each in explain(run(of, Family.IPV4, True))
        if each.id.startswith(KINDS) and each.id not in OF_EVERY_CONNECTION
    ]


@every_attack
def test_the_findings_tell_each_forged_segment_by_what_was_made_of_it(name):
    of = ATTACKS[name]
    stolen = ["steal.ciphertext" if of.tls else "steal.credentials"] if of.steal else []

    told = forked(findings, of)

    assert {verdict for _id, verdict in told} == {"yes"}
    assert sorted(id_ for id_, _verdict in told) == sorted(
        [*TOLD[f"{of.weapon.value}-{of.aim.value}"], *stolen]
    )


def test_every_combination_has_its_findings():
    assert set(TOLD) == {f"{of.weapon.value}-{of.aim.value}" for of in ATTACKS.values()}


DROPPED = {
    "rst-in-window-server": ["TCP_RESET"] * 5,
    "rst-outside-server": ["TCP_INVALID_SEQUENCE"] * 5,
    "syn-exact-server": ["TCP_INVALID_SYN"] * 5,
    "data-outside-client": ["TCP_INVALID_SEQUENCE"] * 5,
}
KNOWN_BY_THEIR_WORD = {
    "rst-exact-server": {},
    "data-exact-server": {
        "forged.desynchronised": "TCP_ACK_UNSENT_DATA",
        "data.overlaid": "TCP_OLD_SEQUENCE",
    },
    "data-in-window-server": {
        "data.queued": "TCP_OFOMERGE",
        "forged.desynchronised": "TCP_ACK_UNSENT_DATA",
        "data.overlaid": "TCP_OLD_SEQUENCE",
    },
}
"""Which findings of an attack whose segments were taken in tell of something dropped, and why."""


def dropped(of: Attack) -> tuple[list[str], list[str], list[str]]:
    """Why the victim's kernel dropped each forged segment; the findings that say so; and those of
    the tracepoints that disagree.
    """
    timeline = run(of, Family.IPV4, False, trace=True)
    forged = [each.i for each in timeline.segments() if each.sender == "attacker"]
    words = [
        each.word
        for each in timeline.events
        if isinstance(each, ReasonEvent) and each.kind == "drop" and each.cause in forged
    ]
    told = [each.id for each in explain(timeline) if "own word for it" in str(each.sentence)]
    wrong = [
        each.id
        for each in explain(timeline)
        if each.id.startswith("trace.") and each.verdict.value != "yes"
    ]
    return words, told, wrong


@pytest.mark.traces
@pytest.mark.parametrize("name", DROPPED)
def test_as_root_the_kernel_s_own_drop_reason_is_told(name):
    words, told, wrong = forked(dropped, ATTACKS[name])

    assert words == DROPPED[name]
    assert told
    assert wrong == []


def words(of: Attack) -> dict[str, str]:
    """The kernel's own word in each finding that has one."""
    told = {
        each.id: str(each.sentence) for each in explain(run(of, Family.IPV4, False, trace=True))
    }
    found = {id_: re.search(r"own word for it: ([A-Z_, ]+)\.", each) for id_, each in told.items()}
    return {id_: match[1] for id_, match in found.items() if match is not None}


@pytest.mark.traces
@pytest.mark.parametrize("name", KNOWN_BY_THEIR_WORD)
def test_as_root_the_word_stands_with_what_was_dropped_and_only_there(name):
    assert forked(words, ATTACKS[name]) == KNOWN_BY_THEIR_WORD[name]


@pytest.mark.traces
@every_attack
def test_as_root_the_tracepoints_agree(name):
    _words, _told, wrong = forked(dropped, ATTACKS[name])

    assert wrong == []


# --- what an attacker can make of Linux's exceptions ---------------------------------------------


def forged_rst_at_a_forged_edge() -> tuple[list[str], list[tuple[str, str]]]:
    """Data in the window, and then an RST at its right edge: neither number is exact."""
    data = attack(Attack(weapon=Weapon.DATA, aim=Aim.IN_WINDOW))
    at = next(
        i
        for i, each in enumerate(data.steps)
        if isinstance(each, On) and isinstance(each.act, Craft)
    )
    forged = data.steps[at].act
    rst = attack(Attack(weapon=Weapon.RST, aim=Aim.EXACT)).steps
    tail = rst[next(i for i, each in enumerate(rst) if isinstance(each, On)) + 1 :]
    exact = next(each.act for each in rst if isinstance(each, On))
    beyond = _beyond(exact, GAP_OCTETS + len(forged.data))
    steps = (*data.steps[: at + 1], On(beyond), *tail)
    timeline = play(replace(data, steps=steps), command=("reset",), rootless=True)
    told = [(each.id, str(each.sentence)) for each in explain(timeline)]
    return [predicate for predicate, _found in not_met(timeline)], told


def _beyond(craft: Craft, octets: int) -> Craft:
    sign = "+" if octets >= 0 else "-"
    return replace(craft, seq=number(f"server.rcv_nxt {sign} {abs(octets)}"))


def test_linux_believes_an_rst_at_the_right_edge_of_what_it_has_queued():
    missed, told = forked(forged_rst_at_a_forged_edge)

    assert missed == []
    (sentence,) = (sentence for id_, sentence in told if id_ == "reset.forged")
    assert "right edge of the highest block" in sentence


def forged_rst_with_the_number_of_the_fin() -> tuple[list[str], list[tuple[str, str]]]:
    """The client has closed; then an RST one less than the next number, in CLOSE-WAIT."""
    made = attack(Attack(weapon=Weapon.RST, aim=Aim.EXACT))
    at = next(i for i, each in enumerate(made.steps) if isinstance(each, On))
    fin = (
        At(host="client", call=Shutdown()),
        At(host="server", call=Read(), result="0"),
        said("server.state == CLOSE-WAIT"),
    )
    rst = On(_beyond(made.steps[at].act, -1))
    steps = (*made.steps[:at], *fin, rst, said("server.state == CLOSED"))
    timeline = play(replace(made, steps=steps), command=("reset",), rootless=True)
    told = [(each.id, str(each.sentence)) for each in explain(timeline)]
    return [predicate for predicate, _found in not_met(timeline)], told


def test_linux_believes_an_rst_with_the_number_of_the_fin():
    missed, told = forked(forged_rst_with_the_number_of_the_fin)

    assert missed == []
    (sentence,) = (sentence for id_, sentence in told if id_ == "reset.forged")
    assert "is that of the FIN, one less than the next" in sentence


def outside_rst_provokes() -> list[SegmentEvent]:
    timeline = run(ATTACKS["rst-outside-server"], Family.IPV4, True)
    forged = {each.i for each in timeline.segments() if each.sender == "attacker"}
    return [each for each in timeline.segments() if each.cause in forged]


def test_an_rst_outside_the_window_is_answered_by_nothing():
    assert forked(outside_rst_provokes) == []
