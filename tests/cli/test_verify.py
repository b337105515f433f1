"""`thetabulk verify`: what lies on the drive against what was recorded. No read error is damage."""

import errno
import json
import os
from collections.abc import Callable
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
    make,
    reading,
    save,
    small_store,
    writing,
)
from thetabulk.assembly import downloads
from thetabulk.assembly.downloads import Orders
from thetabulk.cli.app import main
from thetabulk.config import Resolved
from thetabulk.errors import TerminalUnavailable
from thetabulk.events import Emit
from thetabulk.ledger.lock import Lock
from thetabulk.model import Asked, Empty, Failed, Proof, Saved, Shard
from thetabulk.store.disk import Disk

FORMATS = ("parquet", "csv", "csv.zst")
DEPTHS = ("--quick", "--full", "--deep")


def file_of(store: Path, day: int, file_format: str = "parquet") -> Path:
    return store / f"option/quote/1h/symbol=QQQ/year=2024/QQQ-{DAYS[day]}.{file_format}"


def flip(file: Path, place: int) -> None:
    """One bit is another; the size is the same."""
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


def verify(capsys: pytest.CaptureFixture[str], store: Path, *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["verify", *arguments, "--store", str(store), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def everything(store: Path) -> dict[str, tuple[bytes, int]]:
    """Every file, its bytes and its time: a check changes none of them."""
    files = [path for path in store.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_good_store_is_good(
    file_format: str, depth: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Whatever its format, however deep one looks; `._` twins and foreign files beside the data do not matter."""
    small_store(tmp_path / "s", file_format)
    day = file_of(tmp_path / "s", 0, file_format)
    for name in (f"._{day.name}", ".DS_Store", "notes.txt", f"{day.stem} copy.{file_format}"):
        day.with_name(name).write_bytes(b"\x00\x05\x16\x07")
    before = everything(tmp_path / "s")
    document = verify(capsys, tmp_path / "s", depth)
    assert document == {
        "checked": 5, "bytes": document["bytes"], "damaged": [], "missing": [], "unknown": [], "unproven": []
    }  # fmt: skip
    assert document["bytes"] == sum(file_of(tmp_path / "s", day, file_format).stat().st_size for day in range(5))
    assert everything(tmp_path / "s") == before


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_flipped_bit_is_found_wherever_it_is(
    file_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the sha256; the entry is the documented one."""
    small_store(tmp_path / "s", file_format)
    file = file_of(tmp_path / "s", 1, file_format)
    for place in (0, file.stat().st_size // 3, file.stat().st_size - 1):
        flip(file, place)
        document = verify(capsys, tmp_path / "s", code=10)
        assert document["damaged"] == [
            {"dataset": "option/quote/1h", "symbol": "QQQ", "day": "2024-07-30",
             "file": file.relative_to(tmp_path / "s").as_posix(), "problem": "sha256 is not that of the ledger"}
        ]  # fmt: skip
        flip(file, place)
    assert verify(capsys, tmp_path / "s")["damaged"] == []


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_cut_file_and_a_missing_one_are_found_at_every_depth(
    depth: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one is damaged, the other missing; people get the same in words, with what to do."""
    small_store(tmp_path / "s")
    os.truncate(file_of(tmp_path / "s", 0), 100)
    file_of(tmp_path / "s", 4).unlink()
    document = verify(capsys, tmp_path / "s", depth, code=10)
    assert [entry["day"] for entry in document["damaged"]] == ["2024-07-29"]
    assert document["damaged"][0]["problem"].startswith("100 bytes, recorded with ")
    assert [(entry["day"], entry["problem"]) for entry in document["missing"]] == [
        ("2024-08-02", "the recorded file is gone")
    ]
    assert main(["verify", depth, "--store", str(tmp_path / "s")]) == 10
    told = capsys.readouterr().out
    assert "damaged (1)" in told
    assert told.endswith("next: thetabulk verify --repair\n")
    assert max(map(len, told.splitlines())) <= 80


def test_quick_reads_the_footer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of the right length that is another day's, or no Parquet at all."""
    small_store(tmp_path / "s")
    first, second = (file_of(tmp_path / "s", day) for day in range(2))
    first.write_bytes(os.urandom(first.stat().st_size))
    second.write_bytes(second.read_bytes().replace(b'"day":"2024-07-30"', b'"day":"2024-07-31"'))
    document = verify(capsys, tmp_path / "s", "--quick", code=10)
    problems = {entry["day"]: entry["problem"] for entry in document["damaged"]}
    assert problems.pop("2024-07-29").startswith("unreadable: ")
    assert problems == {"2024-07-30": "its footer says that it is QQQ option/quote/1h 2024-07-31"}


def test_deep_finds_what_a_hash_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record whose sha256 is that of the file, although the file does not print what was received."""
    small_store(tmp_path / "s", "csv")
    file = file_of(tmp_path / "s", 2, "csv")
    file.write_bytes(file.read_bytes().replace(b",20,9,", b",21,9,", 1))
    with writing(tmp_path / "s") as store:
        saved = store.ledger.days[Shard(HOURLY, DAYS[2])].outcome
        assert isinstance(saved, Saved)
        digest = store.volume.disk.digest(file)[0]
        store.ledger.record(Saved(**{**fields(saved), "sha256": digest}), store.ledger.days[saved.shard].at)
    assert verify(capsys, tmp_path / "s")["damaged"] == []
    document = verify(capsys, tmp_path / "s", "--deep", code=10)
    assert [entry["problem"] for entry in document["damaged"]] == ["it prints another CSV than was received"]


def fields(saved: Saved) -> dict[str, Any]:
    return {name: getattr(saved, name) for name in saved.__dataclass_fields__}


def test_deep_applies_the_content_rules_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A contract list that names more than what came: the day is no longer taken for proven, nor for damaged."""
    small_store(tmp_path / "s")
    with writing(tmp_path / "s") as store:
        body = "symbol,expiration,strike,right\n" + "".join(
            f'"QQQ","{expiration}",{strike},"{right}"\n'
            for expiration, strike, right in (*CONTRACTS, ("2024-12-20", "500.000", "PUT"))
        )
        store.lists.keep("QQQ", DAYS[3], body.encode())
    assert verify(capsys, tmp_path / "s")["unproven"] == []
    [entry] = verify(capsys, tmp_path / "s", "--deep")["unproven"]
    assert entry["day"] == "2024-08-01"
    assert entry["problem"].startswith("recorded as proven, but: 1 of 4 listed contracts are absent")


def test_days_without_full_proof_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They spoil the exit code only with --strict."""
    make(tmp_path / "s")
    with writing(tmp_path / "s") as store:
        save(store, Shard(HOURLY, DAYS[0]))
        save(store, Shard(HOURLY, DAYS[1]), listed=False)
    document = verify(capsys, tmp_path / "s")
    assert [(entry["day"], entry["problem"]) for entry in document["unproven"]] == [
        ("2024-07-30", "no contract list to compare with")
    ]
    assert verify(capsys, tmp_path / "s", "--strict", code=3) == document


def test_files_without_a_record_are_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A day nobody recorded, one recorded as empty, and one of another format; none is touched."""
    small_store(tmp_path / "other")
    small_store(tmp_path / "s", days=DAYS[3:])
    for day in (0, 1):
        file_of(tmp_path / "s", day).write_bytes(file_of(tmp_path / "other", day).read_bytes())
    file_of(tmp_path / "s", 2, "csv").write_bytes(b"symbol\n")
    with writing(tmp_path / "s") as store:
        store.ledger.record(Empty(Shard(HOURLY, DAYS[1]), Asked("q")), store.ledger.days[Shard(HOURLY, DAYS[3])].at)
    before = everything(tmp_path / "s")
    document = verify(capsys, tmp_path / "s")
    assert [(entry["day"], entry["problem"]) for entry in document["unknown"]] == [
        ("2024-07-29", "a file without a record"),
        ("2024-07-30", "a file of a day that is recorded as empty"),
        ("2024-07-31", "a csv file in a store of parquet"),
    ]
    assert document["checked"] == 2
    assert everything(tmp_path / "s") == before


def test_only_some_symbols_and_only_a_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A symbol in any letters; a share of the days, at least one; nonsense is told."""
    small_store(tmp_path / "s")
    assert verify(capsys, tmp_path / "s", "qqq")["checked"] == 5
    assert verify(capsys, tmp_path / "s", "--sample", "40%")["checked"] == 2
    assert verify(capsys, tmp_path / "s", "--sample", "0.1")["checked"] == 1
    for arguments, message in (
        (["SPY"], "the store has nothing of SPY"),
        (["Q Q"], "is not a symbol"),
        (["--sample", "0"], "is no share of the days"),
        (["--sample", "a lot"], "is no share of the days"),
        (["--quick", "--deep"], "choose one"),
    ):
        assert main(["verify", *arguments, "--store", str(tmp_path / "s")]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("repair", [[], ["--repair"]])
def test_a_read_error_is_the_drives_and_never_damage(
    depth: str, repair: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """EIO on one file: exit code 4; nothing is called damaged, nothing is put aside, the ledger is as it was."""
    small_store(tmp_path / "s")
    bad = file_of(tmp_path / "s", 1)
    flip(bad, bad.stat().st_size - 6)  # the footer's length: also `--quick` wants to read more
    real = Disk.digest

    def failing(disk: Disk, path: Path) -> tuple[str, int, bool]:
        if path == bad:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(disk, path)

    monkeypatch.setattr(Disk, "digest", failing)
    ledger = (tmp_path / "s" / ".thetabulk" / "ledger.jsonl").read_bytes()
    assert main(["verify", depth, *repair, "--store", str(tmp_path / "s")]) == 4
    assert "the drive does not answer" in capsys.readouterr().err
    assert bad.exists()
    assert (tmp_path / "s" / ".thetabulk" / "ledger.jsonl").read_bytes() == ledger


def test_a_drive_that_goes_away_makes_no_file_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulled in mid-check: exit code 4, not five missing days."""
    small_store(tmp_path / "s")
    real = Disk.digest

    def pulling(disk: Disk, path: Path) -> tuple[str, int, bool]:
        found = real(disk, path)
        if (tmp_path / "s").exists():
            (tmp_path / "s").rename(tmp_path / "pulled")
        return found

    monkeypatch.setattr(Disk, "digest", pulling)
    assert main(["verify", "--store", str(tmp_path / "s")]) == 4
    assert capsys.readouterr().out == ""


def test_it_takes_no_lock_unless_it_repairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside a run it only looks; what the run has saved meanwhile is not unknown. A repair waits for nobody."""
    small_store(tmp_path / "s", days=DAYS[:4])
    with writing(tmp_path / "s") as store:
        real = Disk.digest
        with pytest.MonkeyPatch.context() as patch:

            def saving(disk: Disk, path: Path) -> tuple[str, int, bool]:
                if Shard(HOURLY, DAYS[4]) not in store.ledger.days:
                    patch.undo()
                    save(store, Shard(HOURLY, DAYS[4]))
                return real(disk, path)

            patch.setattr(Disk, "digest", saving)
            document = verify(capsys, tmp_path / "s")
        assert (document["checked"], document["unknown"]) == (4, [])
        assert main(["verify", "--repair", "--store", str(tmp_path / "s")]) == 9
        assert "is working on this store" in capsys.readouterr().err


Fetched = list[tuple[Shard, ...]]


def fetching(monkeypatch: pytest.MonkeyPatch, store: Path, *, days: Callable[[Shard], bool]) -> Fetched:
    """In place of a run against a Terminal: the wanted days that are chosen are saved, the others stay as they are."""
    asked: Fetched = []

    def run(resolved: Resolved, orders: Orders, emit: Emit) -> int:
        assert resolved.config.store.path == str(store)
        asked.append(orders.only)
        with writing(store) as opened:
            chosen = [shard for shard in orders.only if days(shard)]
            for shard in chosen:
                save(opened, shard)
        return 0 if len(chosen) == len(orders.only) else 3

    monkeypatch.setattr(downloads, "run", run)
    return asked


def test_repair_puts_aside_and_fetches_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The damaged file is kept as evidence; the days asked for are exactly the damaged and the missing ones; afterwards
    the store is as it was before the damage, byte for byte."""
    small_store(tmp_path / "s")
    whole = {day: file_of(tmp_path / "s", day).read_bytes() for day in range(5)}
    flip(file_of(tmp_path / "s", 1), 200)
    broken = file_of(tmp_path / "s", 1).read_bytes()
    file_of(tmp_path / "s", 3).unlink()
    asked = fetching(monkeypatch, tmp_path / "s", days=lambda shard: True)
    document = verify(capsys, tmp_path / "s", "--repair")
    assert asked == [(Shard(HOURLY, DAYS[1]), Shard(HOURLY, DAYS[3]))]
    assert (document["damaged"], document["missing"], document["unproven"]) == ([], [], [])
    assert [entry["day"] for entry in document["repaired"]] == ["2024-07-30", "2024-08-01"]
    assert {day: file_of(tmp_path / "s", day).read_bytes() for day in range(5)} == whole
    [kept] = (tmp_path / "s" / ".thetabulk" / "quarantine" / "damaged").rglob("*.parquet")
    assert kept.read_bytes() == broken
    assert verify(capsys, tmp_path / "s", "--deep")["checked"] == 5


def test_what_cannot_be_fetched_remains_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 10, with the first problem and the reason; the next repair, or resume, asks again."""
    small_store(tmp_path / "s")
    flip(file_of(tmp_path / "s", 1), 200)
    fetching(monkeypatch, tmp_path / "s", days=lambda shard: False)
    document = verify(capsys, tmp_path / "s", "--repair", code=10)
    [entry] = document["missing"]
    assert entry["problem"] == "sha256 is not that of the ledger; not fetched again"
    assert verify(capsys, tmp_path / "s", "--repair", code=10)["missing"] == [entry]
    [entry] = verify(capsys, tmp_path / "s", "--quick", code=10)["missing"]
    assert entry["problem"] == "sha256 is not that of the ledger; not fetched again yet"
    asked = fetching(monkeypatch, tmp_path / "s", days=lambda shard: True)
    assert [entry["day"] for entry in verify(capsys, tmp_path / "s", "--repair")["repaired"]] == ["2024-07-30"]
    assert asked == [(Shard(HOURLY, DAYS[1]),)]


def test_why_a_day_could_not_be_fetched_again_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run says something else of it now: what was wrong, and what came of asking."""
    small_store(tmp_path / "s")
    file_of(tmp_path / "s", 1).unlink()

    def run(*_: object) -> int:
        with writing(tmp_path / "s") as store:
            store.ledger.record(Failed(Shard(HOURLY, DAYS[1]), Asked("q"), "stalled", "no byte for 180 s"), AT)
        return 3

    monkeypatch.setattr(downloads, "run", run)
    [entry] = verify(capsys, tmp_path / "s", "--repair", code=10)["missing"]
    assert entry["problem"] == "the recorded file is gone; not fetched again (stalled: no byte for 180 s)"


def test_without_a_terminal_the_report_is_told_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 8, one JSON document on stdout, the error on stderr."""
    small_store(tmp_path / "s")
    file_of(tmp_path / "s", 3).unlink()

    def run(*_: object) -> int:
        raise TerminalUnavailable("no Theta Terminal answers at http://127.0.0.1:25503", hint="start it")

    monkeypatch.setattr(downloads, "run", run)
    assert main(["verify", "--repair", "--store", str(tmp_path / "s"), "--json"]) == 8
    told = capsys.readouterr()
    assert [entry["day"] for entry in json.loads(told.out)["missing"]] == ["2024-08-01"]
    assert "no Theta Terminal answers" in told.err


def test_missing_contract_lists_alone_are_no_reason_to_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked for if a Terminal is there, and nobody waits for one."""
    make(tmp_path / "s")
    with writing(tmp_path / "s") as store:
        save(store, Shard(HOURLY, DAYS[1]), listed=False)
    waited: list[float] = []

    def run(resolved: Resolved, orders: Orders, emit: Emit) -> int:
        waited.append(resolved.config.terminal.start_wait_s)
        raise TerminalUnavailable("no Theta Terminal answers")

    monkeypatch.setattr(downloads, "run", run)
    document = verify(capsys, tmp_path / "s", "--repair")
    assert len(document["unproven"]) == 1
    assert waited == [1.0]
    fetching(monkeypatch, tmp_path / "s", days=lambda shard: True)
    assert verify(capsys, tmp_path / "s", "--repair")["unproven"] == []


def test_repair_adopts_what_is_whole_and_puts_aside_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files without a record: a whole day is recorded, with the request of its footer; a flipped bit, a day that lacks
    contracts, and another day under its name go aside; what is no file of this store's format stays."""
    small_store(tmp_path / "other")
    small_store(tmp_path / "s", days=DAYS[4:])
    for day in range(4):
        file_of(tmp_path / "s", day).write_bytes(file_of(tmp_path / "other", 3 if day == 2 else day).read_bytes())
    packed = file_of(tmp_path / "s", 1).read_bytes().rfind(b"\x28\xb5\x2f\xfd")  # a page, as zstd begins
    flip(file_of(tmp_path / "s", 1), packed + 8)
    with writing(tmp_path / "s") as store:
        lacking = keep_aside(store, Shard(HOURLY, DAYS[3]), answer(Shard(HOURLY, DAYS[3]), contracts=CONTRACTS[:1]))
        (tmp_path / "s" / lacking.kept).replace(file_of(tmp_path / "s", 3))
    foreign = file_of(tmp_path / "s", 0, "csv")
    foreign.write_bytes(b"symbol\n")
    document = verify(capsys, tmp_path / "s", "--repair")
    assert [entry["file"] for entry in document["unknown"]] == [foreign.relative_to(tmp_path / "s").as_posix()]
    with reading(tmp_path / "s") as store, reading(tmp_path / "other") as other:
        outcomes = [store.ledger.days[Shard(HOURLY, day)].outcome for day in DAYS]
        adopted = other.ledger.days[Shard(HOURLY, DAYS[0])].outcome
    assert isinstance(outcomes[0], Saved)
    assert isinstance(adopted, Saved)
    assert outcomes[0].proof is Proof.NO_CONTRACT_LIST  # of this store: nobody has asked for it yet
    for name in ("sha256", "vendor_xxh3", "content", "rows", "contracts", "bytes"):
        assert getattr(outcomes[0], name) == getattr(adopted, name)
    assert outcomes[0].asked.request == adopted.asked.request
    assert [(type(one), one.kind) for one in outcomes[1:4] if isinstance(one, Failed)] == [
        (Failed, "not-whole"), (Failed, "not-whole"), (Failed, "incomplete")
    ]  # fmt: skip
    aside = sorted(path.name for path in (tmp_path / "s" / ".thetabulk" / "quarantine").rglob("*.parquet"))
    assert aside == [f"QQQ-{day}.parquet" for day in DAYS[1:4]]


def test_the_lock_is_let_go_before_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that fetches takes the store's lock itself."""
    small_store(tmp_path / "s")
    file_of(tmp_path / "s", 3).unlink()
    taken: list[Lock] = []

    def run(*_: object) -> int:
        with writing(tmp_path / "s"):
            taken.append(None)  # type: ignore[arg-type]
        return 3

    monkeypatch.setattr(downloads, "run", run)
    assert main(["verify", "--repair", "--quiet", "--store", str(tmp_path / "s")]) == 10
    assert len(taken) == 1


@pytest.mark.parametrize(
    "spelled",
    ["symbol=QQQ/year=2024/qqq-2024-07-30.parquet", "symbol=qqq/year=2024/QQQ-2024-07-30.parquet",
     "symbol=QQQ/year=2024/QQQ-2024-07-30.PARQUET"],
)  # fmt: skip
def test_two_names_that_are_one_on_other_disks_are_told(
    spelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stranger's file beside ours, alike but for case: ours is good and stays, repair included; the pair is named."""
    small_store(tmp_path / "s")
    ours, stranger = file_of(tmp_path / "s", 1), tmp_path / "s/option/quote/1h" / spelled
    stranger.parent.mkdir(parents=True, exist_ok=True)
    if stranger.exists():
        pytest.skip("this disk does not tell case")
    stranger.write_bytes(b"of somebody else")
    before = everything(tmp_path / "s")
    document = verify(capsys, tmp_path / "s", "--deep")
    [told] = document["unknown"]
    assert (document["checked"], document["damaged"], document["missing"]) == (5, [], [])
    assert told["file"] == str(stranger.relative_to(tmp_path / "s"))
    assert ours.name in told["problem"]
    assert everything(tmp_path / "s") == before
    assert len(verify(capsys, tmp_path / "s", "--repair")["unknown"]) == 1
    assert (stranger.read_bytes(), ours.read_bytes()) == (b"of somebody else", before[str(ours)][0])
