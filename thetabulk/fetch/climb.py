"""Looks for the number of requests in flight that brings the most, by trying. Pure.

Threshold rules (additive increase, Vegas, Gradient2) fall to 0.3–0.6 of what is possible where more requests slow the
Terminal without an error, which is how it behaves (8 whole-chain requests at once took longer than one after the
other): they have no signal of throughput. Hill climbing alone buys refusals for ever, so the ceiling is in `limit.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from thetabulk.fetch.goodput import Sample

_RAMP_GAIN = 0.3  # of a linear gain, for a leap to be kept
_PROBE_GAIN, _PROBE_ON, _PROBE_LEAP = 0.2, 0.3, 0.7  # of a linear gain: keep it, go one further, leap
_PROBE_SURE = 0.8  # of a linear gain: one epoch is enough
_DOWN_GAIN = -0.1  # one fewer is really better
_SLOWER = 0.85  # of the best known goodput per request: they have become slower than they were
_REST, _REST_MAX = 3.0, 12.0  # epochs between two probes
_CHANGED, _NOISES = 0.25, 2.5  # a change is more than a quarter, and more than so many usual deviations
_WEIGHT_KEPT = 0.995  # per second: a level is remembered for some minutes


class _Mode(Enum):
    RAMP = "ramp"  # leaps, while they pay
    STEADY = "steady"  # rests at the leading level, watches it, and probes its neighbours now and then
    PROBE = "probe"  # one more or one fewer than the leading level
    FALL = "fall"  # half of it, after its goodput fell: too many, or is the Terminal just slower?


@dataclass(slots=True)
class _Known:
    goodput: float
    weight: float


class Climb:
    """`level` is to be in flight; `lead` is the best level known. `why` tells of the last decision."""

    def __init__(self, start: int, lowest: int) -> None:
        self.level = start
        self.lead = start
        self.why = "start"
        self._lowest = lowest
        self._mode = _Mode.RAMP
        self._known: dict[int, _Known] = {}
        self._second_look = False
        self._trial: list[float] = []
        self._rest = _REST
        self._failed_probes = 0
        self._upwards = True
        self._noise = 0.1
        self._deviating = 0

    def after(self, sample: Sample, cap: int) -> None:
        """Decide by an epoch at `level`; nothing above `cap` is tried."""
        steps: dict[_Mode, Callable[[Sample, int], None]] = {
            _Mode.RAMP: self._ramping,
            _Mode.STEADY: self._resting,
            _Mode.PROBE: self._probing,
            _Mode.FALL: self._falling,
        }
        steps[self._mode](sample, cap)

    def confine(self, cap: int, why: str) -> None:
        """`cap` holds at once; what was being tried above it is given up."""
        if self.level > cap or self.lead > cap:
            self.lead = min(self.lead, cap)
            self._settle(why)

    def restart(self, level: int, why: str) -> None:
        """Forget what is known, and climb from `level` again as far as goodput pays."""
        self._known.clear()
        self._deviating = 0
        self.lead = self.level = level
        self._mode = _Mode.RAMP
        self.why = why

    def leap(self, cap: int) -> None:
        """There is more room than there was: try it, if nothing else is being tried."""
        if self._mode is _Mode.STEADY and self.lead in self._known:
            self._climb_on(cap)

    def _ramping(self, sample: Sample, cap: int) -> None:
        self._learn(sample)
        if self.level == self.lead:
            self._climb_on(cap)
            return
        base = self._known[self.lead].goodput
        needed = base * (1 + _RAMP_GAIN * (self.level - self.lead) / self.lead)
        if self._known[self.level].goodput >= needed:
            self.lead = self.level
            self._climb_on(cap)
        elif not self._second_look:
            self._second_look = True
        else:
            self._refuse_leap()

    def _climb_on(self, cap: int) -> None:
        target = min(cap, self.lead + max(2, self.lead // 2))
        if target <= self.lead:
            self._settle(f"{self._told(self.lead)}; there is no room for more")
            return
        self.why = f"{self._told(self.lead)}: trying {target}"
        self._second_look = False
        self._move(_Mode.RAMP, target)

    def _refuse_leap(self) -> None:
        why = f"{self._told(self.level)}, {self._told(self.lead)}"
        middle = (self.lead + self.level) // 2
        if middle > self.lead:
            self.why = f"{why}: trying {middle}"
            self._move(_Mode.PROBE, middle)
        else:
            self._settle(why)

    def _resting(self, sample: Sample, cap: int) -> None:
        change = self._change(sample)
        if change > 0:
            self.restart(self.lead, "each request brings more than it did")
            self._learn(sample)
            self._climb_on(cap)
        elif change < 0 and (half := max(self._lowest, math.ceil(self.lead / 2))) < self.lead:
            self._known = {self.lead: _Known(sample.goodput, sample.seconds)}
            self.why = f"{self._told(self.lead)}, less than before: trying {half}"
            self._move(_Mode.FALL, half)
        else:
            self._learn(sample)
            self._rest -= 1
            if self._rest <= 0:
                self._probe_a_neighbour(cap)

    def _change(self, sample: Sample) -> int:
        """1 or -1 when the leading level brings lastingly more or less than it did, else 0."""
        known = self._known.get(self.lead)
        if known is None:
            return 0
        deviation = sample.goodput / known.goodput - 1 if known.goodput > 0 else float(sample.goodput > 0)
        threshold = max(_CHANGED, _NOISES * self._noise)
        self._noise += 0.1 * (min(abs(deviation), 0.5) - self._noise)
        self._deviating = self._deviating + 1 if abs(deviation) > threshold else 0
        if self._deviating < 2 and abs(deviation) <= 2 * threshold:
            return 0
        self._deviating = 0
        return 1 if deviation > 0 else -1

    def _probe_a_neighbour(self, cap: int) -> None:
        up, down = self.lead < cap, self._down_is_worth_a_probe()
        if not up and not down:
            self._rest = _REST
            return
        target = self.lead + (1 if up and (self._upwards or not down) else -1)
        self.why = f"trying {target} for a moment"
        self._move(_Mode.PROBE, target)

    def _down_is_worth_a_probe(self) -> bool:
        if self.lead <= self._lowest:
            return False
        fewer = [known.goodput / level for level, known in self._known.items() if level < self.lead]
        return not fewer or self._known[self.lead].goodput / self.lead < _SLOWER * max(fewer)

    def _probing(self, sample: Sample, cap: int) -> None:
        self._learn(sample)
        self._trial.append(sample.goodput)
        step = self.level - self.lead
        gain = self._gain(sum(self._trial) / len(self._trial))
        if len(self._trial) < 2 and not (step > 0 and gain > _PROBE_SURE):
            return
        if (gain > _PROBE_GAIN) if step > 0 else (gain < _DOWN_GAIN):
            self._take(gain, step, cap)
        else:
            self._fail_probe(step)

    def _gain(self, goodput: float) -> float:
        """What the level under trial gains per request, 1 being as much as the others bring."""
        base = self._known[self.lead].goodput if self.lead in self._known else 0.0
        ratio = goodput / base - 1 if base > 0 else float(goodput > 0)
        return ratio * self.lead / (self.level - self.lead)

    def _take(self, gain: float, step: int, cap: int) -> None:
        self.lead = self.level
        self._failed_probes = 0
        if step > 0 and gain > _PROBE_LEAP:
            self._climb_on(cap)
        elif step > 0 and gain > _PROBE_ON and self.lead < cap:
            self.why = f"{self._told(self.lead)}: trying one more"
            self._move(_Mode.PROBE, self.lead + 1)
        elif step < 0 and self.lead > self._lowest:
            self.why = f"{self._told(self.lead)}: trying one fewer"
            self._move(_Mode.PROBE, self.lead - 1)
        else:
            self._settle(self._told(self.lead))

    def _fail_probe(self, step: int) -> None:
        told = f"{self._told(self.level)}, {self._told(self.lead)}"
        self._failed_probes += 1
        rest = _REST / 2 if self._failed_probes == 1 else _REST * 1.5 ** min(self._failed_probes - 1, 10)
        self._settle(told)
        self._rest = min(_REST_MAX, rest)
        self._upwards = step < 0

    def _falling(self, sample: Sample, cap: int) -> None:
        self._learn(sample)
        if sample.goodput >= 0.9 * self._known[self.lead].goodput:
            self.lead = self.level
            self._climb_on(cap)
        else:
            self._settle(f"{self._told(self.level)}, {self._told(self.lead)}: back")

    def _settle(self, why: str) -> None:
        self.why = why
        self._rest = _REST
        self._deviating = 0
        self._move(_Mode.STEADY, self.lead)

    def _move(self, mode: _Mode, level: int) -> None:
        self._mode = mode
        self.level = level
        self._trial = []
        if level != self.lead:
            self._known.pop(level, None)  # a trial is judged by what is true now

    def _learn(self, sample: Sample) -> None:
        for known in self._known.values():
            known.weight *= _WEIGHT_KEPT**sample.seconds
        known = self._known.setdefault(self.level, _Known(0.0, 0.0))
        known.weight += sample.seconds
        known.goodput += (sample.goodput - known.goodput) * sample.seconds / known.weight

    def _told(self, level: int) -> str:
        known = self._known.get(level)
        return f"{level} bring {known.goodput / 1e6:.1f} MB/s" if known else f"{level}"
