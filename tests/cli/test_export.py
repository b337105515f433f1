"""`thetabulk export`: the vendor's CSV, byte for byte, or a clear reason why not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.small_store import AT, DAYS, HOURLY, answer, make, save, small_store, writing
from thetabulk.assembly import clock
from thetabulk.cli.app import main
from thetabulk.model import Asked, Boundary, Collection, Empty, Failed, Shard

FORMATS = ("parquet", "csv", "csv.zst")
FRIDAY = Shard(HOURLY, DAYS[4])
HOURLY_QQQ = ["export", "QQQ", "--interval", "1h"]


@pytest.fixture(autouse=True)
def on_monday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest settled session is Friday, 2024-08-02."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2024, 8, 5, 16, tzinfo=UTC))


def flip(store: Path, name: str, place: int) -> None:
    [file] = store.rglob(name)
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_day_comes_out_as_it_was_received(
    file_format: str, line_end: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """To stdout and into a file, whatever the store's format and the vendor's line ends."""
    make(tmp_path / "s", file_format)
    body = answer(FRIDAY, line_end=line_end)
    with writing(tmp_path / "s") as store:
        save(store, FRIDAY, body)
    wanted = [*HOURLY_QQQ, "--day", "2024-08-02", "--store", str(tmp_path / "s")]
    assert main(wanted) == 0
    assert capfdbinary.readouterr() == (body, b"")
    assert main([*wanted, "-o", str(tmp_path / "day.csv")]) == 0
    assert (tmp_path / "day.csv").read_bytes() == body
    assert capfdbinary.readouterr().out == b""


def test_a_file_is_overwritten_only_with_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the old file untouched."""
    small_store(tmp_path / "s")
    target = tmp_path / "day.csv"
    target.write_text("mine")
    wanted = [*HOURLY_QQQ, "--day", "20240802", "--store", str(tmp_path / "s"), "-o", str(target)]
    assert main(wanted) == 2
    assert "exists already" in capsys.readouterr().err
    assert target.read_text() == "mine"
    assert main([*wanted, "--force", "--json"]) == 0
    size = len(answer(FRIDAY))
    assert json.loads(capsys.readouterr().out) == {
        "files": [{"day": "2024-08-02", "file": str(target), "bytes": size}], "not_saved": []
    }  # fmt: skip
    assert target.read_bytes() == answer(FRIDAY)


def test_a_range_becomes_a_folder_of_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file a day, named after symbol and day; if one is in the way, none is written."""
    small_store(tmp_path / "s")
    wanted = [*HOURLY_QQQ, "--from", "2024-07-31", "--store", str(tmp_path / "s"), "-o", str(tmp_path / "out")]
    assert main(wanted) == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert written == {f"QQQ-{day}.csv": answer(Shard(HOURLY, day)) for day in DAYS[2:]}
    (tmp_path / "out" / "QQQ-2024-07-31.csv").unlink()
    assert main(wanted) == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["QQQ-2024-08-01.csv", "QQQ-2024-08-02.csv"]
    assert main([*wanted, "--force"]) == 0


def test_a_symbol_that_is_no_file_name_is_encoded(tmp_path: Path) -> None:
    """BRK/B is no folder BRK."""
    shard = Shard(Collection("option/quote/1h", "", "BRK/B"), DAYS[4])
    make(tmp_path / "s")
    with writing(tmp_path / "s") as store:
        save(store, shard)
    wanted = ["export", "brk/b", "--interval", "1h", "--from", "2024-08-02", "--store", str(tmp_path / "s")]
    assert main([*wanted, "-o", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["BRK%2FB-2024-08-02.csv"]


def test_a_range_on_stdout_has_one_header(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The days one after the other; the header comes again where it changes, and a missing line end is added."""
    make(tmp_path / "s")
    bodies = [answer(Shard(HOURLY, day)) for day in DAYS[:3]]
    bodies[1] = bodies[1].removesuffix(b"\n")
    bodies.append(answer(Shard(HOURLY, DAYS[3]), line_end="\r\n"))
    with writing(tmp_path / "s") as store:
        for day, body in zip(DAYS, bodies, strict=False):
            save(store, Shard(HOURLY, day), body)
    assert main([*HOURLY_QQQ, "--to", "2024-08-01", "--store", str(tmp_path / "s")]) == 0
    rows = [body.split(b"\n", 1)[1] for body in bodies]
    assert capfdbinary.readouterr().out == bodies[0] + rows[1] + b"\n" + rows[2] + bodies[3]


def test_a_range_with_holes_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Empty days are no holes, failed ones are: the others come out, and the exit code is 3."""
    small_store(tmp_path / "s", days=DAYS[:2])
    with writing(tmp_path / "s") as store:
        store.ledger.record(Empty(Shard(HOURLY, DAYS[2]), Asked("q")), AT)
    wanted = [*HOURLY_QQQ, "--from", "2024-07-29", "--store", str(tmp_path / "s")]
    assert main([*wanted, "--to", "2024-07-31"]) == 0
    capfd.readouterr()
    assert main([*wanted, "--to", "2024-08-01"]) == 3
    told = capfd.readouterr()
    assert told.err == "QQQ option/quote/1h 2024-08-01 is not saved: it has not been asked for\n"
    assert told.out.count("\n") == 1 + 2 * 21


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--day", "2024-07-31"], "is not saved: failed (stalled: no byte for 180 s)", "2024-07-29, 2024-08-02"),
        (["--day", "2024-07-30"], "is not saved: empty (the vendor has no data (asked 3 times))", "2024-07-29"),
        (["--day", "2024-08-01"], "is not saved: it has not been asked for", "2024-08-02"),
        (["--day", "2024-08-03"], "is not saved: it is no trading day", "2024-07-29, 2024-08-02"),
        (["--day", "2024-07-22"], "is not saved: empty, beyond the boundary", "2024-07-29"),
        (["--from", "2024-07-30", "--to", "2024-07-31"], "no day of QQQ option/quote/1h", "2024-07-29, 2024-08-02"),
        (["--from", "2024-07-31", "--to", "2024-07-30"], "is after", ""),
        (["--day", "2024-08-02", "--interval", "5m"], "QQQ option/quote/5m 2024-08-02 is not", "QQQ option/quote/1h"),
        (["--day", "2024-08-02", "--from", "2024-08-01"], "choose", ""),
        (["--day", "2024-08-02", "--json"], "--json needs -o", ""),
        (["--day", "tomorrow"], "is not a date", ""),
        ([], "which day?", "--day 2024-08-02"),
    ],
)
def test_what_cannot_be_exported_is_told_with_the_reason(
    arguments: list[str], message: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the reason, and the nearest saved days; nothing on stdout but the error of --json."""
    small_store(tmp_path / "s", days=(DAYS[0], DAYS[4]))
    with writing(tmp_path / "s") as store:
        store.ledger.record(Empty(Shard(HOURLY, DAYS[1]), Asked("q"), 3), AT)
        store.ledger.record(Failed(Shard(HOURLY, DAYS[2]), Asked("q"), "stalled", "no byte for 180 s"), AT)
        store.ledger.record_boundary(Boundary(HOURLY, "vendor", DAYS[0]), AT)
    assert main(["export", "QQQ", "--store", str(tmp_path / "s"), "--interval", "1h", *arguments]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert hint in told.err
    assert "--json" in arguments or told.out == ""


def test_places_that_cannot_be_written_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there, a folder where a file is wanted, a file where a folder is wanted."""
    small_store(tmp_path / "s")
    day = [*HOURLY_QQQ, "--store", str(tmp_path / "s"), "--day", "2024-08-02", "-o"]
    days = [*HOURLY_QQQ, "--store", str(tmp_path / "s"), "--from", "2024-08-01", "-o"]
    (tmp_path / "file").touch()
    for arguments, message in (
        ([*day, str(tmp_path / "no" / "day.csv")], "does not exist"),
        ([*day, str(tmp_path)], "is a folder"),
        ([*days, str(tmp_path / "no" / "out")], "does not exist"),
        ([*days, str(tmp_path / "file")], "is a file"),
    ):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("file_format", FORMATS)
def test_damage_is_never_handed_out_as_a_file(
    file_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 10, no file, no scratch, and the old file is still there; on stdout the bytes are out, but told."""
    small_store(tmp_path / "s", file_format)
    name = f"QQQ-2024-08-02.{file_format}"
    [file] = (tmp_path / "s").rglob(name)
    flip(tmp_path / "s", name, max(300, file.read_bytes().rfind(b"\x28\xb5\x2f\xfd") + 8))
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "day.csv"
    target.write_text("older")
    wanted = [*HOURLY_QQQ, "--day", "2024-08-02", "--store", str(tmp_path / "s")]
    assert main([*wanted, "--force", "-o", str(target)]) == 10
    assert "thetabulk verify --repair" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {"day.csv": "older"}
    file.unlink()
    assert main(wanted) == 10
    assert "is gone" in capsys.readouterr().err
