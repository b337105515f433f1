"""Commands that need a Terminal, against the simulator: repairs, updates, and what they leave on the drive."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.small_store import reading, writing
from tests.cli.terminal import simulated_terminal
from thetabulk.assembly import clock
from thetabulk.cli.app import main
from thetabulk.model import Proof, Saved
from thetabulk.simulator.server import Simulator

QUOTES = ["QQQ", "--interval", "1h"]


@pytest.fixture(scope="module")
def terminal() -> Iterator[Simulator]:
    with simulated_terminal() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch, terminal: Simulator) -> None:
    """No gap between requests, and the one Terminal for every command; it is Thursday, 2024-08-01."""
    monkeypatch.setenv("THETABULK_FETCH_LAUNCH_GAP_S", "0")
    monkeypatch.setenv("THETABULK_SCREEN_KEEP_AWAKE", "false")
    monkeypatch.setenv("THETABULK_URL", terminal.url)
    today(monkeypatch, 1)


def today(monkeypatch: pytest.MonkeyPatch, day: int) -> None:
    """Noon of a day in August 2024."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2024, 8, day, 16, tzinfo=UTC))


def download(store: Path) -> None:
    """Three settled days, Monday to Wednesday."""
    assert main(["download", *QUOTES, "--from", "2024-07-29", "--store", str(store), "--quiet"]) == 0


def verify(capsys: pytest.CaptureFixture[str], store: Path, *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["verify", *arguments, "--store", str(store), "--json", "--quiet"]) == code
    return json.loads(capsys.readouterr().out)


def contents(store: Path) -> dict[str, bytes]:
    files = sorted((store / "option").rglob("*.parquet"))
    return {file.name: file.read_bytes() for file in files}


def test_a_damaged_store_is_whole_again_after_one_repair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flipped bit, a cut file and a missing one: fetched again, proven again, byte for byte as before."""
    store = tmp_path / "s"
    download(store)
    whole = contents(store)
    first, second, third = sorted((store / "option").rglob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-900] + b"X" + first.read_bytes()[-899:])
    second.write_bytes(second.read_bytes()[:1_000])
    third.unlink()
    document = verify(capsys, store, "--repair")
    assert [entry["day"] for entry in document["repaired"]] == ["2024-07-29", "2024-07-30", "2024-07-31"]
    assert contents(store) == whole
    assert len(list((store / ".thetabulk" / "quarantine").rglob("*.parquet"))) == 2
    document = verify(capsys, store, "--deep")
    assert (document["checked"], document["unproven"]) == (3, [])
    with reading(store) as opened:
        assert len(opened.ledger.jobs) == 1  # a repair is no job


def test_a_missing_contract_list_is_asked_for_on_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """A day that was saved without its list: the next repair proves it, and the file is not touched."""
    store = tmp_path / "s"
    download(store)
    before = contents(store)
    [kept] = (store / ".thetabulk" / "contracts").rglob("2024-07-30.csv.zst")
    kept.unlink()
    with writing(store) as opened:
        [saved] = [entry.outcome for shard, entry in opened.ledger.days.items() if shard.day.day == 30]
        assert isinstance(saved, Saved)
        opened.ledger.record(replace(saved, proof=Proof.NO_CONTRACT_LIST), clock.now())
    assert [entry["day"] for entry in verify(capsys, store)["unproven"]] == ["2024-07-30"]
    assert verify(capsys, store, "--repair")["unproven"] == []
    assert contents(store) == before


def test_without_a_terminal_a_repair_ends_with_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report is there, the damaged file is kept aside, and a later repair goes on where this one stopped."""
    store = tmp_path / "s"
    download(store)
    whole = contents(store)
    file = next((store / "option").rglob("*07-30.parquet"))
    file.write_bytes(b"PAR1" + bytes(file.stat().st_size - 4))
    arguments = ["verify", "--repair", "--store", str(store), "--json", "--url", "http://127.0.0.1:9"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THETABULK_TERMINAL_START_WAIT_S", "0")
        assert main(arguments) == 8
    told = capsys.readouterr()
    assert [entry["day"] for entry in json.loads(told.out)["missing"]] == ["2024-07-30"]
    assert "no Theta Terminal answers" in told.err
    assert [entry["day"] for entry in verify(capsys, store, "--repair")["repaired"]] == ["2024-07-30"]
    assert contents(store) == whole


def test_update_goes_to_the_last_settled_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days that have settled since are fetched; the job grows, and stays one job."""
    store = tmp_path / "s"
    download(store)
    today(monkeypatch, 3)
    assert main(["update", "--store", str(store), "--quiet"]) == 0
    assert sorted(contents(store)) == [
        f"QQQ-2024-{day}.parquet" for day in ("07-29", "07-30", "07-31", "08-01", "08-02")
    ]
    assert main(["update", "--store", str(store), "--quiet"]) == 0
    with reading(store) as opened:
        [job] = opened.ledger.jobs.values()
    assert (str(job.first), str(job.last)) == ("2024-07-29", "2024-08-02")
    capsys.readouterr()
    assert main(["status", "--store", str(store), "--max-age", "1", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)["collections"]
    assert (row["sessions"], row["saved"], row["proven"]) == (5, 5, 5)


def test_an_older_job_of_the_collection_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranges with a gap between: an update goes on from the newer one, and leaves the gap alone."""
    store = tmp_path / "s"
    ranges = (["--from", "2024-07-15", "--to", "2024-07-16"], ["--from", "2024-07-30"])
    for days in ranges:
        assert main(["download", *QUOTES, *days, "--store", str(store), "--quiet"]) == 0
    today(monkeypatch, 2)
    assert main(["update", "--store", str(store), "--quiet"]) == 0
    assert sorted(contents(store)) == [
        f"QQQ-2024-{day}.parquet" for day in ("07-15", "07-16", "07-30", "07-31", "08-01")
    ]


def test_after_a_rebuild_nothing_is_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], terminal: Simulator
) -> None:
    """The same download finds every day done."""
    store = tmp_path / "s"
    download(store)
    (store / ".thetabulk" / "ledger.jsonl").unlink()
    assert main(["store", "rebuild", "--store", str(store), "--quiet"]) == 0
    asked = len(terminal.requests)
    download(store)
    assert not [one for one in terminal.requests[asked:] if "/history/" in one.path]
    capsys.readouterr()
    assert main(["plan", *QUOTES, "--from", "2024-07-29", "--store", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["collections"][0]["todo"] == 0
