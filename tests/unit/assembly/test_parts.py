"""What a run's parts do with a store: lists, evidence of earlier answers, and a drive that fails between two lines."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from tests.cli.small_store import DAYS, HOURLY, answer, small_store, writing
from tests.unit.assembly.bench import LACKING, Terminal, on_a_faulty_drive, parts_over
from tests.unit.store.faulty_os import FaultyOs
from tests.virtual_time import in_virtual_time, now
from thetabulk.assembly.parts import Grids, RunParts
from thetabulk.assembly.reconciling import reconcile_store
from thetabulk.assembly.stores import Store
from thetabulk.config import RunConfig
from thetabulk.errors import BadAnswer, DriveGone, TerminalAnswer, TransferFailed
from thetabulk.events import Event, Paused
from thetabulk.model import Asked, Empty, Failed, Outcome, Proof, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.run.pipeline import Pipeline, Stopped
from thetabulk.run.walk import Walk
from thetabulk.store.layout import kept_path

SHARD = Shard(HOURLY, DAYS[4])
SETTINGS = RunConfig(pause_poll_s=2.0, pause_limit_s=3600.0)
_SYNC = "fdatasync" if hasattr(os, "fdatasync") else "fsync"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty store."""
    small_store(tmp_path / "store", days=())
    return tmp_path / "store"


async def fetched(parts: RunParts, shard: Shard = SHARD) -> Outcome:
    outcome = await parts.fetch(shard)
    parts.record(outcome)
    return outcome


def remembered(store: Store, shard: Shard = SHARD) -> Outcome:
    return store.ledger.days[shard].outcome


def kept_file(store: Store) -> Path:
    return store.volume.path(kept_path(SHARD, store.format))


# An answer that lacks something


@in_virtual_time
async def test_a_lacking_answer_is_doubted_kept_aside_and_replaced_by_a_better_one(place: Path) -> None:
    """Asked, asked again, kept; the next run asks once more, gets the whole day, and nothing of the other stays."""
    terminal = Terminal()
    lacking = answer(SHARD, contracts=LACKING)
    with writing(place) as store:
        parts = parts_over(store, terminal)
        terminal.days[SHARD.day] = [lacking]
        first = await fetched(parts)
        assert isinstance(first, Failed)
        assert (first.kind, kept_file(store).exists()) == ("unconfirmed", False)
        second = await fetched(parts)
        assert isinstance(second, Failed)
        assert (second.kind, second.content, kept_file(store).is_file()) == ("incomplete", first.content, True)
    with writing(place) as store:
        terminal.days[SHARD.day] = [answer(SHARD)]
        third = await fetched(parts_over(store, terminal))
        assert isinstance(third, Saved)
        assert third.proof is Proof.FULL
        assert store.file_of(SHARD).is_file()
        assert not kept_file(store).exists()


@in_virtual_time
async def test_the_same_lacking_answer_in_the_next_run_is_kept_aside_again(place: Path) -> None:
    """It needs no third confirmation; what was kept is replaced."""
    terminal = Terminal()
    terminal.days[SHARD.day] = [answer(SHARD, contracts=LACKING)]
    with writing(place) as store:
        for kind in ("unconfirmed", "incomplete", "incomplete"):
            outcome = await fetched(parts_over(store, terminal))
            assert isinstance(outcome, Failed)
            assert outcome.kind == kind
        assert kept_file(store).is_file()


@pytest.mark.parametrize(
    "trouble",
    [TransferFailed("cut", kind="cut"), BadAnswer("HTML", kind="text"), TerminalAnswer(500, "oops"), KeyError("ours")],
    ids=repr,
)
@in_virtual_time
async def test_a_request_that_fails_takes_nothing_from_an_earlier_answer(place: Path, trouble: Exception) -> None:
    """It is no news about the day's content: `accept` still finds what was kept, and a confirmation still counts."""
    terminal = Terminal()
    lacking = answer(SHARD, contracts=LACKING)
    terminal.days[SHARD.day] = [lacking, lacking, trouble, lacking]
    with writing(place) as store:
        parts = parts_over(store, terminal, attempts=1)
        await fetched(parts)
        kept = await fetched(parts)
        assert isinstance(kept, Failed)
        if isinstance(trouble, KeyError):
            with pytest.raises(KeyError):
                await parts.fetch(SHARD)
            parts.record(Failed(SHARD, Asked(""), "internal", "ours"))
        else:
            await fetched(parts)
        after = remembered(store)
        assert isinstance(after, Failed)
        assert after.kind != "incomplete"
        assert (after.content, after.kept) == (kept.content, kept.kept)
        again = await fetched(parts)
        assert isinstance(again, Failed)
        assert again.kind == "incomplete"


@in_virtual_time
async def test_another_lacking_answer_is_what_the_next_one_is_compared_with(place: Path) -> None:
    """The answer that is kept aside stays there until the new one is confirmed."""
    terminal = Terminal()
    other = answer(SHARD, contracts=LACKING[:1])
    lacking = answer(SHARD, contracts=LACKING)
    terminal.days[SHARD.day] = [lacking, lacking, other]
    with writing(place) as store:
        parts = parts_over(store, terminal)
        kinds = [(await fetched(parts)).kind for _ in range(4)]  # type: ignore[union-attr]
        assert kinds == ["unconfirmed", "incomplete", "unconfirmed", "incomplete"]
        after = remembered(store)
        assert isinstance(after, Failed)
        assert after.kept


@in_virtual_time
async def test_empty_days_are_counted_over_runs(place: Path) -> None:
    """The ledger knows since when."""
    terminal = Terminal()
    terminal.days[SHARD.day] = [TerminalAnswer(472, "No data found for your request")]
    with writing(place) as store:
        await fetched(parts_over(store, terminal))
    with writing(place) as store:
        outcome = await fetched(parts_over(store, terminal))
    assert isinstance(outcome, Empty)
    assert outcome.checks == 2


# Contract lists


@in_virtual_time
async def test_a_contract_list_is_asked_for_once_and_kept(place: Path) -> None:
    """The next dataset of the day, and `verify`, find it in the store."""
    terminal = Terminal()
    with writing(place) as store:
        parts = parts_over(store, terminal)
        listed = await parts.contracts(SHARD)
        assert listed is not None
        assert len(listed) == 3
        assert store.ledger.contracts["QQQ", SHARD.day].count == 3
        assert await parts.contracts(SHARD) == listed
    assert terminal.lists_asked == [SHARD.day]


@pytest.mark.parametrize(
    "told",
    [
        TerminalAnswer(403, "requires a value subscription"),
        TerminalAnswer(472, "No data found for your request"),
        TransferFailed("cut", kind="cut"),
        b"<html>",
        b"symbol,expiration,strike,right\n",
        b"",
    ],
    ids=repr,
)
@in_virtual_time
async def test_a_list_that_cannot_be_had_costs_the_proof_and_not_the_day(place: Path, told: bytes | Exception) -> None:
    """Refused, failing, empty: saved all the same."""
    terminal = Terminal()
    terminal.lists[SHARD.day] = told
    with writing(place) as store:
        outcome = await fetched(parts_over(store, terminal))
        assert isinstance(outcome, Saved)
        assert outcome.proof is Proof.NO_CONTRACT_LIST
        assert store.ledger.contracts == {}


@in_virtual_time
async def test_a_drive_that_does_not_give_its_lists_is_gone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It pauses the run; it is no mistake of ours that costs the day."""

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    with writing(place) as store:
        parts = parts_over(store, Terminal())
        monkeypatch.setattr("thetabulk.store.contract_lists.ContractLists.read", fails)
        with pytest.raises(DriveGone):
            await parts.contracts(SHARD)


@in_virtual_time
async def test_a_run_that_stops_sends_nothing(place: Path) -> None:
    """The pipeline hears that there is no outcome."""
    terminal = Terminal()
    with writing(place) as store:
        parts = parts_over(store, terminal)
        parts.drain()
        with pytest.raises(Stopped):
            await parts.fetch(SHARD)
    assert (terminal.asked, terminal.lists_asked) == ([], [])


# The drive fails between the file and its line


def a_pipeline(store: Store, terminal: Terminal, events: list[Event]) -> Pipeline:
    parts = parts_over(store, terminal, events)
    walk = Walk(HOURLY, DAYS)
    return Pipeline([walk], parts, SETTINGS, workers=2, emit=events.append, monotonic=now)


@in_virtual_time
async def test_a_ledger_that_cannot_be_synced_pauses_the_run_and_is_opened_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second sync would lie, so what is on the drive is read again; then the run goes on, and no day is lost."""
    events: list[Event] = []
    terminal = Terminal()
    with FaultyOs() as calls, on_a_faulty_drive(place, calls, monkeypatch) as store:
        calls.arm(4, OSError(errno.EIO, "input/output error"), named=_SYNC)
        ending = await a_pipeline(store, terminal, events).run()
        assert calls.count > 4
    assert ending.codes == set()
    assert [type(event) for event in events if isinstance(event, Paused)] == [Paused]
    assert sorted(terminal.asked) == list(DAYS)
    with writing(place) as store:
        assert [type(remembered(store, Shard(HOURLY, day))) for day in DAYS] == [Saved] * 5
        assert store.notes == []
        assert reconcile_store(store, [], Grids(Calendar.load())) == []


@in_virtual_time
async def test_a_ledger_that_finds_no_room_pauses_the_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is written when there is room again; the file waits for it in its place."""
    events: list[Event] = []
    with FaultyOs() as calls, on_a_faulty_drive(place, calls, monkeypatch) as store:
        ledger = store.ledger._descriptor
        full = [True]

        def write(descriptor: int, content: bytes) -> int:
            if descriptor == ledger and full[0]:
                raise OSError(errno.ENOSPC, "no space left on device")
            return os.write(descriptor, content)

        calls.instead["write"] = write
        asyncio.get_running_loop().call_later(5.0, full.__setitem__, 0, False)
        await a_pipeline(store, Terminal(), events).run()
    assert any(isinstance(event, Paused) and event.cause == "DiskFull" for event in events)
    with writing(place) as store:
        assert all(isinstance(remembered(store, Shard(HOURLY, day)), Saved) for day in DAYS)


@in_virtual_time
async def test_a_file_whose_line_was_never_written_is_adopted_by_the_next_start(place: Path) -> None:
    """Killed between the two, or stopped while the drive was gone: the day is not asked for again."""
    terminal = Terminal()
    with writing(place) as store:
        lost = await parts_over(store, terminal).fetch(SHARD)
    assert isinstance(lost, Saved)
    with writing(place) as store:
        [note] = reconcile_store(store, [SHARD], Grids(Calendar.load()))
        assert "adopted" in note
        found = remembered(store)
        assert isinstance(found, Saved)
        assert (found.sha256, found.content, found.vendor_xxh3, found.proof, found.asked.request) == (
            lost.sha256, lost.content, lost.vendor_xxh3, Proof.FULL, lost.asked.request
        )  # fmt: skip
