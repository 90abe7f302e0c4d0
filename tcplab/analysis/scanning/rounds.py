"""When to ask again, how long to wait for answers, and when enough was asked.

In a round every port without an answer is asked once. A round is over when nothing has come for
`quiet_for_ns`; the scan is over when fewer than a ten-thousandth of an answer is expected to have
been missed (module `missed`), and the host still answers. What that takes by simulation, with the
controls, where in each case none was missed in a thousand scans of 65,535 ports:

| answer | silent | lost each way | rounds: median, most | probes  |
|--------|--------|---------------|----------------------|---------|
| 65,535 | 0      | 0             | 1, 1                 | 65,535  |
| 65,435 | 100    | 0             | 2, 2                 | 65,651  |
| 65,535 | 0      | 5 %           | 5, 8                 | 72,700  |
| 65,435 | 100    | 5 %           | 9, 9                 | 73,500  |
| 65,535 | 0      | 20 %          | 12, 18               | 102,600 |
| 65,435 | 100    | 20 %          | 20, 22               | 104,500 |
| 5      | 65,530 | 0             | 5, 5                 | 327,675 |
"""

from math import ceil, log

from tcplab.analysis.scanning.missed import Controls, Estimate, estimate
from tcplab.analysis.scanning.report import Round
from tcplab.tcp.retransmission import SECOND_NS, RetransmissionTimer

ENOUGH = 0.0001
"""So many missed answers are expected when a scan ends. A thousandth would be met sooner, and would
be wrong once in some thousand scans over a path that loses.
"""
ENOUGH_OF_NOBODY = 0.001
"""The same where nobody has answered at all: each round takes a second and more then."""
MOST_ROUNDS = 30
LEAST_RTO_NS = 20_000_000
"""On a shared machine an answer may wait so long for a processor, whatever the round trip."""
_BACK_OFF = 1.25
_MOST_BACK_OFF = 4
_MOST_CONTROLS = 16
"""None of them is answered once in ten million times by chance, where 20 % is lost each way."""
_PAUSE_NS = 1_100_000_000
"""Linux sends a host one ICMP error a second (net.ipv4.icmp_ratelimit) after up to six at once
(XRLIM_BURST_FACTOR, net/ipv4/inetpeer.c). How many of those are left is not known: an earlier scan
may have used them up.
"""
_KNOCKS = 3
"""Rounds of a pause each, in which a host that has fallen silent is asked whether it is back …"""
_BAD_LOSS = 0.4
"""… and so many more that it is no chance where so much is lost, more than a path of any use does.
"""


class Rounds:
    """The rounds of one scan that began at `began_ns`.

    `begin` and `end` bracket a round; `another` says whether there is to be one more. RTOs are
    those of RFC 6298 with `least_ns` for its 1 s, since a probe too many costs little here, and
    `initial_ns` until a round trip has been measured.

    Where ICMP errors may be limited to one a second, as by Linux, a silent port may be one that
    would reject: it is asked once more after a pause of a second, and so on as long as that brings
    an answer. Who is `hurried` pauses only if there were ICMP errors, and has to say so
    (`icmp_not_awaited`).

    Controls that nobody answers, in a round that brings nothing else, say that nobody is there:
    the round is no try. From then on `knocking` says that controls alone are to be asked, until
    one is answered, or it is no chance any more and the host `fallen_silent`.
    """

    __slots__ = (
        "_again", "_apart", "_asked", "_began_ns", "_clean", "_controls", "_estimate", "_hurried",
        "_icmp_limited", "_in_vain", "_left", "_most", "_mute", "_patient", "_paused", "_rejected",
        "_rounds", "_started_ns", "_timer", "_under_way",
    )  # fmt: skip

    def __init__(
        self,
        began_ns: int = 0,
        *,
        least_ns: int = LEAST_RTO_NS,
        initial_ns: int = SECOND_NS,
        most_rounds: int = MOST_ROUNDS,
        icmp_limited: bool = True,
        hurried: bool = False,
    ) -> None:
        self._began_ns = self._started_ns = began_ns
        self._timer = RetransmissionTimer(initial_ns, least_ns=least_ns)
        self._most = most_rounds
        self._icmp_limited = icmp_limited
        self._hurried = hurried
        self._rounds: list[Round] = []
        self._clean: list[int] = []
        self._controls: list[Controls] = []
        self._apart = Controls()
        self._mute: list[int] = []
        self._estimate: Estimate | None = None
        self._asked = self._again = self._left = self._rejected = 0
        self._patient = self._paused = self._in_vain = self._under_way = False

    # ── what happens ────────────────────────────────────────────────────────────────────────

    def begin(self, probes: int, now_ns: int, *, again: int = 0) -> None:
        """A round begins: one probe to each of `probes` ports, `again` of which had answered: the
        controls.
        """
        self._asked, self._again = probes - again, again
        self._started_ns = now_ns
        self._under_way = True

    def end(
        self, answers: int, now_ns: int, *, drops: int = 0, again: int = 0, rejected: int = 0
    ) -> None:
        """It is over: `answers` ports answered for the first time, `rejected` of them by ICMP.

        `again` of those asked again answered again. `drops` answers found no room and may have
        been anybody's: such losses come in bursts and say nothing of the path, so this round
        counts neither for its loss nor as a try of those who did not answer.
        """
        self._under_way = False
        if self._asked:
            self._left = self._asked - answers
        self._rejected += rejected
        pausing = self.quiet_for_ns(answered=bool(answers)) >= _PAUSE_NS
        self._rounds.append(
            Round(
                number=len(self._rounds),
                probes=self._asked + self._again,
                controls=self._again,
                answers=answers,
                began_ns=self._started_ns - self._began_ns,
                ended_ns=now_ns - self._began_ns,
                rto_ns=self.rto_ns,
            )
        )
        if not drops:
            # What comes after a pause for ICMP errors has waited for that, and was not lost.
            by_chance = answers - rejected if self._patient else answers
            controls = Controls(asked=self._again, answered=min(again, self._again))
            self._take_in(by_chance, controls, heard=bool(answers))
        if self._asked:
            tried = not (drops or answers or self._mute)
            self._in_vain = tried and (self._in_vain or self._paused)
        self._paused = pausing
        self._estimate = None

    def _take_in(self, answers: int, controls: Controls, *, heard: bool) -> None:
        """What a round without drops says of the loss, and of the host: was anything `heard`?"""
        self._apart += controls
        if controls.asked and not (controls.answered or heard):
            self._mute.append(controls.asked)
            return
        self._mute.clear()
        if self._asked:
            self._clean.append(answers)
            self._controls.append(self._apart)
            self._apart = Controls()

    def measured(self, rtt_ns: int) -> None:
        """One round trip. A fresh source port in each round makes it unambiguous (Karn's rule)."""
        self._timer.measure(rtt_ns)

    # ── what to do ──────────────────────────────────────────────────────────────────────────

    @property
    def rto_ns(self) -> int:
        """The retransmission time-out, by the round trips measured so far."""
        return self._timer.rto_ns

    def quiet_for_ns(self, *, answered: bool = False) -> int:
        """For so long nothing must come, since the last probe and answer, to end this round, which
        has or has not brought any answer yet.

        It backs off by a quarter a round and not twofold: a round is not the retransmission of
        one segment, and the answers of the others show that the path is not congested.
        """
        quiet_ns = int(self.rto_ns * min(_BACK_OFF ** len(self._rounds), _MOST_BACK_OFF))
        pausing = self._patient and (answered or not self._paused)
        return max(quiet_ns, _PAUSE_NS) if pausing or self._mute else quiet_ns

    def controls(self, answered: int) -> int:
        """How many of the `answered` ports the next round should ask again, to learn the loss, and
        that the host still answers.

        Where only a few ports answer at all, their first answers say little of the loss, and a
        round to all the silent ones costs thousands of times as much as asking these once more.
        """
        return min(answered, _MOST_CONTROLS)

    def another(self, unanswered: int) -> bool:
        """Is there to be one more round? `certain` says whether a "no" is by the rule."""
        if unanswered != self._left:
            self._left, self._estimate = unanswered, None
        if self.certain or self.fallen_silent or len(self._rounds) >= self._most:
            return False
        self._patient = self._patient or (self._enough() and self._may_be_limited())
        return True

    @property
    def knocking(self) -> bool:
        """Is the next round for controls alone? Nobody seems to be there to answer the others."""
        return bool(self._mute)

    @property
    def certain(self) -> bool:
        """Nobody is left to ask, or the rule is met: fewer than `ENOUGH` answers were missed.

        And the last round brought nothing: while answers still come, more are to be expected.
        """
        if not self._rounds:
            return False
        return not self._left or (self._enough() and (self._in_vain or not self._may_be_limited()))

    def _enough(self) -> bool:
        nothing_new = not self._rounds[-1].answers and not self._mute
        return nothing_new and self.expected_missed() < self._bearable

    @property
    def _bearable(self) -> float:
        """How many answers may be missed."""
        return ENOUGH if any(each.answers for each in self._rounds) else ENOUGH_OF_NOBODY

    def _may_be_limited(self) -> bool:
        return self._icmp_limited and bool(self._rejected or not self._hurried)

    # ── what is known ───────────────────────────────────────────────────────────────────────

    def expected_missed(self) -> float:
        """How many ports answer but have not, as every probe or its answer was lost."""
        return self._estimated().missed

    @property
    def loss(self) -> float:
        """The share of probes to answering ports that bring no answer, as far as it is known."""
        return self._estimated().loss

    @property
    def fallen_silent(self) -> bool:
        """Does nobody answer any more who had answered, so often that it is no chance?"""
        loss = max(self.loss, _BAD_LOSS)
        return len(self._mute) > _KNOCKS and loss ** sum(self._mute) < ENOUGH_OF_NOBODY

    @property
    def icmp_not_awaited(self) -> bool:
        """Was there no pause, so that silent ports may be some that would reject?"""
        return bool(self._icmp_limited and self._left) and not self._in_vain

    @property
    def icmp_still_coming(self) -> bool:
        """Did ICMP errors come to the end, as many as each pause lets through?"""
        return self._patient and bool(self._rejected and self._left) and not self._in_vain

    def to_come(self) -> int:
        """About how many rounds are still needed, for a guess at the time that is left."""
        if self.certain:
            return 0
        missed, bearable = self.expected_missed(), self._bearable
        more = ceil(log(bearable / missed) / log(self.loss)) if missed > bearable else 1
        return min(more, max(self._most - len(self._rounds), 0))

    @property
    def rounds(self) -> tuple[Round, ...]:
        """Those that have ended."""
        return tuple(self._rounds)

    @property
    def under_way(self) -> bool:
        """Has a round begun that has not ended?"""
        return self._under_way

    def _estimated(self) -> Estimate:
        if self._estimate is None:
            self._estimate = estimate(self._clean, self._left, self._controls)
        return self._estimate
