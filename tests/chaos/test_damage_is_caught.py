"""What is lost on the way is noticed before anything is committed; what rots on the drive is noticed by `verify`, and
healed from a mirror or by the vendor. Fault rows C3, C7, D1 to D3 and the damage matrix of reliability.md §7.2."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.chaos import vendor
from tests.chaos.asking import Answer, ask_twice
from tests.chaos.bench import Bench
from tests.chaos.figures import Figures
from tests.chaos.losses import lose, missing
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle, file_of
from tests.chaos.rot import Rotting, flip_a_bit
from tests.chaos.vendor import Vendor
from tests.unit.store.answers import (
    DAY,
    HOURLY,
    LIVE,
    MINUTELY,
    SPEC,
    SYMBOL,
    Row,
    chain,
    minutes,
    quotes,
)
from tests.unit.store.recorded import Folder
from thetabulk.model import Collection, Dataset, Shard
from thetabulk.plan.datasets import grid_of

DAYS = 40
_REAL_DAYS_EVERY = 40
_DEAD = "http://127.0.0.1:9"
_IMPATIENT = {"THETABULK_TERMINAL_START_WAIT_S": "0.2"}


def _day(dice: Random, number: int) -> tuple[Dataset, list[Row]]:
    """Small days of hours, and now and then one of 40 contracts with all their minutes."""
    if number % _REAL_DAYS_EVERY == 0:
        return MINUTELY, quotes(chain(10, 2), minutes(391))
    return HOURLY, quotes(chain(dice.choice((1, 2, 6, 60)), 2))


def try_losses(folder: Folder, dice: Random, count: int) -> tuple[Counter[str], list[str]]:
    """What was lost how often, and which losses were not caught."""
    met, found = Counter[str](), list[str]()
    for number in range(count):
        dataset, rows = _day(dice, number)
        left, name = lose(rows, dice)
        body, listed = dice.choice((LIVE, SPEC)).body(dataset, left), frozenset(row.contract for row in rows)
        shard = Shard(Collection(dataset.name, "", SYMBOL), DAY)
        answer = Answer(shard, dataset, body, listed, grid_of(dataset, half_day=False))
        ends = ask_twice(folder, answer)
        met[name] += 1
        gone = len(missing(left, rows))
        few = 0 < gone <= len(listed) / 100 and len(rows) - len(left) == gone * len(rows) // len(listed)
        if ends[0].kind == "saved":
            found.append(f"{name}: {len(rows) - len(left)} of {len(rows)} rows are gone, and it was saved at once")
        elif ends[-1].proof == "full" or (ends[-1].kind == "saved" and not few):
            found.append(f"{name}: the same twice, and it was saved: {ends[-1].remarks}")
    return met, found


def test_what_is_lost_on_the_way_is_noticed_before_it_is_committed(
    workshop: Path, seed: int, rng: Random, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Rows, contracts, expirations, the end after any row or contract: never saved at first sight, never as proven.
    Only one contract in a hundred may be missing twice; that is said in the record."""
    count = times(400, 10_000)
    met, found = try_losses(Folder(workshop), rng, count)
    print(dict(met))  # noqa: T201
    figures.add("rows lost on the way", count, len(found), seed, "answers")
    assert not found, "\n".join(found[:10])


@pytest.mark.parametrize("file_format", ["parquet", "csv", "csv.zst"])
def test_every_flipped_bit_is_found_and_healed_from_the_mirror(
    file_format: str, workshop: Path, seed: int, rng: Random, times: Callable[[int, int], int], figures: Figures
) -> None:
    """By the full check and by the deep one, in every format, and without the vendor: a subscription ends."""
    share = {"parquet": 0.5, "csv": 0.25, "csv.zst": 0.25}[file_format]
    rotting = Rotting(workshop / "home", file_format, DAYS)
    rotting.rounds(rng, round(times(10_000, 10_000) * share))
    figures.add("flipped bits found and healed", rotting.flips, len(rotting.found), seed, "flips")
    assert not rotting.found, "\n".join(rotting.found[:10])


@needs()
@pytest.mark.parametrize("healer", ["vendor", "mirror"])
def test_a_rotten_store_is_whole_again_after_a_repair(
    healer: str, hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path,
    rng: Random, tmp_path: Path,
) -> None:  # fmt: skip
    """By the commands that a person types: every file rots, `verify` says so, `verify --repair` heals it."""
    days, store, oracle = vendor.days(6), workshop / "store", undisturbed(6)
    bench = Bench(hatchery, prompt_vendor.url, tmp_path, days)
    assert bench.download(store).wait().code == 0
    assert bench.start("mirror", str(workshop / "mirror"), f"--store={store}").wait().code == 0
    for key in oracle.keys:
        flip_a_bit(store / file_of(key), rng)
    looked = bench.start("verify", f"--store={store}", "--json").wait()
    assert looked.code == 10
    assert len(json.loads(looked.out.read_text())["damaged"]) == len(days)
    how = (f"--url={prompt_vendor.url}",) if healer == "vendor" else (f"--from={workshop / 'mirror'}", f"--url={_DEAD}")
    asked = len(prompt_vendor.asked())
    assert bench.start("verify", "--repair", *how, f"--store={store}").wait().code == 0
    assert oracle.judge_whole(store) == []
    assert (len(prompt_vendor.asked()) == asked) is (healer == "mirror")


@needs()
def test_a_mirror_that_rots_too_heals_nothing(
    hatchery: Nursery, prompt_vendor: Vendor, workshop: Path, rng: Random, tmp_path: Path
) -> None:
    """What it brings is compared with what it recorded: a damaged copy is not put in place of a damaged file."""
    [day], store, mirror = vendor.days(1), workshop / "store", workshop / "mirror"
    bench = Bench(hatchery, prompt_vendor.url, tmp_path, [day], _IMPATIENT)
    assert bench.download(store).wait().code == 0
    assert bench.start("mirror", str(mirror), f"--store={store}").wait().code == 0
    name = file_of(("option/quote/1m", "", "QQQ", day.isoformat()))
    for root in (store, mirror):
        flip_a_bit(root / name, rng)
    ran = bench.start("verify", "--repair", f"--from={mirror}", f"--url={_DEAD}", f"--store={store}").wait()
    assert ran.code in (8, 10)
    assert not (store / name).exists()
    assert bench.resume(store).wait().code == 0
    assert bench.start("verify", "--deep", f"--store={store}").wait().code == 0
