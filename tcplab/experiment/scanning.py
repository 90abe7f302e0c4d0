"""The loop of a scan, the same for every way to ask: rounds of probes, until asking is done.

It knows no socket: a prober asks and hears, `Rounds` says how long to wait and whether to ask
again, `Pace` says how fast.
"""

import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from tcplab.analysis.scanning.census import Census, Proof
from tcplab.analysis.scanning.guess import left
from tcplab.analysis.scanning.pace import Pace
from tcplab.analysis.scanning.rounds import Rounds
from tcplab.errors import LinkLostError
from tcplab.wire.prober import Prober

_AT_ONCE = 32768
"""Probes: so many are handed over at a time, between two looks at what came back."""
_FEWER_AT_ONCE = 1024
_TURN_S = 0.01
"""While probes leave, answers are taken in no more often than this."""
_LOOK_S = 0.05
"""The longest wait before the clock, the link and whoever watches are looked at again."""
_NEWS_NS = 50_000_000
_CLOSED = frozenset({Proof.RST, Proof.REFUSED})
_OPEN = frozenset({Proof.SYN_ACK, Proof.CONNECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a scan is. Of `ports`, `answered` have; `asked` of the `to_ask` of this round.

    It goes on for about `left_s` seconds; None as long as there is nothing to go by.
    """

    ports: int
    answered: int
    round: int
    asked: int
    to_ask: int
    sent: int
    at_ns: int
    left_s: float | None


class Scan:
    """Asks every port of `census` by `prober` until no answer is to be expected any more.

    `rate_pps` None is as fast as the path answers; `icmp_limited` says that ICMP errors may be rare
    because their sender spares them. `link` raises LinkLostError if the link is gone: it is asked
    some twenty times a second, and before silence is believed; as often `heed` hears of the
    standing. `beside`, which may take its time, is called after every look at what came back, and
    then there are more of them. `hopeless` is asked from the second round on, whether to give up:
    then nobody is `there`.
    """

    def __init__(
        self,
        prober: Prober,
        census: Census,
        *,
        rate_pps: int | None,
        icmp_limited: bool,
        link: Callable[[], None],
        heed: Callable[[Standing], None],
        beside: Callable[[], None] | None = None,
        hopeless: Callable[[], bool] = lambda: False,
    ) -> None:
        self._prober = prober
        self._census = census
        self._link = link
        self._heed = heed
        self._beside = beside
        self._at_once = _AT_ONCE if beside is None else _FEWER_AT_ONCE
        self._hopeless = hopeless
        self._ports = census.ports()
        self.began_ns = time.monotonic_ns()
        self.rounds = Rounds(self.began_ns, icmp_limited=icmp_limited, hurried=rate_pps is None)
        self.pace = Pace(rate_pps, self.began_ns, most_at_once=self._at_once)
        self.ended_ns = self.began_ns
        self.interrupted = False
        self.there = True
        self.lost: LinkLostError | None = None
        self._drops = self._errors = 0
        self._rtt_ns: int | None = None
        self._news_ns = self.began_ns + _NEWS_NS

    def run(self) -> None:
        """Ask until it is done. Ctrl-C (`interrupted`) or a link that is `lost` end it before."""
        try:
            self._ask()
        except KeyboardInterrupt:
            self.interrupted = True
        except LinkLostError as loss:
            self.lost = loss
        finally:
            self.ended_ns = time.monotonic_ns()

    def _ask(self) -> None:
        census, number = self._census, 0
        todo = array("H", census.unanswered())
        while True:
            again = self._controls() if number else []
            self._round(number, array("H") if self.rounds.knocking else todo, again)
            todo = array("H", census.unanswered())
            if not self.rounds.another(len(todo)):
                return
            if not self._prober.sent or (number and self._hopeless()):
                self.there = False
                return
            number += 1

    def _controls(self) -> list[int]:
        """Ports that have answered, to be asked once more: they tell how much is lost.

        Closed ones first, for a connect() to an open one is a connection to its application. None
        that was rejected: its host may have one ICMP error a second to give, which is to be had
        for those that are still silent.
        """
        census = self._census
        wanted = self.rounds.controls(census.answered - len(census.rejections))
        found = chain(self._answered_by(_CLOSED), self._answered_by(_OPEN))
        return list(islice(found, wanted))

    def _answered_by(self, proofs: frozenset[Proof]) -> Iterator[int]:
        known = self._census.proofs
        return (port for each in self._census.asked for port in each if known[port] in proofs)

    def _round(self, number: int, todo: "array[int]", again: list[int]) -> None:
        census, prober = self._census, self._prober
        answered, rejected, drops = census.answered, len(census.rejections), self._drops
        duplicates = census.duplicates
        # Controls last: where answers are limited, the first ones are for who has given none yet.
        ports = todo + array("H", again)
        prober.begin_round(number)
        began_ns = time.monotonic_ns()
        self.pace.begin_round(began_ns)
        self.rounds.begin(len(ports), began_ns, again=len(again))
        self._send(number, ports, len(todo))
        self._listen(number, ports, answered)
        self.rounds.end(
            census.answered - answered,
            time.monotonic_ns(),
            drops=self._drops - drops,
            again=census.duplicates - duplicates,
            rejected=len(census.rejections) - rejected,
        )

    def _send(self, number: int, todo: "array[int]", controls: int) -> None:
        """All probes of the round, as fast as the pace allows; answers are heard meanwhile.

        The first one of those handed over together is timed, so from `controls` on they are apart:
        if anybody answers, it is one of these.
        """
        prober, pace, at = self._prober, self.pace, 0
        while at < len(todo) or prober.busy:
            # At some rate nothing may wait to leave: it would leave all at once.
            most_busy = self._at_once if pace.pps is None else 1
            allowed = pace.allowance(time.monotonic_ns()) if prober.busy < most_busy else 0
            end = at + allowed if at >= controls else min(at + allowed, controls)
            if chunk := todo[at:end]:
                prober.send(chunk)
                at += len(chunk)
            now_ns = time.monotonic_ns()
            if chunk:
                # Counted when they have left: what a busy machine delays is not made up for.
                pace.sent(len(chunk), now_ns)
            next_ns = pace.next_ns()
            wait_s = _LOOK_S
            if prober.busy:
                wait_s = _TURN_S
            elif at < len(todo):
                wait_s = 0.0 if next_ns is None else max(next_ns - now_ns, 0) / 1e9
            self._hear(number, at, len(todo), wait_s)

    def _listen(self, number: int, ports: "array[int]", before: int) -> None:
        """Until every port has answered, or nothing has come for as long as answers may take."""
        census, asked = self._census, len(ports)

        def deadline_ns() -> int:
            answered = census.answered > before
            return time.monotonic_ns() + self.rounds.quiet_for_ns(answered=answered)

        until_ns = deadline_ns()
        while census.answered < self._ports:
            left_ns = until_ns - time.monotonic_ns()
            if left_ns <= 0:
                self._link()
                return
            if self._hear(number, asked, asked, min(left_ns / 1e9, _LOOK_S)):
                until_ns = deadline_ns()

    def _hear(self, number: int, asked: int, to_ask: int, wait_s: float) -> int:
        """Take in what came; tell the pace and whoever watches."""
        prober = self._prober
        answers = prober.collect(wait_s)
        if self._beside is not None:
            self._beside()
        now_ns = time.monotonic_ns()
        drops, errors = prober.drops(), prober.send_errors
        self.pace.observed(
            answers=answers,
            drops=drops - self._drops,
            errors=errors - self._errors,
            now_ns=now_ns,
        )
        self._drops, self._errors = drops, errors
        rtt_ns = prober.rtt_ns()
        if rtt_ns is not None and rtt_ns != self._rtt_ns:
            self._rtt_ns = rtt_ns
            self.rounds.measured(rtt_ns)
            self.pace.measured(rtt_ns)
        if now_ns >= self._news_ns:
            self._news_ns = now_ns + _NEWS_NS
            self._link()
            self._heed(self._standing(number, asked, to_ask, now_ns - self.began_ns))
        return answers

    def _standing(self, number: int, asked: int, to_ask: int, at_ns: int) -> Standing:
        answered, sent = self._census.answered, self._prober.sent
        return Standing(
            ports=self._ports,
            answered=answered,
            round=number,
            asked=asked,
            to_ask=to_ask,
            sent=sent,
            at_ns=at_ns,
            left_s=left(
                ports=self._ports,
                answered=answered,
                probes=to_ask,
                sent=asked,
                to_come=self.rounds.to_come(),
                pps=self.pace.pps or sent * 1e9 / at_ns,
                quiet_s=self.rounds.quiet_for_ns() / 1e9,
            ),
        )
