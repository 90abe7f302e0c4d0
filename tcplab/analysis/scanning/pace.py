"""How fast to ask: as fast as it does no harm, and never faster than was allowed.

Time is cut into windows. Receive drops and send errors halve the rate at once, but only once a
window, for what is seen now was caused before. So do two windows in a row in which clearly fewer
probes were answered than before; but there slowing is an experiment. If not more is answered at
half the rate, it is a filter or a path that loses anyway, and the former rate comes back. Windows
without trouble raise the rate by a quarter, up to where it was in the beginning; after a raise
that brought trouble, the next one waits twice as long.
"""

from dataclasses import dataclass, field

from tcplab.analysis.scanning.bucket import SECOND_NS, TokenBucket
from tcplab.analysis.scanning.ratio import Sample
from tcplab.analysis.scanning.report import PaceCause, PaceChange

_WINDOW_NS = 25_000_000
_WINDOW_PROBES = 32
_IN_A_ROW, _MOST_IN_A_ROW = 2, 8
"""Windows with fewer answers; one alone may be a process that had no processor for a while."""
_TRIAL_WINDOWS, _MOST_TRIAL_WINDOWS = 2, 8
_TRIAL_CHANCE = 1e-2
_LEAST_PPS = 10
_IDLE_NS = 10_000_000
_TOO_SHORT_NS = 1_000_000
"""Over less than this no rate can be measured."""
_FIRST_PATIENCE, _MOST_PATIENCE = 2, 32
_FIRST_HOLD, _MOST_HOLD = 4, 64


@dataclass(slots=True)
class _Window:
    began_ns: int
    last_ns: int
    probes: int = 0
    last_probes: int = 0
    answers: int = 0
    busy_ns: int = 0
    troubled: bool = False

    def send(self, probes: int, now_ns: int) -> None:
        self.busy_ns += min(max(now_ns - self.last_ns, 0), _IDLE_NS)
        self.last_ns = now_ns
        self.probes += probes
        self.last_probes = probes

    def pps(self, now_ns: int) -> int:
        """The rate at which it was sent, without what was idle time."""
        if self.busy_ns >= _TOO_SHORT_NS and self.probes > self.last_probes:
            return (self.probes - self.last_probes) * SECOND_NS // self.busy_ns
        return self.probes * SECOND_NS // min(max(now_ns - self.began_ns, _TOO_SHORT_NS), _IDLE_NS)

    def sample(self) -> Sample:
        return Sample(probes=self.probes, answers=self.answers)


@dataclass(slots=True)
class _Trial:
    """The rate was halved to see whether more is answered then than in `low`."""

    former_pps: int | None
    low: Sample
    slow: Sample = field(default_factory=Sample)
    windows: int = 0


class Pace:
    """The rate of one scan, which begins at `now_ns`; `most_pps` None is "max".

    At "max" and without trouble there is no limit but `most_at_once`, so that answers are looked
    for now and then. Tell `sent` of probes when they are handed over (and hand over none while
    many wait to leave, or no rate can be measured), and then `observed` what came in; both often.
    """

    __slots__ = (
        "_began_ns", "_bucket", "_changes", "_clean", "_early", "_hold", "_lows",
        "_most_at_once", "_most_pps", "_next_hold", "_patience", "_raised", "_reached_pps",
        "_sent_pps", "_settled_ns", "_skip", "_trial", "_usual", "_window", "_window_ns",
    )  # fmt: skip

    def __init__(self, most_pps: int | None, now_ns: int, *, most_at_once: int) -> None:
        self._began_ns = self._settled_ns = now_ns
        self._most_pps = most_pps
        self._most_at_once = most_at_once
        self._bucket: TokenBucket | None = None
        if most_pps is not None:
            self._bucket = TokenBucket(most_pps, now_ns)
            self._bucket.begin_at_once()
        self._changes: list[PaceChange] = []
        self._window: _Window | None = None
        self._window_ns = _WINDOW_NS
        self._early = 0
        self._skip = True
        self._usual = Sample()
        self._lows: list[Sample] = []
        self._trial: _Trial | None = None
        self._hold, self._next_hold = 0, _FIRST_HOLD
        self._clean, self._patience, self._raised = 0, _FIRST_PATIENCE, False
        self._reached_pps = self._sent_pps = 0

    # ── sending ─────────────────────────────────────────────────────────────────────────────

    @property
    def pps(self) -> int | None:
        """The rate now; None is as fast as the path answers."""
        return None if self._bucket is None else self._bucket.pps

    def allowance(self, now_ns: int) -> int:
        """So many probes may be sent now."""
        if self._bucket is None:
            return self._most_at_once
        return min(self._bucket.allowance(now_ns), self._most_at_once)

    def next_ns(self) -> int | None:
        """When there will be an allowance again; None: there is one, or there is no limit."""
        return None if self._bucket is None else self._bucket.next_ns()

    def sent(self, probes: int, now_ns: int) -> None:
        """So many were handed over."""
        if self._bucket is not None:
            self._bucket.take(probes, now_ns)
        if self._window is None:
            self._window = _Window(now_ns, now_ns, answers=self._early)
            self._early = 0
        self._window.send(probes, now_ns)

    # ── watching ────────────────────────────────────────────────────────────────────────────

    def begin_round(self, now_ns: int) -> None:
        """Other ports are asked from now on, of which another share will answer."""
        if self._trial is not None:
            self._end_trial(self._trial, PaceCause.RECOVERY, now_ns)
        self._forget()
        self._usual = Sample()

    def measured(self, rtt_ns: int) -> None:
        """A round trip: windows are never so short that answers fall into another one."""
        self._window_ns = max(_WINDOW_NS, 2 * rtt_ns)

    def observed(self, *, answers: int, drops: int, errors: int, now_ns: int) -> None:
        """Since the last call so many answers came, found no room, or probes could not leave."""
        window = self._window
        if window is not None:
            window.answers += answers
        else:
            self._early += answers
        if drops or errors:
            self._struck(PaceCause.DROPS if drops else PaceCause.ERRORS, now_ns)
        elif (
            window is not None
            and window.probes >= _WINDOW_PROBES
            and now_ns - window.began_ns >= self._window_ns
        ):
            self._window = None
            self._sent_pps = window.pps(now_ns)
            self._judge(window, now_ns)

    @property
    def changes(self) -> tuple[PaceChange, ...]:
        """Every change of the rate so far."""
        return tuple(self._changes)

    # ── deciding ────────────────────────────────────────────────────────────────────────────

    def _struck(self, cause: PaceCause, now_ns: int) -> None:
        """Drops or errors: these are of our making, whatever a trial was about to find out."""
        self._trial = None
        self._clean = 0
        if now_ns >= self._settled_ns:
            self._slow(cause, now_ns)
        elif self._window is not None:
            self._window.troubled = True

    def _judge(self, window: _Window, now_ns: int) -> None:
        """A window is over."""
        if window.troubled or self._skip:
            self._skip = False
            return
        sample = window.sample()
        if self._trial is not None:
            self._try(self._trial, sample, now_ns)
            return
        self._lows.append(sample)
        low = sum(self._lows, Sample())
        seems = low.seems_fewer_than(self._usual) and not self._hold
        if seems and len(self._lows) >= _IN_A_ROW and low.fewer_than(self._usual):
            # The first of them may be half before and half after what happened.
            trial = _Trial(self.pps, sum(self._lows[1:], Sample()))
            self._slow(PaceCause.SILENCE, now_ns)
            self._trial = trial
            return
        if not seems or len(self._lows) >= _MOST_IN_A_ROW:
            self._usual = self._usual.faded() + low
            self._lows = []
        self._hold = max(0, self._hold - 1)
        self._clean += 1
        if self._clean >= self._patience:
            self._raise(now_ns)

    def _try(self, trial: _Trial, sample: Sample, now_ns: int) -> None:
        """Another window at half the rate: is more answered?"""
        trial.slow += sample
        trial.windows += 1
        if trial.windows < _TRIAL_WINDOWS:
            return
        if trial.low.fewer_than(trial.slow, chance=_TRIAL_CHANCE):
            self._trial = None
            self._next_hold = _FIRST_HOLD
        elif trial.windows >= _MOST_TRIAL_WINDOWS or not trial.low.seems_fewer_than(trial.slow):
            self._end_trial(trial, PaceCause.NO_HELP, now_ns)
            self._usual = trial.low + trial.slow
            self._hold = self._next_hold
            self._next_hold = min(2 * self._next_hold, _MOST_HOLD)

    def _end_trial(self, trial: _Trial, cause: PaceCause, now_ns: int) -> None:
        self._trial = None
        self._forget()
        self._set(trial.former_pps, cause, now_ns)

    # ── changing ────────────────────────────────────────────────────────────────────────────

    def _slow(self, cause: PaceCause, now_ns: int) -> None:
        """Half of what was really sent a second."""
        pps = self._sending_pps(now_ns)
        if self._bucket is None:
            self._reached_pps = pps
        else:
            pps = min(pps, self._bucket.pps)
        self._patience = (
            min(2 * self._patience, _MOST_PATIENCE) if self._raised else _FIRST_PATIENCE
        )
        self._raised = False
        self._clean = 0
        self._settled_ns = now_ns + self._window_ns
        self._forget()
        least = _LEAST_PPS if self._most_pps is None else min(_LEAST_PPS, self._most_pps)
        self._set(max(pps // 2, least), cause, now_ns)

    def _raise(self, now_ns: int) -> None:
        """A quarter more, up to what was allowed, or at "max" to where trouble began."""
        if self._bucket is None or self._bucket.pps == self._most_pps:
            return
        if self._raised:  # and that went well
            self._patience = max(self._patience // 2, _FIRST_PATIENCE)
        self._raised = True
        self._clean = 0
        pps = self._bucket.pps * 5 // 4 + 1
        if self._most_pps is not None:
            self._set(min(pps, self._most_pps), PaceCause.RECOVERY, now_ns)
        else:
            self._set(pps if pps < self._reached_pps else None, PaceCause.RECOVERY, now_ns)

    def _set(self, pps: int | None, cause: PaceCause, now_ns: int) -> None:
        if pps == self.pps:
            return
        if pps is None:
            self._bucket = None
        elif self._bucket is None:
            self._bucket = TokenBucket(pps, now_ns)
        else:
            self._bucket.change(pps, now_ns)
        self._changes.append(PaceChange(at_ns=now_ns - self._began_ns, pps=pps, cause=cause))

    def _sending_pps(self, now_ns: int) -> int:
        """The rate at which probes really left of late."""
        window = self._window
        if window is not None and (window.probes >= _WINDOW_PROBES or not self._sent_pps):
            return window.pps(now_ns)
        return self._sent_pps or self.pps or _LEAST_PPS

    def _forget(self) -> None:
        """The next window still has answers to what was sent before, so the one after counts."""
        self._window = None
        self._early = 0
        self._skip = True
        self._lows = []
