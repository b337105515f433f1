"""`thetabulk plan`: what a download would do, with neither Terminal nor store."""

import io
import json
import shutil
import sys
from collections import namedtuple
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.small_store import AT, DAYS, HOURLY, make, small_store, writing
from thetabulk.assembly import downloads
from thetabulk.cli.app import main
from thetabulk.model import Boundary, Empty, Shard
from thetabulk.plan.calendar import Calendar

RANGE = ["--from", "2016-08-04", "--to", "2024-08-02"]
Usage = namedtuple("Usage", "total used free")


class Typed(io.StringIO):
    """A terminal at which somebody has typed this, or which shows what is written."""

    def isatty(self) -> bool:
        return True


def plan(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["plan", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_eight_years_of_qqq_without_any_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2,012 sessions, as many lists; sizes and hours from published evidence; nothing is made on the drive."""
    document = plan(capsys, "qqq", *RANGE, "--store", str(tmp_path / "new"))
    assert document["store"] == {
        "path": str(tmp_path / "new"), "exists": False, "free_bytes": document["store"]["free_bytes"]
    }  # fmt: skip
    assert document["tier"] == {"name": "standard", "assumed": True, "requests": 4}
    [row] = document["collections"]
    assert (row["wanted"], row["done"], row["todo"]) == (2_012, 0, 2_012)
    assert row["requests"] == {"data": 2_012, "lists": 2_012, "probes": 0}
    assert 10e9 < row["bytes"]["low"] < 25e9 < row["bytes"]["high"] < 60e9
    assert row["seconds"]["low"] < 4 * 3_600 < row["seconds"]["high"]
    assert row["evidence"] == "from published sizes of QQQ (2017 and 2024)"
    assert not (tmp_path / "new").exists()


def test_no_number_without_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown symbol, a selection, simulated days: days and requests, but neither bytes nor hours."""
    for arguments in (["AAPL"], ["QQQ", "--max-dte", "45"], ["QQQ", "--simulate"]):
        document = plan(capsys, *arguments, *RANGE, "--store", str(tmp_path / "new"))
        assert (document["collections"][0]["bytes"], document["bytes"], document["fits"]) == (None, None, "unknown")
        assert document["collections"][0]["evidence"].startswith("no evidence")
    assert main(["plan", "AAPL", *RANGE]) == 0
    told = capsys.readouterr()
    assert "whether it fits is not known" in told.out
    assert "which store? None is known yet" in told.err


def test_what_is_done_is_not_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Saved days and old empty ones are done; kept lists are not asked again, a known boundary is looked at once."""
    small_store(tmp_path / "s", days=DAYS[2:])
    with writing(tmp_path / "s") as store:
        saved = store.ledger.days[Shard(HOURLY, DAYS[2])].outcome
        store.ledger.record(Empty(Shard(HOURLY, DAYS[1]), saved.asked, 4, AT - timedelta(days=60)), AT)
        store.ledger.record_boundary(Boundary(HOURLY, "vendor", date(2024, 7, 24)), AT)
    arguments = [
        "QQQ",
        "--interval",
        "1h",
        "--from",
        "2024-07-22",
        "--to",
        "2024-08-02",
        "--store",
        str(tmp_path / "s"),
    ]
    document = plan(capsys, *arguments)
    [row] = document["collections"]
    assert (row["wanted"], row["done"], row["todo"]) == (10, 6, 4)
    assert row["requests"] == {"data": 4, "lists": 4, "probes": 1}
    assert document["store"]["exists"]
    assert plan(capsys, *arguments, "--recheck")["collections"][0]["todo"] == 7
    assert main(["download", *arguments, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["collections"] == document["collections"]


def test_saved_days_of_the_collection_are_the_better_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eight of them: the range is that of their sizes."""
    days = Calendar.load().sessions(date(2024, 7, 24), date(2024, 8, 2))
    small_store(tmp_path / "s", days=days)
    arguments = [
        "QQQ",
        "--interval",
        "1h",
        "--from",
        "2024-07-23",
        "--to",
        "2024-08-02",
        "--store",
        str(tmp_path / "s"),
    ]
    [row] = plan(capsys, *arguments)["collections"]
    assert row["evidence"] == "from 8 saved days of this collection"
    assert 1_000 < row["bytes"]["low"] <= row["bytes"]["high"] < 10_000


def test_a_finished_store_has_nothing_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No bytes, no time, and it fits."""
    small_store(tmp_path / "s")
    arguments = [
        "QQQ",
        "--interval",
        "1h",
        "--from",
        "2024-07-29",
        "--to",
        "2024-08-02",
        "--store",
        str(tmp_path / "s"),
    ]
    document = plan(capsys, *arguments)
    assert (document["bytes"], document["fits"]) == ({"low": 0, "high": 0}, "yes")
    assert document["collections"][0]["evidence"] == "nothing is left to do"


@pytest.mark.parametrize(
    ("free_gb", "fits", "words"),
    [(1_000, "yes", "there is room"), (30, "perhaps", "may not fit"), (10, "no", "does not fit")],
)
def test_free_space_decides(
    free_gb: int, fits: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Beside the range stands what is free; every line fits 80 columns."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2e12, 1e12, int(free_gb * 1e9)))
    arguments = ["QQQ", *RANGE, "--store", str(tmp_path / "new")]
    assert plan(capsys, *arguments)["fits"] == fits
    assert main(["plan", *arguments]) == 0
    told = capsys.readouterr().out
    assert words in told
    assert max(map(len, told.splitlines()[1:])) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which symbol?"),
        (["QQQ!"], "is not a symbol"),
        (["QQQ", "--from", "2024-08-02", "--to", "2024-08-01"], "is after"),
        (["QQQ", "--from", "2024-08-03", "--to", "2024-08-04"], "no trading day"),
        (["QQQ", "--from", "2999-01-01"], "is settled yet"),
        (["QQQ", "--interval", "7m"], "is none of"),
        (["QQQ", "--interval", "1s"], "does not store it"),
        (["QQQ", "--dataset", "option/greeks"], "there is no dataset"),
        (["QQQ", "--tier", "gold"], "is not a tier"),
        (["QQQ", "--workers", "0"], "must be at least 1"),
    ],
)
def test_bad_input_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 with a sentence, as `download` would say it."""
    assert main(["plan", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_store_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another format, another source: what `download` refuses is no plan either."""
    make(tmp_path / "s")
    assert main(["plan", "QQQ", "--format", "csv", "--store", str(tmp_path / "s")]) == 2
    assert "is a store of parquet, not of csv" in capsys.readouterr().err
    assert main(["plan", "QQQ", "--simulate", "--store", str(tmp_path / "s")]) == 2
    assert "never mix" in capsys.readouterr().err


def download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str | None, *arguments: str
) -> tuple[int, str, int]:
    """A download of many days on a terminal (or, without anything typed, in a pipe): exit code, stderr, runs begun."""
    begun: list[object] = []

    def run(*orders: object) -> int:
        begun.append(orders)
        return 0

    shown: io.StringIO = io.StringIO() if typed is None else Typed()
    monkeypatch.setattr(downloads, "run", run)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2e12, 1e12, int(30e9)))
    monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Typed(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "dumb")
    code = main(["download", "QQQ", *RANGE, "--store", str(tmp_path / "new"), *arguments])
    return code, shown.getvalue(), len(begun)


def test_a_person_is_asked_before_a_download_that_may_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; anything but yes ends it, with the exit code of what was stopped as asked."""
    code, told, begun = download(tmp_path, monkeypatch, "\n")
    assert (code, begun) == (11, 0)
    assert told.endswith("continue? [y/N] nothing was downloaded\n")
    assert "30.0 GB free: the drive may not hold it" in told
    assert download(tmp_path, monkeypatch, "y\n")[::2] == (0, 1)


def test_nobody_is_asked_without_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither with --yes, nor in a pipe, nor before a small download."""
    for typed, extra in (("n\n", ["--yes"]), (None, []), ("n\n", ["--from", "2024-08-02"])):
        code, told, begun = download(tmp_path, monkeypatch, typed, *extra)
        assert (code, begun) == (0, 1)
        assert "continue?" not in told
