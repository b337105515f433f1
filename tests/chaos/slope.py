"""How fast something grows, and how sure that is: a straight line through the medians of twelve spans of time.

Neighbouring samples of a process's memory are alike, so that every one of them counts for little; medians of whole
spans are nearly independent, and do not see a single large day.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import linear_regression, mean, median

SPANS = 12
_T_99 = 3.169  # Student's t for 99 %, two-sided, and 12 - 2 degrees of freedom
_FROM = 3  # the first third is warming up


@dataclass(frozen=True)
class Slope:
    """Per sample; the truth is within `give` of it, 99 times of 100."""

    value: float
    give: float

    @property
    def least(self) -> float:
        return self.value - self.give

    def times(self, factor: float) -> "Slope":
        return Slope(self.value * factor, self.give * factor)

    def less(self, known: float) -> "Slope":
        return Slope(self.value - known, self.give)


def slope(samples: list[int]) -> Slope:
    """Over the last two thirds of at least 36 samples, taken at equal distances."""
    settled = samples[len(samples) // _FROM :]
    length = len(settled) / SPANS
    heights = [median(settled[round(n * length) : round((n + 1) * length)]) for n in range(SPANS)]
    places = [(n + 0.5) * length for n in range(SPANS)]
    line = linear_regression(places, heights)
    errors = [height - line.slope * place - line.intercept for place, height in zip(places, heights, strict=True)]
    spread = sum((place - mean(places)) ** 2 for place in places)
    return Slope(line.slope, _T_99 * sqrt(sum(error**2 for error in errors) / (SPANS - 2) / spread))
