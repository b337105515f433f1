"""Strictness that refuses good data is as bad as a hole: odd days are saved, each with the right remark."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.chaos.asking import Answer, End, ask_twice, leftovers
from tests.chaos.figures import Figures
from tests.chaos.odd_days import REMARKS, Day, odd_day
from tests.unit.store.recorded import Folder
from thetabulk.store.recording import Manner

_MANNERS = [*[Manner()] * 4, Manner(prices="decimal"), Manner(row_group_rows=1_024), Manner(format="csv.zst")]


def complaints(day: Day, answer: Answer, ends: list[End]) -> list[str]:
    """What is wrong with how a good day ended."""
    last = ends[-1]
    if last.kind != "saved":
        return [f"a good day was {last.kind}: {last.error or last.remarks}"]
    found = [f"made up: {text}" for text in last.lacking]
    told = {next((tag for tag, words in REMARKS.items() if words in text), text) for text in last.remarks}
    found += [f"not said: {tag}" for tag in sorted(day.remarks - told)]
    found += [f"made up: {tag}" for tag in sorted(told - day.remarks)]
    if last.proof != day.proof:
        found.append(f"its proof is {last.proof}, and should be {day.proof}")
    if len(ends) != 1 + day.confirmed:
        found.append(f"asked {len(ends)} times")
    if last.printed != answer.body:
        found.append("it does not print back as it came")
    return found


def try_days(folder: Folder, dice: Random, count: int) -> tuple[Counter[str], list[str]]:
    """Which oddities there were, and what went wrong."""
    met, found = Counter[str](), list[str]()
    for _ in range(count):
        day, names = odd_day(dice)
        answer = day.answer(dice)
        pieces = sorted(dice.randrange(len(answer.body) + 1) for _ in range(dice.choice((0, 1, 5))))
        ends = ask_twice(folder, answer, pieces=pieces, manner=dice.choice(_MANNERS))
        met.update(names or ["nothing"])
        kind = f"{day.dataset.name}, {len(day.rows)} rows, {len(day.contracts)} contracts, half day: {day.half_day}"
        found += [f"{kind}, {names}: {told}" for told in complaints(day, answer, ends)]
    return met, found + [f"left behind: {path.name}" for path in leftovers(folder)]


def test_every_odd_day_is_saved_with_the_right_remark(
    workshop: Path, seed: int, rng: Random, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Half-day grids, another order, no list or a longer one, doubled rows, expirations of 1882, three decimals, other
    line ends and quotes, contracts listed at noon: up to five of them at once, and no false word about any."""
    count = times(500, 10_000)
    met, found = try_days(Folder(workshop), rng, count)
    print(dict(met))  # noqa: T201
    figures.add("odd days refused", count, len(found), seed, "odd days")
    assert not found, "\n".join(found[:10])
