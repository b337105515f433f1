"""How many files may be open, and how large one may be."""

import resource
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.small_store import AT, DAYS, HOURLY, make, save, writing
from thetabulk.assembly import limits
from thetabulk.assembly.stores import Store
from thetabulk.config import FetchConfig
from thetabulk.errors import ThetabulkError, UsageError
from thetabulk.model import Collection, Shard

MINUTELY = Collection("option/quote/1m", "", "QQQ")
NOBODY_KNOWS = Collection("option/quote/1m", "", "XYZ")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    make(tmp_path / "store")
    with writing(tmp_path / "store") as store:
        store.volume = replace(store.volume, filesystem="vfat")
        yield store


def fill(store: Store, stored_bytes: int) -> None:
    """Eight days on record, each of so many bytes: enough for evidence."""
    saved = save(store, Shard(HOURLY, DAYS[0]))
    for number in range(8):
        shard = Shard(HOURLY, DAYS[0] - timedelta(days=number))
        store.ledger.record(replace(saved, shard=shard, bytes=stored_bytes), AT + timedelta(minutes=number))


def test_a_day_that_cannot_fit_on_fat32_is_not_asked_for(store: Store) -> None:
    """Before the first request, and with what to do instead."""
    fill(store, 5_000_000_000)
    with pytest.raises(UsageError, match=r"takes 5.0 GB, and .* is FAT32") as caught:
        limits.too_large_days(store, {HOURLY: DAYS})
    assert "exFAT" in caught.value.hint


def test_a_day_that_may_not_fit_on_fat32_is_told(store: Store) -> None:
    """Chains grow: what was saved years ago is smaller. Of what nobody knows, that is told."""
    fill(store, 4_000_000_000)
    later = [DAYS[0] + timedelta(days=365 * 3), DAYS[0]]
    [told] = limits.too_large_days(store, {HOURLY: later})
    assert "days of up to" in told
    [told] = limits.too_large_days(store, {NOBODY_KNOWS: DAYS})
    assert "days of unknown size, on FAT32" in told


def test_days_that_fit_are_not_talked_about(store: Store) -> None:
    """Neither small ones on FAT32, by what is published, nor any on another file system."""
    assert limits.too_large_days(store, {MINUTELY: DAYS}) == []
    store.volume = replace(store.volume, filesystem="exfat")
    assert limits.too_large_days(store, {NOBODY_KNOWS: DAYS}) == []


@pytest.mark.parametrize(
    ("allowed", "expected"), [(100, (3, 12)), (99, (3, 11)), (95, (3, 11)), (94, (3, 10)), (50, (2, 2)), (45, (1, 1))]
)
def test_fewer_files_mean_fewer_workers(allowed: int, expected: tuple[int, int]) -> None:
    """So many as fit: five files each."""
    fetch, told = limits.fewer_workers(FetchConfig(workers_min=3, workers_max=12), allowed, needed=100)
    assert (fetch.workers_min, fetch.workers_max) == expected
    assert ("ulimit" in told) == (allowed < 100)


def test_too_few_files_for_one_worker_are_told_before_anything_begins() -> None:
    """With the number that is needed."""
    with pytest.raises(ThetabulkError, match="only 44 files may be open at once, 45 are needed") as caught:
        limits.fewer_workers(FetchConfig(workers_min=3, workers_max=12), 44, needed=100)
    assert "ulimit -n" in caught.value.hint


def test_a_limit_that_may_be_raised_is_raised() -> None:
    """Up to what is needed, and no further; a limit that is high enough is left alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    here = limits.open_files()
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (here + 20, hard))
        assert limits.allow_open_files(here + 30) == here + 30
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == here + 30
        assert limits.allow_open_files(here + 25) == here + 25
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == here + 30
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
