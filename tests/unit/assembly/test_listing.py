"""Contract lists that were missing: asked for again, and what they prove."""

from pathlib import Path

import pytest

from tests.cli.small_store import CONTRACTS, DAYS, HOURLY, answer, contract_list, save, small_store, writing
from tests.unit.assembly.bench import Terminal, parts_over
from tests.virtual_time import in_virtual_time
from thetabulk.assembly.listing import ask_missing_lists
from thetabulk.errors import DriveGone, TerminalAnswer
from thetabulk.events import Event, Notice
from thetabulk.model import Empty, Failed, Proof, Saved, Shard

SHARDS = [Shard(HOURLY, day) for day in DAYS]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store with two proven days, and two without a list."""
    small_store(tmp_path / "store", days=DAYS[:2])
    with writing(tmp_path / "store") as store:
        for shard in SHARDS[2:4]:
            assert save(store, shard, listed=False).proof is Proof.NO_CONTRACT_LIST
    return tmp_path / "store"


async def ask(place: Path, terminal: Terminal) -> tuple[int, list[Event], list[Saved]]:
    events: list[Event] = []
    with writing(place) as store:
        mended = await ask_missing_lists(store, parts_over(store, terminal).contracts, SHARDS, events.append)
        found = [store.ledger.days[shard].outcome for shard in SHARDS[:4]]
    return mended, events, [one for one in found if isinstance(one, Saved)]


@in_virtual_time
async def test_a_day_that_agrees_with_its_list_is_proven(place: Path) -> None:
    """Only days that lacked one are asked about; nothing but the proof changes."""
    terminal = Terminal()
    mended, events, days = await ask(place, terminal)
    assert mended == 2
    assert terminal.lists_asked == list(DAYS[2:4])
    assert terminal.asked == []
    assert [day.proof for day in days] == [Proof.FULL] * 4
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "2 days were compared with contract lists that had been missing"
    ]


@in_virtual_time
async def test_a_day_with_more_than_its_list_says_so(place: Path) -> None:
    """It stays saved, with the difference as a remark."""
    terminal = Terminal()
    terminal.lists[DAYS[3]] = contract_list("QQQ", CONTRACTS[:2])
    _, _, days = await ask(place, terminal)
    assert [day.proof for day in days[2:]] == [Proof.FULL, Proof.REMARKS]
    assert "not in the vendor's list" in days[3].remarks[0]


@in_virtual_time
async def test_a_day_that_lacks_contracts_does_not_stay_saved(place: Path) -> None:
    """With the list at hand it would not have been: a cut between two contracts shows in nothing else."""
    terminal = Terminal()
    terminal.lists[DAYS[2]] = contract_list("QQQ", (*CONTRACTS, ("2024-10-18", "470.000", "PUT")))
    _, events, days = await ask(place, terminal)
    assert [day.shard for day in days] == [*SHARDS[:2], SHARDS[3]]
    with writing(place) as store:
        failed = store.ledger.days[SHARDS[2]].outcome
        assert isinstance(failed, Failed)
        assert (failed.kind, (store.volume.root / failed.kept).read_bytes()[:4]) == ("incomplete", b"PAR1")
        assert not store.file_of(SHARDS[2]).exists()
    assert any("1 of 4 listed contracts are absent" in event.message for event in events if isinstance(event, Notice))


@in_virtual_time
async def test_a_list_that_is_still_not_to_be_had_changes_nothing(place: Path) -> None:
    """The next run asks again."""
    terminal = Terminal()
    terminal.lists = dict.fromkeys(DAYS, TerminalAnswer(403, "requires a value subscription"))
    mended, events, days = await ask(place, terminal)
    assert (mended, events) == (0, [])
    assert [day.proof for day in days[2:]] == [Proof.NO_CONTRACT_LIST] * 2


@in_virtual_time
async def test_a_file_that_cannot_be_read_is_told_and_left_to_verify(place: Path) -> None:
    """The other day is compared all the same."""
    with writing(place) as store:
        store.file_of(SHARDS[2]).write_bytes(b"nonsense")
    mended, events, days = await ask(place, Terminal())
    assert mended == 1
    assert [day.proof for day in days[2:]] == [Proof.NO_CONTRACT_LIST, Proof.FULL]
    assert any("verify" in event.message for event in events if isinstance(event, Notice))


@in_virtual_time
async def test_a_drive_that_is_gone_is_no_unreadable_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the asking, with the drive's own error."""

    def fails(*_: object) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr("thetabulk.store.weighing.stored_contracts", fails)
    with pytest.raises(DriveGone):
        await ask(place, Terminal())


@in_virtual_time
async def test_days_without_data_are_not_asked_about(place: Path) -> None:
    """Nor those that nobody has asked for."""
    terminal = Terminal()
    terminal.days[DAYS[4]] = [TerminalAnswer(472, "No data found for your request"), answer(SHARDS[4])]
    with writing(place) as store:
        parts = parts_over(store, terminal)
        outcome = await parts.fetch(SHARDS[4])
        assert isinstance(outcome, Empty)
        parts.record(outcome)
        terminal.lists_asked.clear()
        await ask_missing_lists(store, parts.contracts, SHARDS, lambda event: None)
    assert terminal.lists_asked == list(DAYS[2:4])
