"""`thetabulk accept`: an incomplete answer that was kept aside becomes the day."""

import json
from pathlib import Path

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
from thetabulk.cli.app import main
from thetabulk.model import Asked, Empty, Failed, Proof, Saved, Shard

DAY = Shard(HOURLY, DAYS[2])
LACKING = answer(DAY, contracts=CONTRACTS[:1])
ACCEPT = ["accept", "QQQ", "--interval", "1h", "--day", "2024-07-31", "--store"]


def store_with_an_incomplete_day(path: Path, file_format: str = "parquet") -> Path:
    """Where the answer is kept: one contract of three."""
    make(path, file_format)
    with writing(path) as store:
        return path / keep_aside(store, DAY, LACKING).kept


@pytest.mark.parametrize("file_format", ["parquet", "csv", "csv.zst"])
def test_a_kept_answer_becomes_the_day(
    file_format: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """In its place, recorded as accepted with what it lacks; it verifies, and comes out as it was received."""
    kept = store_with_an_incomplete_day(tmp_path / "s", file_format)
    bytes_kept = kept.read_bytes()
    assert main([*ACCEPT, str(tmp_path / "s"), "--json"]) == 0
    document = json.loads(capfdbinary.readouterr().out)
    assert (document["day"], document["proof"], document["contracts"]) == ("2024-07-31", "accepted", 1)
    assert "2 of 3 listed contracts are absent" in document["remarks"][0]
    assert not kept.exists()
    with reading(tmp_path / "s") as store:
        saved = store.ledger.days[DAY].outcome
        assert store.file_of(DAY).read_bytes() == bytes_kept
    assert isinstance(saved, Saved)
    assert (saved.proof, saved.bytes, saved.vendor_bytes) == (Proof.ACCEPTED, len(bytes_kept), len(LACKING))
    assert main(["verify", "--deep", "--store", str(tmp_path / "s"), "--json"]) == 0
    assert "accepted by hand" in json.loads(capfdbinary.readouterr().out)["unproven"][0]["problem"]
    assert main(["export", "QQQ", "--interval", "1h", "--day", "2024-07-31", "--store", str(tmp_path / "s")]) == 0
    assert capfdbinary.readouterr().out == LACKING


def test_a_day_is_accepted_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time it is saved already: exit code 2, nothing changed."""
    store_with_an_incomplete_day(tmp_path / "s")
    assert main([*ACCEPT, str(tmp_path / "s")]) == 0
    assert capsys.readouterr().out.startswith("QQQ option/quote/1h 2024-07-31 is saved, accepted as it is\n")
    assert main([*ACCEPT, str(tmp_path / "s")]) == 2
    assert "is saved already (proof accepted)" in capsys.readouterr().err


def test_where_nothing_is_kept_it_says_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Never asked, empty, failed otherwise: exit code 2, and the days of which an answer is kept."""
    store_with_an_incomplete_day(tmp_path / "s")
    with writing(tmp_path / "s") as store:
        store.ledger.record(Empty(Shard(HOURLY, DAYS[1]), Asked("q")), AT)
        store.ledger.record(Failed(Shard(HOURLY, DAYS[3]), Asked("q"), "stalled", "no byte for 180 s"), AT)
    for day, message in (
        (DAYS[0], "has not been asked for"),
        (DAYS[1], "it is empty (the vendor has no data"),
        (DAYS[3], "it is failed (stalled: no byte for 180 s)"),
    ):
        assert main(["accept", "QQQ", "--interval", "1h", "--day", str(day), "--store", str(tmp_path / "s")]) == 2
        told = capsys.readouterr().err
        assert message in told
        assert "answers are kept aside of: QQQ option/quote/1h 2024-07-31" in told
    small_store(tmp_path / "other")
    assert main(["accept", "SPY", "--day", "2024-07-31", "--store", str(tmp_path / "other")]) == 2
    assert "no answer is kept aside in this store" in capsys.readouterr().err
    assert main(["accept", "QQQ", "--day", "never", "--store", str(tmp_path / "other")]) == 2
    assert main(["accept", "QQQ"]) == 2


@pytest.mark.parametrize("file_format", ["parquet", "csv", "csv.zst"])
@pytest.mark.parametrize("damage", ["gone", "flipped", "another"])
def test_a_kept_answer_that_is_no_longer_it_is_refused(
    file_format: str, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 10; nothing is moved, the day stays failed, the file stays where it is."""
    kept = store_with_an_incomplete_day(tmp_path / "s", file_format)
    if damage == "gone":
        kept.unlink()
    elif damage == "flipped":
        content = bytearray(kept.read_bytes())
        content[max(200, content.rfind(b"\x28\xb5\x2f\xfd") + 8)] ^= 1
        kept.write_bytes(content)
    else:
        make(tmp_path / "other", file_format)
        with writing(tmp_path / "other") as other:
            kept.write_bytes((tmp_path / "other" / keep_aside(other, DAY, answer(DAY)).kept).read_bytes())
    before = kept.read_bytes() if kept.exists() else None
    assert main([*ACCEPT, str(tmp_path / "s")]) == 10
    assert "thetabulk resume asks again" in capsys.readouterr().err
    assert (kept.read_bytes() if kept.exists() else None) == before
    with reading(tmp_path / "s") as store:
        assert isinstance(store.ledger.days[DAY].outcome, Failed)
        assert not store.file_of(DAY).exists()


def test_a_file_in_its_place_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without a record lies where the day belongs: exit code 2, both stay."""
    kept = store_with_an_incomplete_day(tmp_path / "s")
    with reading(tmp_path / "s") as store:
        place = store.file_of(DAY)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"unknown")
    assert main([*ACCEPT, str(tmp_path / "s")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert kept.exists()
    assert place.read_bytes() == b"unknown"


def test_it_waits_for_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody is writing: exit code 9."""
    store_with_an_incomplete_day(tmp_path / "s")
    with writing(tmp_path / "s"):
        assert main([*ACCEPT, str(tmp_path / "s")]) == 9
    assert "is working on this store" in capsys.readouterr().err


def test_after_a_crash_between_move_and_record_it_can_be_accepted_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file lies in its place without a record; the next repair keeps it aside again, and nothing is lost."""
    kept = store_with_an_incomplete_day(tmp_path / "s")
    content = kept.read_bytes()
    with writing(tmp_path / "s") as store:
        save(store, Shard(HOURLY, DAYS[3]))
        store.volume.move(kept.relative_to(tmp_path / "s"), store.path_of(DAY))  # type: ignore[arg-type]
    assert main(["verify", "--repair", "--store", str(tmp_path / "s")]) == 0
    assert "kept aside for `thetabulk accept`" in capsys.readouterr().err
    assert kept.read_bytes() == content
    assert main([*ACCEPT, str(tmp_path / "s")]) == 0
