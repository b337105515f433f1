"""Bodies to which something has happened on their way: refused, asked for again, or saved byte for byte with the right
remark; never taken for the whole day unless they are. Fault row C19, and those of C3 to C9 that show in a body."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos import meaning
from tests.chaos.asking import Answer, End, ask_twice, leftovers
from tests.chaos.figures import Figures
from tests.chaos.meaning import Meaning
from tests.chaos.mutations import mutate
from tests.unit.store.answers import (
    DAY,
    EOD,
    HOURLY,
    LIVE,
    MINUTELY,
    OPEN_INTEREST,
    SPEC,
    SYMBOL,
    Printer,
    Row,
    chain,
    end_of_day,
    minutes,
    open_interest,
    quotes,
)
from tests.unit.store.recorded import Folder
from thetabulk.model import Collection, Dataset, Shard
from thetabulk.plan.datasets import grid_of
from thetabulk.store.recording import Manner

_MANNERS = [*[Manner()] * 6, Manner(prices="decimal"), Manner(format="csv"), Manner(format="csv.zst")]


@dataclass(frozen=True)
class Original:
    answer: Answer
    truth: Meaning


def _original(dataset: Dataset, rows: list[Row], printer: Printer) -> Original:
    body = printer.body(dataset, rows)
    shard = Shard(Collection(dataset.name, "", SYMBOL), DAY)
    listed = frozenset(row.contract for row in rows)
    truth = meaning.read(body, dataset, SYMBOL, DAY)
    assert truth is not None
    return Original(Answer(shard, dataset, body, listed, grid_of(dataset, half_day=False)), truth)


def originals() -> list[Original]:
    """Hours mostly, because they are short; every dataset, and both styles in which the vendor prints."""
    hours, minutely = quotes(chain(3)), quotes(chain(1), minutes(391))
    return [
        *[_original(HOURLY, hours, printer) for printer in (LIVE, SPEC)] * 4,
        *[_original(HOURLY, quotes(chain(12, 2)), printer) for printer in (LIVE, SPEC)],
        _original(MINUTELY, minutely, LIVE),
        *[_original(OPEN_INTEREST, open_interest(chain(4)), printer) for printer in (LIVE, SPEC)],
        *[_original(EOD, end_of_day(chain(4), builds), LIVE) for builds in (1, 2)],
    ]


def complaints(original: Original, body: bytes, ends: list[End]) -> list[str]:
    """What is wrong with how a changed body ended."""
    said = meaning.read(body, original.answer.dataset, SYMBOL, DAY)
    last, has_grid = ends[-1], original.answer.dataset.interval_ms is not None
    found = []
    if last.kind == "asked again":
        found.append("asked again for ever")
    if last.kind in ("saved", "kept aside") and last.printed != body:
        found.append("it does not print back as it came")
    if said is None and last.kind != "refused":
        found.append(f"nonsense was {last.kind}")
    if said is not None and last.kind == "saved":
        if last.proof == "full" and not said.is_complete(original.truth):
            found.append("taken for the whole day")
        if has_grid and said.lacks(original.truth):
            found.append("saved, although rows are missing")
        if last.proof == "full" and (last.lacking or last.surplus):
            found.append(f"proven, although {last.lacking + last.surplus}")
    if said is not None and said.is_the_same(original.truth) and last.kind != "saved":
        found.append(f"a good day was {last.kind}: {last.error or last.remarks}")
    return found


def _where(before: bytes, after: bytes) -> str:
    """The first difference."""
    at = next((place for place, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), len(after))
    return f"{before[max(0, at - 60) : at + 60]!r} became {after[max(0, at - 60) : at + 60]!r}"


def fuzz(folder: Folder, dice: Random, count: int) -> tuple[Counter[str], list[str]]:
    """How so many changed bodies ended, and what is wrong with that; it stops at the first wrong one."""
    sources, ends, found = originals(), Counter[str](), list[str]()
    for _ in range(count):
        original = dice.choice(sources)
        body, done = mutate(original.answer.body, dice)
        pieces = sorted(dice.randrange(len(body) + 1) for _ in range(dice.choice((0, 1, 5))))
        manner = dice.choice(_MANNERS)
        changed = Answer(
            original.answer.shard, original.answer.dataset, body, original.answer.listed, original.answer.grids
        )  # fmt: skip
        ended = ask_twice(folder, changed, pieces=pieces, manner=manner)
        ends[f"{ended[-1].kind} {ended[-1].proof if ended[-1].kind == 'saved' else ''}".strip()] += 1
        found = [f"{done}: {told} ({_where(original.answer.body, body)})" for told in complaints(original, body, ended)]
        if found:
            break
    return ends, found + [f"left behind: {path.name}" for path in leftovers(folder)]


def test_a_changed_body_is_never_taken_for_the_whole_day(
    workshop: Path, seed: int, rng: Random, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Nonsense is refused, what lacks rows is never saved, what is saved prints back byte for byte, and what says the
    same as before in another print or order is not refused."""
    ends, found = fuzz(Folder(workshop), rng, times(5_000, 100_000))
    print(dict(ends))  # noqa: T201
    figures.add("fuzzed answers", sum(ends.values()), len(found), seed, "bodies")
    assert not found, found[0]
