"""What a run makes of its settings, its outcomes and its signals."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.cli.small_store import AT, DAYS, HOURLY, small_store, writing
from thetabulk import config
from thetabulk.assembly import downloads
from thetabulk.assembly.downloads import Orders, first_error, outcome_codes, seconds_until
from thetabulk.assembly.stores import Store
from thetabulk.assembly.wishes import Wish, wish_of_shards
from thetabulk.errors import AccountError, AskedWrongly, DriveGone, ThetabulkError, worst
from thetabulk.events import Event, Notice, RunFinished
from thetabulk.model import Asked, Boundary, Empty, Entry, Failed, Outcome, Proof, Refused, Saved, Shard
from thetabulk.run.pipeline import Ending, Pipeline

ASKED = Asked("")
SHARDS = [Shard(HOURLY, day) for day in reversed(DAYS)]
WISH = Wish({HOURLY: tuple(reversed(DAYS))})


# Exit codes


def a_store(outcomes: str, boundaries: tuple[Boundary, ...] = ()) -> Store:
    """Only what the decision looks at: an outcome per day, newest first; `n` saved without a list, `-` not known."""

    def outcome(shard: Shard, letter: str) -> Outcome:
        proof = {"n": Proof.NO_CONTRACT_LIST, "r": Proof.REMARKS, "a": Proof.ACCEPTED}.get(letter, Proof.FULL)
        others: dict[str, Outcome] = {
            "E": Empty(shard, ASKED),
            "R": Refused(shard, ASKED, "no"),
            "F": Failed(shard, ASKED, "cut", "why"),
        }
        return others.get(letter) or Saved(shard, ASKED, proof, 1, 1, 1, 1, "", 1, "", "")

    found = zip(SHARDS, outcomes, strict=False)
    days = {shard: Entry(outcome(shard, letter), AT) for shard, letter in found if letter != "-"}
    return cast(Store, SimpleNamespace(ledger=SimpleNamespace(days=days), boundaries=boundaries))


@pytest.mark.parametrize(
    ("outcomes", "codes", "strictly"),
    [
        ("SSSSS", set(), set()),
        ("SSEES", set(), set()),
        ("SSFSS", {3}, {3}),
        ("SSRRR", {7}, {7}),
        ("SSFRR", {3}, {3}),
        ("SSnSS", set(), {3}),
        ("SrSaS", set(), {3}),
        ("SSSnR", {7}, {3, 7}),
        ("SS-SS", set(), set()),
    ],
)
def test_outcomes_decide_the_exit_code(outcomes: str, codes: set[int], strictly: set[int]) -> None:
    """3 if days failed; 7 if some were refused and none failed; strictly 3 also without full proof."""
    store = a_store(outcomes)
    assert outcome_codes(store, WISH, strict=False) == codes
    assert outcome_codes(store, WISH, strict=True) == strictly


def test_days_beyond_a_boundary_count_as_what_they_are() -> None:
    """The vendor's do not spoil a 0; the tier's are refused."""
    for kind, codes in (("vendor", set()), ("tier", {7})):
        assert outcome_codes(a_store("SS", (Boundary(HOURLY, kind, DAYS[3]),)), WISH, strict=True) == codes


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ({1, 3}, 1),
        ({1, 11}, 1),
        ({1, 8}, 8),
        ({3, 11}, 11),
        ({4, 130}, 130),
        ({11, 143}, 143),
        ({5, 7}, 5),
        ({7, 3}, 7),
        ({3}, 3),
        (set(), 0),
    ],
)
def test_of_several_codes_one_is_told(codes: set[int], told: int) -> None:
    """A run that we ended by our own mistake has not "finished, but days failed"."""
    assert worst(codes) == told


def test_of_several_errors_the_one_is_told_whose_code_is() -> None:
    """However a TaskGroup has wrapped them."""
    gone = DriveGone("gone")
    inner = ExceptionGroup("", [ThetabulkError("ours"), gone])
    assert first_error(ExceptionGroup("", [AccountError("taken"), inner])) is gone  # type: ignore[list-item]
    assert first_error(ExceptionGroup("", [gone])) is gone


# Time


@pytest.mark.parametrize(
    ("clock_time", "at", "seconds"),
    [
        ("07:30", (6, 0), 5_400.0),
        ("07:30", (7, 30), 86_400.0),
        ("07:30", (23, 30), 28_800.0),
        ("00:00", (23, 59), 60.0),
    ],
)
def test_until_is_the_next_time_that_the_clock_shows_it(clock_time: str, at: tuple[int, int], seconds: float) -> None:
    """Today, or tomorrow; never now."""
    assert seconds_until(clock_time, datetime(2026, 11, 20, *at)) == seconds  # noqa: DTZ001


# Signals


class Stoppable:
    """Notes who wanted it to stop."""

    def __init__(self) -> None:
        self.stops: list[tuple[str, int]] = []
        self.told = asyncio.Event()

    def stop(self, reason: str, code: int) -> None:
        self.stops.append((reason, code))
        self.told.set()


@contextmanager
def handler_of(number: signal.Signals, handler: object) -> Iterator[None]:
    before = signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_stops_the_walk_and_does_afterwards_what_it_did_before(name: str, code: int) -> None:
    """Every one of them, as often as it comes."""
    number = signal.Signals[name]
    pipeline = Stoppable()

    def mine(*_: object) -> None:
        raise AssertionError("the walk has ended, or not begun")

    async def walk() -> None:
        with downloads._stopped_by_signals(cast(Pipeline, pipeline)):
            for _ in range(2):
                signal.raise_signal(number)
                await asyncio.wait_for(pipeline.told.wait(), 10)
                pipeline.told.clear()

    with handler_of(number, mine):
        asyncio.run(walk())
        assert signal.getsignal(number) is mine
    assert pipeline.stops == [(name, code)] * 2


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """`nohup thetabulk …`: the run outlives the terminal window."""
    pipeline = Stoppable()

    async def walk() -> None:
        with downloads._stopped_by_signals(cast(Pipeline, pipeline)):
            signal.raise_signal(signal.SIGHUP)
            for _ in range(10):
                await asyncio.sleep(0)

    with handler_of(signal.SIGHUP, signal.SIG_IGN):
        asyncio.run(walk())
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert pipeline.stops == []


# The run itself


def a_run(path: Path, orders: Orders, **settings: object) -> tuple[downloads._Run, list[Event]]:
    flags = {"store.path": str(path)} | {name.replace("__", "."): value for name, value in settings.items()}
    events: list[Event] = []
    return downloads._Run(config.load(None, {}, flags), orders, events.append, awake=False), events


def test_a_few_days_to_repair_are_walked_among_their_neighbours(tmp_path: Path) -> None:
    """Twenty repaired days that are empty now are no twenty sessions in a row: between them lie others."""
    small_store(tmp_path / "store")
    run, _ = a_run(tmp_path / "store", Orders("repair", only=(SHARDS[0], SHARDS[4])))
    with writing(tmp_path / "store") as store:
        for shard in (SHARDS[0], SHARDS[4]):
            store.ledger.record(Failed(shard, ASKED, "missing", "gone"), AT)
        wish = wish_of_shards((SHARDS[0], SHARDS[4]))
        walk = run._walk_over(store, HOURLY, wish.days[HOURLY], run._plan(store, wish))
    assert walk.days == tuple(reversed(DAYS))
    assert walk.days_of("saved") == walk.days[1:4]
    asked = []
    while (day := walk.next_day()) is not None:
        asked.append(day)
        walk.started(day)
        walk.finished(day, "empty")
    assert asked == [walk.days[0], walk.days[4]]
    assert walk.exhausted
    assert walk.done


def test_failed_only_asks_for_nothing_but_what_failed(tmp_path: Path) -> None:
    """Days that were never asked for stay pending, and days that could be asked again are left."""
    small_store(tmp_path / "store", days=DAYS[1:4])
    run, _ = a_run(tmp_path / "store", Orders("resume", failed_only=True))
    with writing(tmp_path / "store") as store:
        store.ledger.record(Failed(SHARDS[2], ASKED, "cut", "why"), AT)
        plan = run._plan(store, WISH)
        walk = run._walk_over(store, HOURLY, WISH.days[HOURLY], plan)
    assert plan.todo == (SHARDS[2],)
    assert walk.next_day() == SHARDS[2].day
    walk.started(SHARDS[2].day)
    assert walk.next_day() is None
    assert walk.exhausted


def test_how_a_run_ended_is_told_whatever_ended_it(tmp_path: Path) -> None:
    """A signal outranks what came after it; what ended by our mistake is no "finished, but days failed"."""
    small_store(tmp_path / "store")
    for codes, error, told in (
        ({130}, DriveGone("gone"), 130),
        (set(), AskedWrongly("wrong", hint="the request"), 1),
        (set(), None, 3),
        ({11}, None, 11),
    ):
        run, events = a_run(tmp_path / "store", Orders("resume"))
        run._ending = Ending(codes)
        with writing(tmp_path / "store") as store:
            store.ledger.record(Failed(SHARDS[2], ASKED, "asked-wrongly", "why"), AT)
            assert run._finish(store, WISH, error) == told
        assert isinstance(events[-1], RunFinished)
        assert events[-1].exit_code == told
        assert any(isinstance(event, Notice) and "the request" in event.message for event in events) is (told == 1)
