"""`thetabulk status`: what a store holds, from the ledger alone."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.cli.small_store import AT, DAYS, HOURLY, make, save, small_store, writing
from thetabulk.assembly import clock
from thetabulk.cli.app import main
from thetabulk.model import Asked, Boundary, Empty, Failed, Job, Refused, Shard

NOON = datetime(2024, 8, 5, 16, tzinfo=UTC)  # a Monday: Friday 2024-08-02 is the newest settled session


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def mixed_store(path: Path) -> None:
    """A job of six sessions before the five of DAYS, of which one is pending, and one day of each outcome."""
    make(path)
    with writing(path) as store:
        store.ledger.record_job(Job("one", (HOURLY,), date(2024, 7, 22), DAYS[-1]), AT)
        save(store, Shard(HOURLY, DAYS[4]))
        save(store, Shard(HOURLY, DAYS[3]), listed=False)
        store.ledger.record(Empty(Shard(HOURLY, DAYS[2]), Asked("q"), 2, AT), AT)
        store.ledger.record(Failed(Shard(HOURLY, DAYS[1]), Asked("q"), "stalled", "no byte for 180 s"), AT)
        store.ledger.record(Refused(Shard(HOURLY, DAYS[0]), Asked("q"), "needs a\nvalue subscription"), AT)
        store.ledger.record_boundary(Boundary(HOURLY, "vendor", date(2024, 7, 24), ("probe",)), AT)


def test_the_document_is_the_documented_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly the keys and the sum that the reference promises."""
    mixed_store(tmp_path / "s")
    assert main(["status", "--store", str(tmp_path / "s"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["store", "collections"]
    assert list(document["store"]) == ["path", "id", "format", "free_bytes"]
    [row] = document["collections"]
    assert row.pop("bytes") > 0
    assert row == {
        "dataset": "option/quote/1h", "selection": "", "symbol": "QQQ", "first": "2024-07-22", "last": "2024-08-02",
        "sessions": 10, "saved": 2, "proven": 1, "empty": 3, "refused": 1, "failed": 1, "pending": 3,
        "boundary": {"kind": "vendor", "day": "2024-07-24"},
    }  # fmt: skip
    assert row["sessions"] == sum(row[kind] for kind in ("saved", "empty", "refused", "failed", "pending"))


def test_a_person_gets_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It fits 80 columns; data on stdout, the choice of the store on stderr."""
    mixed_store(tmp_path / "s")
    assert main(["status"]) == 0
    told = capsys.readouterr()
    assert "QQQ" in told.out
    assert "the vendor's data begin 2024-07-24" in told.out
    assert max(map(len, told.out.splitlines()[2:])) <= 80
    assert "the one used last" in told.err


def test_gaps_name_every_day_that_is_not_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first, with the reason of each, in one line whatever the vendor's text holds."""
    mixed_store(tmp_path / "s")
    assert main(["status", "--store", str(tmp_path / "s"), "--gaps", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["gaps"]
    assert [(row["day"], row["outcome"], row["reason"]) for row in rows] == [
        ("2024-08-01", "saved", "no contract list to compare with"),
        ("2024-07-31", "empty", "the vendor has no data (asked 2 times)"),
        ("2024-07-30", "failed", "stalled: no byte for 180 s"),
        ("2024-07-29", "refused", "needs a\nvalue subscription"),
        ("2024-07-26", "pending", "not asked for yet"),
        ("2024-07-25", "pending", "not asked for yet"),
        ("2024-07-24", "pending", "not asked for yet"),
        ("2024-07-23", "empty", "beyond the boundary"),
        ("2024-07-22", "empty", "beyond the boundary"),
    ]
    assert main(["status", "--store", str(tmp_path / "s"), "--gaps"]) == 0
    assert "refused  needs a value subscription" in capsys.readouterr().out


def test_an_old_store_is_told_by_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Friday's day is three days old on Monday: within three, more than two."""
    small_store(tmp_path / "s")
    assert main(["status", "--store", str(tmp_path / "s"), "--max-age", "3"]) == 0
    capsys.readouterr()
    assert main(["status", "--store", str(tmp_path / "s"), "--max-age", "2", "--json"]) == 3
    told = capsys.readouterr()
    sentence = "QQQ option/quote/1h: the newest saved day is 2024-08-02, 3 days ago (more than 2)"
    assert sentence in told.err
    assert json.loads(told.out)["stale"] == [sentence]


def test_a_collection_without_a_saved_day_is_too_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing saved is not fresh; nor is a store without any collection."""
    make(tmp_path / "s")
    assert main(["status", "--store", str(tmp_path / "s"), "--max-age", "9999"]) == 3
    assert "nothing is saved yet" in capsys.readouterr().err
    with writing(tmp_path / "s") as store:
        store.ledger.record_job(Job("one", (HOURLY,), DAYS[0], DAYS[-1]), AT)
    assert main(["status", "--store", str(tmp_path / "s"), "--max-age", "9999"]) == 3
    assert "QQQ option/quote/1h: no day is saved yet" in capsys.readouterr().err


def test_it_works_while_a_run_is_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody holds the lock and has written half a line: no waiting, no error, no change."""
    small_store(tmp_path / "s")
    with writing(tmp_path / "s") as store:
        with store.ledger.path.open("ab") as file:
            file.write(b'{"kind":"day","v":1,"se')
        before = store.ledger.path.read_bytes()
        assert main(["status", "--store", str(tmp_path / "s"), "--json"]) == 0
        assert store.ledger.path.read_bytes() == before
    told = capsys.readouterr()
    assert json.loads(told.out)["collections"][0]["saved"] == 5
    assert "the last line is torn" in told.err


def test_bad_places_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No store known, no store there, a file, and a known store whose drive is gone."""
    assert main(["status"]) == 2
    assert "which store?" in capsys.readouterr().err
    assert main(["status", "--store", str(tmp_path / "none")]) == 2
    assert "is not a store" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["status", "--store", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err
    (tmp_path / "drive").mkdir()
    make(tmp_path / "drive" / "s")
    assert main(["status", "--store", str(tmp_path / "drive" / "s")]) == 0
    (tmp_path / "drive").rename(tmp_path / "pulled")
    assert main(["status", "--store", str(tmp_path / "drive" / "s")]) == 4
    assert "is not mounted" in capsys.readouterr().err
    assert main(["status", "--max-age", "-1"]) == 2


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    """Status on a small store starts at once: no pandas, pyarrow, numpy, aiohttp, duckdb; no Rich either."""
    small_store(tmp_path / "s", days=DAYS[:1])
    code = (
        "import sys; from thetabulk import state; from pathlib import Path;"
        "state.state_folder = lambda: Path(sys.argv[2]);"
        "from thetabulk.cli.app import main; code = main(['status', '--store', sys.argv[1], '--gaps']);"
        "heavy = {'pandas', 'pyarrow', 'numpy', 'aiohttp', 'duckdb', 'rich', 'asyncio', 'xxhash', 'zstandard'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else code)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "s"), str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
