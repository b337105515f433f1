"""`thetabulk store info|rebuild`: what a store is; the ledger from the files alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.small_store import (
    AT,
    CONTRACTS,
    DAYS,
    HOURLY,
    answer,
    keep_aside,
    reading,
    save,
    small_store,
    writing,
)
from thetabulk.cli.app import main
from thetabulk.model import Asked, Boundary, Collection, Empty, Job, Saved, Shard

FORMATS = ("parquet", "csv", "csv.zst")


def rebuild(capsys: pytest.CaptureFixture[str], store: Path, *, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["store", "rebuild", "--store", str(store), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def saved_in(path: Path) -> dict[Shard, Saved]:
    with reading(path) as store:
        found = {shard: entry.outcome for shard, entry in store.ledger.days.items()}
    return {shard: outcome for shard, outcome in found.items() if isinstance(outcome, Saved)}


def test_info_says_what_the_store_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Identity, sizes, the ledger's lines; for people the same with units."""
    small_store(tmp_path / "s", "csv")
    assert main(["store", "info", "--store", str(tmp_path / "s"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    size = len(answer(Shard(HOURLY, DAYS[0])))
    assert {name: document[name] for name in ("format", "source", "mirror", "saved", "ledger_lines", "jobs")} == {
        "format": "csv", "source": "terminal", "mirror": False, "saved": 5, "ledger_lines": 5, "jobs": 0
    }  # fmt: skip
    assert abs(document["stored_bytes"] - 5 * size) < 10
    assert document["collections"] == ["QQQ option/quote/1h"]
    assert main(["store", "info", "--store", str(tmp_path / "s")]) == 0
    told = capsys.readouterr().out
    assert f"store           {document['store']}" in told
    assert max(map(len, told.splitlines()[1:])) <= 80
    assert main(["store", "info", "--store", str(tmp_path / "none")]) == 2


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("loss", ["gone", "emptied", "noise"])
def test_the_ledger_comes_back_from_the_files(
    file_format: str, loss: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sizes, hashes, rows, contracts, proof and request as before; what the old file held is kept."""
    small_store(tmp_path / "s", file_format)
    before = saved_in(tmp_path / "s")
    ledger = tmp_path / "s" / ".thetabulk" / "ledger.jsonl"
    if loss == "gone":
        ledger.unlink()
    else:
        ledger.write_bytes(b"" if loss == "emptied" else b"\x00\xff" * 500 + b"\n")
    document = rebuild(capsys, tmp_path / "s")
    assert (document["days"], document["problems"], document["lost"]) == (5, [], {})
    after = saved_in(tmp_path / "s")
    assert after.keys() == before.keys()
    for shard, saved in after.items():
        for name in ("proof", "rows", "contracts", "bytes", "sha256", "vendor_bytes", "vendor_xxh3", "content"):
            assert getattr(saved, name) == getattr(before[shard], name)
        assert saved.asked.request == before[shard].asked.request
    with reading(tmp_path / "s") as store:
        assert len(store.ledger.contracts) == 5
    assert main(["verify", "--deep", "--store", str(tmp_path / "s")]) == 0
    assert list((tmp_path / "s" / ".thetabulk" / "tmp").iterdir()) == []


def test_what_no_file_says_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Empty days, boundaries and jobs are not in the new ledger; the old one is kept, byte for byte."""
    small_store(tmp_path / "s")
    with writing(tmp_path / "s") as store:
        store.ledger.record(Empty(Shard(HOURLY, DAYS[0].replace(day=1)), Asked("q")), AT)
        store.ledger.record_boundary(Boundary(HOURLY, "vendor", DAYS[0]), AT)
        store.ledger.record_job(Job("one", (HOURLY,), DAYS[0], DAYS[4]), AT)
        old = store.ledger.path.read_bytes()
    assert main(["store", "rebuild", "--store", str(tmp_path / "s")]) == 0
    told = capsys.readouterr().out
    assert "5 days recorded from files" in told
    assert "because no file says it: 1 empty, 1 boundaries, 1 jobs" in told
    [kept] = (tmp_path / "s" / ".thetabulk").glob("ledger.jsonl.before-rebuild-*")
    assert kept.read_bytes() == old


def test_selections_and_symbols_come_from_path_and_footer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Another collection and a symbol that is no file name are found again as they were."""
    small_store(tmp_path / "s", days=DAYS[:1])
    other = Shard(Collection("option/quote/1h", "max_dte=60,right=call", "BRK/B"), DAYS[1])
    with writing(tmp_path / "s") as store:
        save(store, other, answer(other, contracts=(CONTRACTS[0], CONTRACTS[2])))
    before = saved_in(tmp_path / "s")
    assert rebuild(capsys, tmp_path / "s")["days"] == 2
    after = saved_in(tmp_path / "s")
    assert after[other].asked.request == before[other].asked.request
    assert "max_dte=60" in after[other].asked.request


def test_files_that_are_not_whole_stay_where_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Damaged, another day under this name, a day that lacks contracts: told, exit code 10, nothing moved."""
    small_store(tmp_path / "s")
    files = sorted((tmp_path / "s" / "option").rglob("*.parquet"))
    damaged = bytearray(files[0].read_bytes())
    damaged[damaged.rfind(b"\x28\xb5\x2f\xfd") + 8] ^= 1
    files[0].write_bytes(damaged)
    files[1].write_bytes(files[2].read_bytes())
    with writing(tmp_path / "s") as store:
        shard = Shard(HOURLY, DAYS[3])
        lacking = keep_aside(store, shard, answer(shard, contracts=CONTRACTS[:1]))
        (tmp_path / "s" / lacking.kept).replace(files[3])
    files[4].with_name(f"._{files[4].name}").write_bytes(b"twin")
    contents = {file: file.read_bytes() for file in files}
    document = rebuild(capsys, tmp_path / "s", code=10)
    assert [entry["day"] for entry in document["problems"]] == ["2024-07-29", "2024-07-30", "2024-08-01"]
    assert "a row of 2024-07-31" in document["problems"][1]["problem"]
    assert "2 of 3 listed contracts are absent" in document["problems"][2]["problem"]
    assert (document["days"], document["lost"]) == (2, {"saved": 2, "failed": 1})
    assert {file: file.read_bytes() for file in files} == contents


def test_a_run_is_not_disturbed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody is writing: info works, rebuild is exit code 9."""
    small_store(tmp_path / "s")
    with writing(tmp_path / "s"):
        assert main(["store", "info", "--store", str(tmp_path / "s")]) == 0
        assert main(["store", "rebuild", "--store", str(tmp_path / "s")]) == 9
    assert "is working on this store" in capsys.readouterr().err


def test_a_crash_in_the_middle_leaves_a_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the new ledger is in place: the old one is there, and a second rebuild is as good as the first."""
    from thetabulk.store.disk import Disk

    small_store(tmp_path / "s")
    before = saved_in(tmp_path / "s")
    real = Disk.replace

    def killed(disk: Disk, source: Path, target: Path) -> None:
        if target.name == "ledger.jsonl":
            raise KeyboardInterrupt
        real(disk, source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Disk, "replace", killed)
        assert main(["store", "rebuild", "--store", str(tmp_path / "s")]) == 130
    assert saved_in(tmp_path / "s") == before
    assert rebuild(capsys, tmp_path / "s")["days"] == 5
