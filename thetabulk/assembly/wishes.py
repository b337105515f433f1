"""What a download is asked for, as collections and days."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from thetabulk.config import JobConfig
from thetabulk.errors import UsageError
from thetabulk.model import Collection, Job, Right, Shard, Tier, describe_selection
from thetabulk.plan.datasets import dataset
from thetabulk.plan.planner import wanted_sessions
from thetabulk.store.layout import check_symbol

FIRST_OPTION_DAY = Tier.PRO.options_from


@dataclass(frozen=True, slots=True)
class Wish:
    """Collections, and the settled sessions wanted of each, newest first; `notes` are to be said."""

    days: dict[Collection, tuple[date, ...]]
    notes: tuple[str, ...] = ()

    @property
    def collections(self) -> tuple[Collection, ...]:
        return tuple(self.days)

    @property
    def first(self) -> date:
        return min(days[-1] for days in self.days.values())

    @property
    def last(self) -> date:
        return max(days[0] for days in self.days.values())


def collections_of(job: JobConfig) -> tuple[Collection, ...]:
    """UsageError for a symbol, dataset or interval that there is not."""
    if not job.symbols:
        raise UsageError("which symbol?", hint="for example: thetabulk download QQQ --from 2016-08-04")
    kind = dataset(job.dataset, job.interval)
    selection = describe_selection(job.max_dte, job.strike_range, Right(job.right))
    symbols = dict.fromkeys(check_symbol(symbol) for symbol in job.symbols)
    return tuple(Collection(kind.name, selection, symbol) for symbol in symbols)


def wish_of(job: JobConfig, settled: Sequence[date], tier: Tier) -> Wish:
    """The days of a command line; `--from` defaults to the tier's first day."""
    collections = collections_of(job)
    wanted = wanted_sessions(settled, job.first or tier.options_from, job.last)
    return Wish(dict.fromkeys(collections, wanted.days), wanted.notes)


def wish_of_jobs(jobs: Sequence[Job], settled: Sequence[date]) -> Wish:
    """The days of recorded jobs; a collection of several jobs wants all their days once."""
    days: dict[Collection, set[date]] = {}
    for job in jobs:
        wanted = wanted_sessions(settled, job.first, job.last).days
        for collection in job.collections:
            days.setdefault(collection, set()).update(wanted)
    return Wish({collection: tuple(sorted(some, reverse=True)) for collection, some in days.items()})


def wish_of_shards(shards: Iterable[Shard]) -> Wish:
    """Exactly these days."""
    days: dict[Collection, set[date]] = {}
    for shard in shards:
        days.setdefault(shard.collection, set()).add(shard.day)
    return Wish({collection: tuple(sorted(some, reverse=True)) for collection, some in days.items()})


def up_to(jobs: Sequence[Job], last: date) -> list[Job]:
    """The jobs with their days up to `last`. Of a collection's jobs only the latest grows: an older one's end was
    wanted so."""
    newest: dict[Collection, date] = {}
    for job in jobs:
        newest |= {collection: max(job.last, newest.get(collection, job.last)) for collection in job.collections}
    grows = [job.last < last and any(newest[each] == job.last for each in job.collections) for job in jobs]
    return [replace(job, last=last) if growing else job for job, growing in zip(jobs, grows, strict=True)]


def job_of(wish: Wish) -> Job:
    """The record of a wish. The same wish is the same job, so that repeating a download adds none."""
    text = "|".join([*map(str, wish.collections), wish.first.isoformat(), wish.last.isoformat()])
    return Job(hashlib.sha256(text.encode()).hexdigest()[:12], wish.collections, wish.first, wish.last)
